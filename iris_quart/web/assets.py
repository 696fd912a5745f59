"""Static files under a path that carries their fingerprint, so that browsers may keep them for ever.

The fingerprint is a prefix, not a suffix: modules import each other by relative paths, and those stay inside
the prefix by themselves.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from quart import Blueprint, Quart, Response, current_app, send_from_directory, url_for

__all__ = ["assets_root", "blueprint", "init_app"]

PACKAGE = Path(__file__).resolve().parent.parent
FOREVER = 365 * 24 * 3600

blueprint = Blueprint("assets", __name__)


def assets_root() -> Path:
    """Give the folder of `templates` and `static`: inside the package in a wheel, beside it in a source tree."""
    return PACKAGE if (PACKAGE / "templates").is_dir() else PACKAGE.parent


def fingerprint(folder: Path) -> str:
    """Hash names and contents of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def init_app(app: Quart) -> None:
    """Give templates `asset(name)` and serve the versioned prefix."""
    folder = app.static_folder
    version = fingerprint(Path(folder)) if folder else "none"
    app.config["ASSETS_VERSION"] = version
    app.register_blueprint(blueprint)

    @app.template_global("asset")
    def asset(filename: str) -> str:
        return url_for("assets.versioned", version=version, filename=filename)


@blueprint.get("/static/v-<version>/<path:filename>")
async def versioned(version: str, filename: str) -> Response:
    """Serve a static file; only the version that is really served may be kept."""
    folder = current_app.static_folder
    assert folder is not None
    response = await send_from_directory(folder, filename)
    if version == current_app.config["ASSETS_VERSION"]:
        response.cache_control.no_cache = None
        response.cache_control.public = True
        response.cache_control.max_age = FOREVER
        response.cache_control.immutable = True
    return response
