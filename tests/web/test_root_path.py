"""The application below a path of its host."""

from __future__ import annotations

from typing import Any

from .conftest import CONNECT, Site

BELOW = {"root_path": "/iris"}


async def test_all_addresses_stay_below(site: Site) -> None:
    client: Any = site.client()
    response = await client.get("/iris/table/SAMPLES/Sample.Person", scope_base=BELOW)
    assert response.status_code == 303
    assert response.headers["Location"] == "/iris/login?next=/iris/table/SAMPLES/Sample.Person"
    page = await client.get(response.headers["Location"], scope_base=BELOW)
    html = await page.get_data(as_text=True)
    assert 'name="next" value="/iris/table/SAMPLES/Sample.Person"' in html
    assert 'src="/iris/static/v-' in html
    token = html.split('name="csrf_token" value="')[1].split('"')[0]
    form = {
        "server": "demo",
        "username": CONNECT["username"],
        "password": CONNECT["password"],
        "csrf_token": token,
    }
    for wanted, expected in (
        ("/iris/table/SAMPLES/Sample.Person", "/iris/table/SAMPLES/Sample.Person"),
        ("/evil", "/iris/"),
        ("//evil.example", "/iris/"),
        ("", "/iris/"),
    ):
        response = await client.post("/iris/login", form=form | {"next": wanted}, scope_base=BELOW)
        assert (response.status_code, response.headers["Location"]) == (303, expected)
    html = await (await client.get("/iris/", scope_base=BELOW)).get_data(as_text=True)
    assert 'data-socket="/iris/ws"' in html
    assert 'data-logout="/iris/logout"' in html
    response = await client.post("/iris/logout", form={"csrf_token": token}, scope_base=BELOW)
    assert response.headers["Location"] == "/iris/login"


async def test_nothing_answers_above(site: Site) -> None:
    client: Any = site.client()
    assert (await client.get("/login", scope_base=BELOW)).status_code == 404
