"""Rows of the inventory of USER."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from iris_quart.demo.core.conversions import Value
from iris_quart.demo.samples import words
from iris_quart.demo.samples.chance import Chance, day, timestamp

WAREHOUSES = ("EAST", "WEST", "NORTH", "SOUTH", "ÅRHUS")

WAREHOUSE_COLUMNS = ("Code", "City", "Opened")
ITEM_COLUMNS = ("Sku", "Name", "UnitPrice", "Weight", "Discontinued")
STOCK_COLUMNS = ("Warehouse", "Sku", "Quantity", "CountedOn")
MOVEMENT_COLUMNS = ("Warehouse", "Sku", "Change", "MovedAt")
COUNTED = day(2026, 6, 30)


def sku(number: int) -> str:
    """Name an item; some begin with zeros, which must not be lost."""
    return f"{number * 7919 % 1_000_000:06}"


def warehouses() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Inventory.Warehouse."""
    for number, code in enumerate(WAREHOUSES):
        chance = Chance(12, number)
        yield code, words.CITIES[number][0], day(chance.between(1980, 2020), chance.between(1, 12), 1)


def items() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Inventory.Item."""
    for number, item in enumerate(words.ITEMS, 1):
        chance = Chance(13, number)
        price = Decimal(chance.between(5, 250_000)) / 100
        yield (
            sku(number),
            item,
            chance.maybe(price, 95),
            chance.between(1, 20_000) / 1000,
            int(chance.below(10) == 0),
        )


def stock() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Inventory.Stock."""
    for place, code in enumerate(WAREHOUSES):
        for number in range(1, len(words.ITEMS) + 1):
            chance = Chance(14, place, number)
            if chance.below(100) < 80:
                yield code, sku(number), chance.between(0, 5000), chance.maybe(COUNTED - chance.below(90), 90)


def movements() -> Iterator[tuple[Value, ...]]:
    """Create the rows of Inventory.Movement."""
    stocked = [row[:2] for row in stock()]
    for number in range(1, 151):
        chance = Chance(15, number)
        moved = timestamp(COUNTED + chance.below(120), chance.below(86_400))
        yield *chance.pick(stocked), chance.between(-200, 400) or 1, moved


__all__ = [
    "COUNTED",
    "ITEM_COLUMNS",
    "MOVEMENT_COLUMNS",
    "STOCK_COLUMNS",
    "WAREHOUSES",
    "WAREHOUSE_COLUMNS",
    "items",
    "movements",
    "sku",
    "stock",
    "warehouses",
]
