"""Every pair of colours that the page uses, in both themes, against WCAG 2.2 (1.4.3 and 1.4.11)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

Colour = tuple[float, float, float, float]

TOKENS = (Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css").read_text("utf-8")
TEXT, MARK = 4.5, 3.0
PLAIN = ["bg-frame", "bg-surface", "bg-subtle", "bg-raised", "bg-hover", "bg-field"]
STATES = ["changed", "new", "deleted", "error", "conflict", "others"]
TINTS = [*(f"bg-{state}" for state in STATES), "bg-accent"]

# What is drawn, on what, the least ratio, and what lies between (the selection) or None.
PAIRS: list[tuple[str, str, float, str | None]] = [
    *((text, ground, TEXT, None) for text in ("text", "text-2", "text-3") for ground in PLAIN + TINTS),
    *(
        (text, ground, TEXT, "sel")
        for text in ("text", "text-2")
        for ground in ["bg-surface", "bg-subtle", *TINTS]
    ),
    *(("text-3", ground, TEXT, "sel") for ground in ("bg-surface", "bg-subtle")),
    *((text, "bg-press", TEXT, None) for text in ("text", "text-2")),
    *(("accent", ground, TEXT, None) for ground in [*PLAIN, "bg-accent"]),
    *(("on-accent", ground, TEXT, None) for ground in ("accent-fill", "accent-fill-hover")),
    *(
        (state, ground, TEXT, None)
        for state in STATES
        for ground in ("bg-surface", "bg-subtle", "bg-frame", "bg-raised", "bg-hover", f"bg-{state}")
    ),
    *((state, "bg-accent", TEXT, None) for state in STATES if state != "others"),
    *((state, f"bg-{state}", MARK, "sel") for state in STATES),
    *(("on-person", f"person-{number}", TEXT, None) for number in (1, 2)),
    *((f"person-{number}", "bg-surface", MARK, None) for number in (1, 2)),
    *(
        ("line-control", ground, MARK, None)
        for ground in ("bg-surface", "bg-raised", "bg-field", "bg-frame", "bg-new")
    ),
    *(("accent", ground, MARK, None) for ground in TINTS),
    ("accent", "bg-surface", MARK, "sel"),
    ("changed-mark", "bg-surface", MARK, None),
    ("ok", "bg-frame", MARK, None),
    ("ok", "bg-raised", TEXT, None),
    *(
        (f"server-{name}", "bg-frame", MARK, None)
        for name in ("grey", "green", "blue", "amber", "red", "purple")
    ),
]


def colour(text: str) -> Colour:
    """Read #rrggbb or rgb(r g b / a)."""
    if text.startswith("#"):
        red, green, blue = (int(text[at : at + 2], 16) for at in (1, 3, 5))
        return red, green, blue, 1.0
    match = re.fullmatch(r"rgb\((\d+) (\d+) (\d+) / ([.\d]+)\)", text)
    assert match is not None, text
    return int(match[1]), int(match[2]), int(match[3]), float(match[4])


def over(top: Colour, ground: Colour) -> Colour:
    """Lay a translucent colour over an opaque one."""
    red, green, blue = (top[at] * top[3] + ground[at] * (1 - top[3]) for at in range(3))
    return red, green, blue, 1.0


def luminance(of: Colour) -> float:
    """Give the relative luminance (WCAG 2.2, definitions)."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (at / 255 for at in of[:3])
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: Colour, other: Colour) -> float:
    """Give the contrast ratio of two colours, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


FOUND = re.findall(r"--([\w-]+): light-dark\((#\w+|rgb\([^)]*\)), (#\w+|rgb\([^)]*\))\);", TOKENS)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_pair_has_enough_contrast(theme: str) -> None:
    colours = {name: colour(light if theme == "light" else dark) for name, light, dark in FOUND}
    wrong = []
    for front, ground_name, least, between in PAIRS:
        ground = colours[ground_name]
        if between:
            ground = over(colours[between], ground)
        found = ratio(colours[front], ground)
        if found < least:
            wrong.append(
                f"{front} on {ground_name}{' under the selection' if between else ''}: {found:.2f} < {least}"
            )
    assert wrong == []
