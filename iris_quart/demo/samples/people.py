"""Rows of the companies, people and employees of SAMPLES."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from iris_quart.demo.core.conversions import Value
from iris_quart.demo.core.values import list_build
from iris_quart.demo.samples import words
from iris_quart.demo.samples.chance import Chance, day, seconds

COMPANIES = 20
PEOPLE = 200
EMPLOYEES = 120

COMPANY_COLUMNS = ("Name", "TaxID", "Mission", "Revenue", "Founded")
PERSON_COLUMNS = (
    "Name", "SSN", "DOB", "Home_Street", "Home_City", "Home_State", "Home_Zip", "Office_Street", "Office_City",
    "Office_State", "Office_Zip", "FavoriteColors", "Spouse",
)  # fmt: skip
EMPLOYEE_COLUMNS = (
    "Name", "Title", "Company", "Manager", "Salary", "HiredOn", "StartsAt", "Remote", "Notes", "Picture",
)  # fmt: skip
PICTURE = b"\x89PNG\r\n\x1a\n"  # the first bytes of a PNG file


def companies() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Sample.Company."""
    for number, stem in enumerate(words.COMPANY_STEMS[:COMPANIES], 1):
        chance = Chance(1, number)
        tax_id = f"{chance.pick('ABCDEFGHKLMNPQRSTVWXYZ')}{number:03}{chance.between(10, 99)}"
        mission = (
            f"{chance.pick(('Builders', 'Keepers', 'Providers', 'Pioneers'))} of {chance.pick(words.GOALS)}."
        )
        founded = day(chance.between(1920, 2015), chance.between(1, 12), chance.between(1, 28))
        revenue = chance.maybe(chance.between(100_000, 9_000_000_000), 95)
        yield f"{stem} {chance.pick(words.COMPANY_ENDS)}", tax_id, mission, revenue, founded


def name(chance: Chance) -> str:
    """Create a name as Sample.Person writes it: family name, given name, initial."""
    given, initial = chance.pick(words.GIVEN_NAMES), chance.pick("ABCDEFGHJKLMNPRSTW")
    return f"{chance.pick(words.FAMILY_NAMES)},{given} {initial}."


def address(chance: Chance) -> tuple[str, str, str, str]:
    """Make street, city, state and zip code."""
    city, state = chance.pick(words.CITIES)
    return (
        f"{chance.between(1, 9999)} {chance.pick(words.STREETS)}",
        city,
        state,
        f"{chance.between(501, 99950):05}",
    )


def people() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Sample.Person; spouses are people with a lower row ID."""
    for number in range(1, PEOPLE + 1):
        chance = Chance(2, number)
        ssn = f"{100 + number * 4 % 900:03}-{chance.between(10, 99)}-{1000 + number * 37 % 9000}"
        born = day(chance.between(1931, 2019), chance.between(1, 12), chance.between(1, 28))
        colours = [chance.pick(words.COLOURS) for _ in range(chance.below(4))]
        office = address(chance) if chance.below(100) < 85 else (None,) * 4
        yield (
            name(chance),
            ssn,
            chance.maybe(born, 98),
            *address(chance),
            *office,
            list_build(colours) if colours else None,
            chance.maybe(chance.between(1, number - 1), 40) if number > 1 else None,
        )


def employees() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Sample.Employee; managers are employees with a lower row ID."""
    for number in range(1, EMPLOYEES + 1):
        chance = Chance(3, number)
        is_top = number <= COMPANIES
        yield (
            name(chance),
            "Director" if is_top else chance.pick(words.TITLES),
            number if is_top else chance.between(1, COMPANIES),
            None if is_top else chance.between(1, min(number - 1, 40)),
            Decimal(chance.between(2_500_000, 18_000_000)) / 100,
            day(chance.between(1995, 2025), chance.between(1, 12), chance.between(1, 28)),
            seconds(chance.between(6, 10), chance.pick((0, 15, 30, 45))),
            int(chance.below(100) < 30),
            chance.maybe(
                f"Speaks {chance.pick(('Danish', 'French', 'Japanese', 'Polish'))}.\nStarts early.", 50
            ),
            chance.maybe(PICTURE + bytes(chance.below(256) for _ in range(64)), 20),
        )


__all__ = [
    "COMPANIES",
    "COMPANY_COLUMNS",
    "EMPLOYEES",
    "EMPLOYEE_COLUMNS",
    "PEOPLE",
    "PERSON_COLUMNS",
    "PICTURE",
    "address",
    "companies",
    "employees",
    "name",
    "people",
]
