"""No secret lies about: not in logs, answers, addresses or files."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from iris_quart.atelier import Credentials
from iris_quart.sessions import open_vault

from .conftest import CONNECT, Site, post_login
from .test_matrix import NEW

WRONG = "canary-wr0ng-pw"


async def test_no_secret_in_logs_answers_or_files(
    site: Site, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []

    async def hear(response: Any) -> Any:
        told.append(await response.get_data(as_text=True))
        told.append(str([header for header in response.headers if header[0].lower() != "set-cookie"]))
        return response

    client = site.client()
    await hear(await client.post("/api/connect", json=CONNECT | {"password": WRONG}))
    await hear(await client.post("/api/connect", json=CONNECT | {"password": [WRONG]}))
    await hear(await client.post("/api/connect", json=CONNECT | {"server": "nobody", "password": WRONG}))
    await hear(await post_login(client, password=WRONG))
    await hear(
        await client.post(
            "/api/connect",
            json={
                "host": "canary-host.example",
                "port": 1,
                "namespace": "X",
                "username": "u",
                "password": WRONG,
            },
        )
    )
    await hear(await client.post("/api/connect", data='{"password": "' + WRONG))
    await hear(await client.post("/api/connect", json=CONNECT))
    cookie = {item.name: item.value for item in client.cookie_jar or ()}["iris_quart"]
    assert cookie
    auth: Any = site.app.extensions["QUART_AUTH"][0]
    session_id = auth.load_token(cookie, site.app)
    ticket = (await (await client.post("/api/ticket")).get_json())["ticket"]
    for path in ("/", "/boom", "/api/session", "/api/sessions", "/table/USER/Sample.Person", "/no/such"):
        await hear(await client.get(path))
    async with site.client().websocket(f"/ws?token={ticket}") as socket:
        await socket.send('{"command": "getSession"}')
        told.append(str(await socket.receive()))
        await socket.send('{"command": "getNamespaces"}')
        told.append(str(await socket.receive()))
        await socket.send('{"command": "getServerList"}')
        told.append(str(await socket.receive()))
    secrets = {
        "wrong password": WRONG,
        "session id": session_id,
        "cookie": cookie,
        "ticket": ticket,
        "typed host": "canary-host",
        "address of IRIS": f"127.0.0.1:{site.iris.port}",
        "key": open_vault(tmp_path).signing_keys("cookie")[0],
        "form key": open_vault(tmp_path).signing_keys("forms")[0],
    }
    output = capfd.readouterr()
    logs = caplog.text + output.err + output.out
    for name, secret in secrets.items():
        assert secret not in logs, name
        assert secret not in "\n".join(told), name
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        for name in ("wrong password", "session id", "cookie", "ticket", "key", "form key"):
            assert secrets[name].encode() not in content, (file.name, name)
    assert {path.name for path in tmp_path.iterdir()} >= {"secret.key", "sessions.db"}
    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name


async def test_good_password_is_nowhere_in_clear(site: Site, tmp_path: Path) -> None:
    """The password of the demo is too short to search for; this one is not."""
    password = "canary-r1ght-pw"
    await site.store.create(NEW, Credentials("alice", SecretStr(password)))
    for path in tmp_path.iterdir():
        assert password.encode() not in path.read_bytes(), path.name
