"""Rows of the ward of HOSPITAL."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from iris_quart.demo.core.conversions import Value
from iris_quart.demo.samples import words
from iris_quart.demo.samples.chance import Chance, day, posixtime, seconds, timestamp

DOCTORS = 12
PATIENTS = 80
APPOINTMENTS = 300

DOCTOR_COLUMNS = ("Name", "Speciality", "Pager")
PATIENT_COLUMNS = (
    "RecordNumber", "FamilyName", "GivenName", "Born", "Sex", "BloodGroup", "Weight", "Allergies", "Admitted", "Room",
    "Insured",
)  # fmt: skip
APPOINTMENT_COLUMNS = (
    "Patient", "Doctor", "OnDate", "AtTime", "Minutes", "Reason", "BookedAt", "ConfirmedAt", "Cancelled",
)  # fmt: skip
OBSERVATION_COLUMNS = ("%ID", "Patient", "childsub", "TakenAt", "Pulse", "Temperature", "Remark")
FIRST_APPOINTMENT = day(2026, 1, 5)
UNIX_DAY = day(1970, 1, 1)
DAY_SECONDS = 86_400


def doctors() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Ward.Doctor."""
    for number in range(1, DOCTORS + 1):
        chance = Chance(7, number)
        full_name = f"Dr. {chance.pick(words.GIVEN_NAMES)} {chance.pick(words.FAMILY_NAMES)}"
        yield full_name, chance.pick(words.SPECIALITIES), f"#{4100 + number}"


def patients() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Ward.Patient."""
    for number in range(1, PATIENTS + 1):
        chance = Chance(8, number)
        admitted = FIRST_APPOINTMENT - chance.between(1, 60)
        yield (
            f"R{number:06}",
            chance.pick(words.FAMILY_NAMES),
            chance.maybe(chance.pick(words.GIVEN_NAMES), 97),
            day(chance.between(1925, 2025), chance.between(1, 12), chance.between(1, 28)),
            chance.maybe(chance.pick("FMX"), 96),
            chance.maybe(chance.pick(words.BLOOD_GROUPS), 80),
            chance.maybe(Decimal(chance.between(31, 1290)) / 10, 90),
            # Asked and none known is the empty string; not asked is NULL.
            chance.pick((None, "", "", "Penicillin", "Latex, pollen", "Peanuts")),
            timestamp(admitted, chance.below(DAY_SECONDS)),
            chance.maybe(chance.between(101, 240), 85),
            int(chance.below(100) < 93),
        )


def appointments() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Ward.Appointment."""
    for number in range(1, APPOINTMENTS + 1):
        chance = Chance(9, number)
        on_day = FIRST_APPOINTMENT + chance.below(360)
        booked_day = on_day - chance.between(1, 40)
        booked_second = chance.between(7 * 3600, 18 * 3600)
        booked = ((booked_day - UNIX_DAY) * DAY_SECONDS + booked_second) * 1_000_000 + chance.below(1_000_000)
        confirmed = timestamp(booked_day + 1, chance.below(DAY_SECONDS)) + f".{chance.below(1000):03}".rstrip(
            "0"
        )
        yield (
            chance.between(1, PATIENTS),
            chance.maybe(chance.between(1, DOCTORS), 90),
            on_day,
            seconds(chance.between(8, 17), chance.pick((0, 10, 20, 30, 40, 50))),
            chance.pick((10, 20, 20, 30, 60)),
            chance.pick(words.REASONS),
            posixtime(booked),
            chance.maybe(confirmed.rstrip("."), 60),
            int(chance.below(100) < 8),
        )


def observations() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Ward.Observation."""
    for patient in range(1, PATIENTS + 1):
        for reading in range(1, Chance(10, patient).below(6) + 1):
            chance = Chance(11, patient, reading)
            yield (
                f"{patient}||{reading}",
                patient,
                reading,
                timestamp(FIRST_APPOINTMENT + reading, chance.below(DAY_SECONDS)),
                chance.between(48, 132),
                Decimal(chance.between(355, 403)) / 10,
                chance.maybe("Slept well", 30),
            )


__all__ = [
    "APPOINTMENTS",
    "APPOINTMENT_COLUMNS",
    "DAY_SECONDS",
    "DOCTORS",
    "DOCTOR_COLUMNS",
    "FIRST_APPOINTMENT",
    "OBSERVATION_COLUMNS",
    "PATIENTS",
    "PATIENT_COLUMNS",
    "UNIX_DAY",
    "appointments",
    "doctors",
    "observations",
    "patients",
]
