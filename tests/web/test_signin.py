"""Signing in and out, by form and by JSON, against the embedded IRIS."""

from __future__ import annotations

import pytest

from .conftest import CONNECT, Site, cookies, form_token, post_login


async def test_form_signs_in_and_out(site: Site) -> None:
    client = site.client()
    response = await post_login(client, namespace="samples")
    assert response.status_code == 303
    assert response.headers["Location"] == "/"
    page = await client.get("/")
    html = await page.get_data(as_text=True)
    assert page.status_code == 200
    assert 'data-user="_SYSTEM"' in html
    assert 'data-namespace="SAMPLES"' in html
    response = await client.post("/logout", form={"csrf_token": await form_token(client, "/")})
    assert response.status_code == 303
    assert response.headers["Location"] == "/login"
    assert await site.store.count() == 0
    assert (await client.get("/")).status_code == 303


async def test_json_signs_in_and_out(site: Site) -> None:
    client = await site.connected()
    body = await (await client.get("/api/session")).get_json()
    assert body["status"] == "connected"
    assert body["server"] == {"namespace": "SAMPLES", "username": "_SYSTEM"}
    assert 0 < body["timeoutRemaining"] <= 1_800_000
    assert set(body) == {"status", "server", "createdAt", "timeoutRemaining"}
    response = await client.post("/api/disconnect")
    assert await response.get_json() == {"status": "disconnected"}
    assert await (await client.get("/api/session")).get_json() == {"status": "disconnected"}
    assert (await client.post("/api/disconnect")).status_code == 200
