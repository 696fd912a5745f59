"""Static files under a path that carries their fingerprint, so that browsers may keep them for ever.

The fingerprint is a prefix, not a suffix: modules import each other by relative paths, and those stay inside
the prefix by themselves. All files are read once, at the start: what is served is what was hashed, and no
address ever reaches the file system.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path

from quart import Blueprint, Quart, Response, abort, current_app, request, url_for

from iris_quart import logs

from .module_bundle import LINKED, Bundle, NotLinkable, link

__all__ = ["Assets", "assets_root", "blueprint", "init_app"]

PACKAGE = Path(__file__).resolve().parent.parent
EXTENSION = "iris_quart.assets"
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/plain; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
"""Not asked of the system, whose table differs from machine to machine."""
COMPRESSED = {".css", ".js", ".json", ".mjs", ".svg", ".txt"}
COMPRESS_FROM = 512
IMPORT = re.compile(
    r"""^(?:import|export)\b[^"';]*?\bfrom\s*["'](\.[^"']+)["']|^import\s*["'](\.[^"']+)["']""", re.MULTILINE
)
"""A static import at the start of a line; one made with import() is meant to come later."""

ENTRY = "js/main.js"
"""The editor's first module, which is linked with what it imports."""
VENDOR = "vendor/"

blueprint = Blueprint("assets", __name__)

log = logs.get_logger(__name__)


@dataclass
class _File:
    content: bytes
    media_type: str
    etag: str
    compressible: bool
    _compressed: bytes | None = field(default=None, init=False)

    def compressed(self) -> bytes:
        """Compress once, when first asked for."""
        if self._compressed is None:
            self._compressed = gzip.compress(self.content, 9, mtime=0)
        return self._compressed


class Assets:
    """The files of a folder, and the version that all of them make together."""

    def __init__(self, folder: Path, entry: str | None = None) -> None:
        """Read the files; `entry` is a module that is also served linked with what it imports."""
        self._files: dict[str, _File] = {}
        digest = hashlib.sha256()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name, content = path.relative_to(folder).as_posix(), path.read_bytes()
            digest.update(f"{name} {len(content)} ".encode())
            digest.update(content)
            self._files[name] = _file(name, content)
        self._linked = self._link(entry) if entry is not None else {}
        for name, file in self._linked.items():
            digest.update(f"{name} {file.etag} ".encode())
        self.version = digest.hexdigest()[:12]
        self._graphs: dict[str, tuple[str, ...]] = {}

    def _link(self, entry: str) -> dict[str, _File]:
        """Link the modules of an entry; without them linked the page works as well, with more requests."""
        sources = {name: file.content.decode() for name, file in self._files.items() if name.endswith(".js")}
        try:
            bundle: Bundle = link(sources, entry, apart=VENDOR)
        except NotLinkable as error:
            log.warning("modules are served one by one", reason=str(error))
            return {}
        texts = {entry: bundle.text, **bundle.stubs}
        return {name: _file(name, text.encode()) for name, text in texts.items()}

    def address(self, filename: str, *, linked: bool = False) -> str:
        """Return the version and name of a file for an address; `linked` is for modules that the editor loads."""
        version = f"{self.version}{LINKED}" if linked and self._linked else self.version
        return url_for("assets.versioned", version=version, filename=filename)

    def module_graph(self, entry: str) -> tuple[str, ...]:
        """Name the modules that a module imports, directly or not, without itself; found once for each.

        A browser learns of an import only when it has read the module that makes it, so each level of the graph
        costs a round trip, unless the page names them all (HTML Standard, link type modulepreload).
        """
        if entry not in self._graphs:
            found, seen = [entry], {entry}
            for name in found:  # it grows while it is walked
                file = self._linked.get(name) or self._files[name]
                for match in IMPORT.finditer(file.content.decode()):
                    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), match[1] or match[2]))
                    if target in self._files and target not in seen:
                        seen.add(target)
                        found.append(target)
            self._graphs[entry] = tuple(found[1:])
        return self._graphs[entry]

    def serve(self, filename: str, version: str | None) -> Response:
        """Answer with a file; only the version that is really served may be kept."""
        file = self._files.get(filename)
        if file is None:
            abort(404)
        current = version == self.version
        if version is not None and version.endswith(LINKED):
            file = self._linked.get(filename, file)
            current = version == f"{self.version}{LINKED}"
        headers = {"ETag": file.etag, "Cache-Control": FOREVER if current else ASK_AGAIN}
        if file.compressible:
            headers["Vary"] = "Accept-Encoding"
        if request.if_none_match.contains_weak(file.etag.strip('"')):
            return Response(b"", 304, headers)
        content = file.content
        if file.compressible and request.accept_encodings["gzip"] > 0:
            content = file.compressed()
            headers["Content-Encoding"] = "gzip"
        return Response(content, 200, headers, content_type=file.media_type)


def _file(name: str, content: bytes) -> _File:
    suffix = Path(name).suffix.lower()
    return _File(
        content,
        TYPES.get(suffix, "application/octet-stream"),
        f'"{hashlib.sha256(content).hexdigest()[:16]}"',
        suffix in COMPRESSED and len(content) >= COMPRESS_FROM,
    )


def assets_root() -> Path:
    """Return the folder of `templates` and `static`: inside the package in a wheel, beside it in a source tree."""
    return PACKAGE if (PACKAGE / "templates").is_dir() else PACKAGE.parent


def init_app(app: Quart) -> None:
    """Return templates `asset` and `module_graph`; serve the files with and without a version in their address."""
    assets = Assets(assets_root() / "static", ENTRY)
    app.extensions[EXTENSION] = assets
    app.view_functions["static"] = plain
    app.register_blueprint(blueprint)

    app.add_template_global(assets.address, "asset")

    app.add_template_global(assets.module_graph, "module_graph")


def _assets() -> Assets:
    assets = current_app.extensions[EXTENSION]
    assert isinstance(assets, Assets)
    return assets


async def plain(filename: str) -> Response:
    """Serve a static file by its plain address."""
    return _assets().serve(filename, None)


@blueprint.get("/static/v-<version>/<path:filename>")
async def versioned(version: str, filename: str) -> Response:
    """Serve a static file of a version; another one's address gets the file of today, not to be kept."""
    return _assets().serve(filename, version)
