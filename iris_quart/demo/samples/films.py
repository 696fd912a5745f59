"""Rows of the cinemas of SAMPLES."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from iris_quart.demo.core.conversions import Value
from iris_quart.demo.samples import words
from iris_quart.demo.samples.chance import Chance, day, seconds

FILMS = 60
THEATERS = 6

CATEGORY_COLUMNS = ("CategoryName",)
FILM_COLUMNS = (
    "Title", "Category", "Rating", "Length", "Released", "PlayingNow", "TicketsSold", "Score", "Plot",
)  # fmt: skip
THEATER_COLUMNS = ("TheaterName", "Seats", "AdultPrice", "ChildPrice")
SHOW_COLUMNS = ("%ID", "Theater", "childsub", "Film", "StartTime", "SoldOut")


def categories() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Cinema.FilmCategory."""
    for category in words.CATEGORIES:
        yield (category,)


def films() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Cinema.Film."""
    for number in range(1, FILMS + 1):
        chance = Chance(4, number)
        first, second = chance.pick(words.FILM_WORDS), chance.pick(words.FILM_WORDS)
        plot = f"Someone loses the {first.lower()} and finds the {second.lower()}, at last."
        yield (
            f"The {first}" if first == second else f"{first} of the {second}",
            chance.maybe(chance.between(1, len(words.CATEGORIES)), 92),
            chance.pick(words.RATINGS),
            chance.between(71, 194),
            day(chance.between(1958, 2025), chance.between(1, 12), chance.between(1, 28)),
            int(chance.below(100) < 40),
            chance.between(0, 90_000_000),
            chance.between(10, 100) / 10,
            chance.maybe(plot, 80),
        )


def theaters() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Cinema.Theater."""
    for number in range(1, THEATERS + 1):
        chance = Chance(5, number)
        city, _ = words.CITIES[number]
        adult = Decimal(chance.between(900, 1600)) / 100
        yield (
            f"{city} {chance.pick(('Palace', 'Odeon', 'Rex', 'Lumière'))}",
            chance.between(60, 800),
            adult,
            adult / 2,
        )


def shows() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Cinema.Show."""
    for theater in range(1, THEATERS + 1):
        for number, hour in enumerate((14, 17, 20, 22), 1):
            chance = Chance(6, theater, hour)
            yield (
                f"{theater}||{number}",
                theater,
                number,
                chance.between(1, FILMS),
                seconds(hour, chance.pick((0, 15, 30))),
                int(chance.below(100) < 25),
            )


__all__ = [
    "CATEGORY_COLUMNS",
    "FILMS",
    "FILM_COLUMNS",
    "SHOW_COLUMNS",
    "THEATERS",
    "THEATER_COLUMNS",
    "categories",
    "films",
    "shows",
    "theaters",
]
