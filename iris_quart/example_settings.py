"""Generate `instance/config.example.toml` from the settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from .config import PREFIX, ServerSettings, Settings

__all__ = ["example_text", "write"]

HEAD = f"""\
# Settings of iris-quart. Copy this file to config.toml beside it and change what you need.
# Every line shows the default, or an example where there is none. A variable of the environment, {PREFIX}
# and the name in capitals, wins over this file. Unknown names stop the start. `iris-quart check` says whether
# everything is right.
"""
SERVER = """
# One table for each IRIS server that people may sign in to; `demo` is the name they choose.
# [servers.demo]
"""
BOUNDS = {Ge: ("ge", "at least"), Gt: ("gt", "more than"), Le: ("le", "at most"), Lt: ("lt", "less than")}
WIDTH = 108
EXAMPLES: dict[str, Any] = {
    "blueprints": ("our_package.commands:notes",),
    "public_origin": "https://editor.example.org",
    "url": "http://127.0.0.1:52773",
    "label": "Demo",
    "colour": "green",
    "namespaces": ("USER", "SAMPLES"),
    "ca_file": "/etc/ssl/certs/our-authority.pem",
}
"""For settings that have no default, or none that says anything."""


def write(root: Path | None = None) -> Path:
    """Write the file into `instance/` of the source tree and return its path."""
    path = (root or Path(__file__).resolve().parent.parent) / "instance" / "config.example.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(example_text(), encoding="utf-8")
    return path


def example_text() -> str:
    """Return the text of the file."""
    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        if name not in {"instance", "servers"}:
            lines += ["", *_describe(field), _line(name, field)]
    lines.append(SERVER.rstrip())
    for name, field in ServerSettings.model_fields.items():
        lines += [*_describe(field), _line(name, field)]
    return "\n".join(lines) + "\n"


def _line(name: str, field: FieldInfo) -> str:
    value = EXAMPLES[name] if name in EXAMPLES else field.get_default()
    return f"# {name} = {_toml(value)}"


def _describe(field: FieldInfo) -> Iterator[str]:
    text = field.description or ""
    bounds = [
        f"{words} {getattr(bound, attribute)}"
        for bound in field.metadata
        for kind, (attribute, words) in BOUNDS.items()
        if isinstance(bound, kind)
    ]
    if bounds:
        text += f" ({', '.join(bounds)})"
    line = "#"
    for word in text.split():
        if len(line) + len(word) >= WIDTH:
            yield line
            line = "#"
        line += f" {word}"
    yield line


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)
