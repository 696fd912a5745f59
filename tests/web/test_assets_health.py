"""Static files with fingerprints, and the health routes."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from iris_quart.errors import StoreUnavailable
from iris_quart.web.assets import Assets

from .conftest import Site


async def test_pages_ask_for_versioned_files_and_get_them(site: Site) -> None:
    client = site.client()
    html = await (await client.get("/login")).get_data(as_text=True)
    addresses = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', html))
    assert len(addresses) > 3
    for address in addresses:
        assert re.match(r"/static/v-[0-9a-f]{12}/", address)
        response = await client.get(address)
        assert response.status_code == 200, address
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_every_module_that_is_imported_is_there(site: Site) -> None:
    """Relative imports stay inside the versioned prefix."""
    client = await site.connected()
    html = await (await client.get("/")).get_data(as_text=True)
    (main,) = re.findall(r'<script type="module" src="([^"]+)"', html)
    todo: list[str] = [main]
    seen: set[str] = set()
    later: set[str] = set()
    at_once: set[str] = set()
    while todo:
        address = todo.pop()
        response = await client.get(address)
        assert response.status_code == 200, address
        assert response.mimetype in {"text/javascript", "application/javascript"}
        seen.add(address)
        text = await response.get_data(as_text=True)
        for lazy, relative in re.findall(r"""(?:from|import)\s*(\(?)["'](\.[^"']+)["']""", text):
            target = str(Path(address).parent / relative)
            while "/../" in target:
                target = re.sub(r"/[^/]+/\.\./", "/", target, count=1)
            if lazy:
                later.add(target)
            elif target not in seen:
                todo.append(target)
        if not todo:
            # What is loaded on demand comes last, with its own imports, and is not preloaded.
            at_once = at_once or set(seen)
            todo = sorted(later - seen)
    assert len(seen) > 10
    preloaded = re.findall(r'<link rel="modulepreload" href="([^"]+)"', html)
    assert set(preloaded) == at_once - {main}
    assert len(preloaded) == len(set(preloaded))


def test_the_graph_of_modules_holds_what_comes_with_the_first_one(tmp_path: Path) -> None:
    modules = {
        "main.js": 'import { a } from "./parts/a.js";\nimport "./side.js";\n',
        "parts/a.js": 'import {\n  b,\n} from "../b.js";\nexport { main } from "../main.js";\nimport("./later.js");\n',
        "b.js": '// import "./comment.js"\nexport * from "./side.js";\nimport { none } from "./missing.js";\n',
        "side.js": "export const side = 1;\n",
        "parts/later.js": "",
        "comment.js": "",
    }
    for name, text in modules.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assets = Assets(tmp_path)
    assert assets.module_graph("main.js") == ("parts/a.js", "side.js", "b.js")
    assert assets.module_graph("side.js") == ()


async def test_other_versions_are_served_but_not_kept(site: Site) -> None:
    for path in ("/static/v-000000000000/css/base.css", "/static/css/base.css"):
        response = await site.client().get(path)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["../pyproject.toml", "..%2fpyproject.toml", "%2e%2e/pyproject.toml", "/etc/passwd", "css", "a" * 5000],
)
async def test_nothing_outside_the_folder(site: Site, path: str) -> None:
    for prefix in ("/static/", "/static/v-x/"):
        response = await site.client().get(prefix + path)
        assert response.status_code in {303, 308, 400, 404}
        assert b"project" not in await response.get_data(as_text=False)


def test_version_follows_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    first = Assets(tmp_path).version
    assert Assets(tmp_path).version == first
    (tmp_path / "a").write_text("two")
    second = Assets(tmp_path).version
    (tmp_path / "a").rename(tmp_path / "b")
    assert len({first, second, Assets(tmp_path).version}) == 3


async def test_large_files_travel_compressed_to_those_who_take_it(site: Site) -> None:
    client = site.client()
    path = "/static/vendor/slickgrid/slickgrid.js"
    plain = await client.get(path)
    packed = await client.get(path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    body = await packed.get_data(as_text=False)
    assert gzip.decompress(body) == await plain.get_data(as_text=False)
    assert len(body) * 3 < int(plain.headers["Content-Length"])
    refused = await client.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers


async def test_known_files_are_not_sent_again(site: Site) -> None:
    client = site.client()
    first = await client.get("/static/css/base.css")
    again = await client.get("/static/css/base.css", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, await again.get_data(as_text=False)) == (304, b"")


async def test_health_in_the_ancestors_shape(site: Site) -> None:
    await site.connected()
    body = await (await site.client().get("/health")).get_json()
    assert body["status"] == "ok"
    assert body["connections"] == 1
    assert isinstance(body["uptime"], int)
    assert set(body) == {"status", "uptime", "connections"}


async def test_ready_until_the_store_is_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.client()
    assert (await client.get("/readyz")).status_code == 200
    assert (await client.get("/livez")).status_code == 200

    async def away(*_: object) -> int:
        raise StoreUnavailable("away")

    async def not_healthy() -> bool:
        return False

    monkeypatch.setattr(site.store, "healthy", not_healthy)
    monkeypatch.setattr(site.store, "count", away)
    assert await (await client.get("/readyz")).get_json() == {"status": "unavailable", "reason": "store"}
    assert (await client.get("/health")).status_code == 503
    assert (await client.get("/livez")).status_code == 200


async def test_without_the_store_nobody_gets_in_and_is_told_why(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await site.connected()

    async def away(*_: object) -> None:
        raise StoreUnavailable("The session store does not answer. Try again in a moment.")

    monkeypatch.setattr(site.store, "get", away)
    response = await client.get("/api/sessions")
    assert response.status_code == 503
    assert (await response.get_json())["code"] == "STORE_UNAVAILABLE"
    page = await client.get("/")
    assert page.status_code == 503
    assert "session store does not answer" in await page.get_data(as_text=True)


async def test_sign_out_takes_the_cookie_even_without_the_store(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await site.connected()

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(site.store, "get", away)
        patch.setattr(site.store, "end", away)
        response = await client.post("/api/disconnect")
    assert response.status_code == 503
    (cookie,) = response.headers.getlist("Set-Cookie")
    assert cookie.startswith("iris_quart=;")
    assert (await (await client.get("/api/session")).get_json())["status"] == "disconnected"
