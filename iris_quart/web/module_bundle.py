"""The modules that the editor needs at once, linked into one so that a browser fetches one file and not eighty.

The source stays plain ES modules, which also run as they are: they are served so below the other prefix. Linking
needs no tool and changes no code: the body of each module becomes that of a function, in the order in which a browser
would evaluate them (ECMA-262, 16.2.1.5), its imports become constants and its exports the function's result. Lines that
hold only a comment are left out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["LINKED", "Bundle", "NotLinkable", "link"]

IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"(\.[^"]+)";$', re.MULTILINE)
REEXPORT = re.compile(r"^export \{([^}]*)\};$", re.MULTILINE)
DECLARATION = re.compile(
    r"^export (?=(?:async )?(?:function\*?|class|const) ([A-Za-z_$][\w$]*))", re.MULTILINE
)
DYNAMIC = re.compile(r'\bimport\("(\.[^"]+)"\)')
LEFT_OVER = re.compile(r"^(?:import|export)\b", re.MULTILINE)
NO_WORD = re.compile(r"\W")
NAME = re.compile(r"\s*([A-Za-z_$][\w$]*)(?: as ([A-Za-z_$][\w$]*))?\s*\Z")


LINKED = "-linked"
"""What ends the first part of an address below which the linked modules lie."""


class NotLinkable(ValueError):
    """A module is written in a way that the linker does not know."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The linked text of an entry, and what stands in place of each other module that is part of it."""

    entry: str
    text: str
    stubs: Mapping[str, str]
    """Texts of modules that pass on the exports of their linked selves, for modules that are loaded later."""


@dataclass(slots=True)
class _Module:
    """One module: its imports by target, in order, its exports and its body."""

    name: str
    imports: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)
    body: str = ""


def link(sources: Mapping[str, str], entry: str, *, apart: str) -> Bundle:
    """Link a module and what it imports; modules below the folder `apart` stay files of their own.

    Raises NotLinkable for a form of import or export that is not known, and for modules that import each other in a
    circle.
    """
    order: list[_Module] = []
    _collect(sources, entry, apart, order, [])
    # Named after their files, not numbered: a page may be older than the modules that it loads later.
    names = {module.name: "$" + NO_WORD.sub("_", module.name.removesuffix(".js")) for module in order}
    if len(set(names.values())) < len(names):
        raise NotLinkable("two modules differ only in characters that a name cannot have")
    outside: dict[str, str] = {}
    parts: list[str] = []
    for module in order:
        for target, _ in module.imports:
            if target not in names:
                outside.setdefault(target, f"x{len(outside)}")
        parts.append(_function(module, names, outside, entry))
    head = "".join(
        f'import * as {name} from "{_relative(target, entry)}";\n' for target, name in outside.items()
    )
    tail = f"export {{ {', '.join(names.values())} }};\n"
    stubs = {
        module.name: _stub(module, names[module.name], entry) for module in order if module.name != entry
    }
    return Bundle(entry, head + "".join(parts) + tail, stubs)


def _collect(
    sources: Mapping[str, str], name: str, apart: str, order: list[_Module], path: list[str]
) -> None:
    """Put the modules in the order of their evaluation: each after those that it imports."""
    if name in path:
        raise NotLinkable(f"modules import each other in a circle: {' > '.join([*path, name])}")
    if any(module.name == name for module in order):
        return
    module = _read(name, sources[name])
    for target, _ in module.imports:
        if not target.startswith(apart):
            _collect(sources, target, apart, order, [*path, name])
    order.append(module)


def _read(name: str, source: str) -> _Module:
    module = _Module(name)
    text = _without_comments(source)

    def take_import(found: re.Match[str]) -> str:
        module.imports.append((_resolve(name, found[2]), list(_names(name, found[1] or ""))))
        return ""

    def take_list(found: re.Match[str]) -> str:
        for own, exported in _names(name, found[1]):
            if own != exported:
                raise NotLinkable(f"{name} exports {own} by another name")
            module.exports.append(exported)
        return ""

    def take_declaration(found: re.Match[str]) -> str:
        module.exports.append(found[1])
        return ""

    text = IMPORT.sub(take_import, text)
    text = REEXPORT.sub(take_list, text)
    text = DECLARATION.sub(take_declaration, text)
    left_over = LEFT_OVER.search(text)
    if left_over is not None:
        raise NotLinkable(f"{name}: {text[left_over.start() :][:80]}")
    module.body = text
    return module


def _names(module: str, text: str) -> Iterator[tuple[str, str]]:
    """Split a list of imported or exported names into pairs of name and alias."""
    for part in filter(str.strip, text.split(",")):
        found = NAME.match(part)
        if found is None:
            raise NotLinkable(f"{module}: {part.strip()[:80]}")
        yield found[1], found[2] or found[1]


def _without_comments(source: str) -> str:
    """Leave out the lines that hold only a comment; kept in a module with text that goes over several lines."""
    lines: list[str] = []
    inside = False
    for line in source.split("\n"):
        text = line.strip()
        if inside or text.startswith("/*"):
            inside = "*/" not in text
            if not inside and not text.endswith("*/"):
                return source
        elif not text.startswith("//"):
            if text.replace("\\`", "").count("`") % 2:
                return source
            if text:
                lines.append(line)
    return "\n".join(lines) + "\n"


def _function(module: _Module, names: Mapping[str, str], outside: Mapping[str, str], entry: str) -> str:
    imports = "".join(
        f"const {{ {', '.join(_binding(*pair) for pair in pairs)} }} = {names.get(target) or outside[target]};\n"
        for target, pairs in module.imports
        if pairs
    )

    def rewrite(found: re.Match[str]) -> str:
        return f'import("{_relative(_resolve(module.name, found[1]), entry)}")'

    body = DYNAMIC.sub(rewrite, module.body)
    # Files that are no modules keep the address that they have without the linking.
    own = f'new URL("{_relative(module.name, entry)}", import.meta.url.replace("{LINKED}/", "/")).href'
    body = body.replace("import.meta.url", own)
    result = f"return {{ {', '.join(module.exports)} }};\n" if module.exports else ""
    return f"// {module.name}\nconst {names[module.name]} = (() => {{\n{imports}{body}{result}}})();\n"


def _binding(name: str, alias: str) -> str:
    return name if name == alias else f"{name}: {alias}"


def _stub(module: _Module, linked: str, entry: str) -> str:
    head = f'import {{ {linked} }} from "{_relative(entry, module.name)}";\n'
    return head + (f"export const {{ {', '.join(module.exports)} }} = {linked};\n" if module.exports else "")


def _resolve(module: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(module), target))


def _relative(target: str, module: str) -> str:
    path = posixpath.relpath(target, posixpath.dirname(module))
    return path if path.startswith(".") else f"./{path}"
