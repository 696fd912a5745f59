"""Over true TLS: Secure cookies, HSTS, and a socket with them."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import hypercorn.asyncio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypercorn.config import Config
from websockets.asyncio.client import connect

from iris_quart.app import create_app
from iris_quart.config import ServerSettings
from iris_quart.demo import DemoServer

from .conftest import CONNECT, make_settings


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return paths


@pytest.fixture(params=[True, False], ids=["with public_origin", "without"])
async def served(
    tmp_path: Path, iris: DemoServer, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[str, ssl.SSLContext]]:
    """The application behind Hypercorn with TLS: its origin, and a context that trusts it."""
    certificate, key = make_certificate(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    origin = f"https://localhost:{port}"
    servers = {"demo": ServerSettings(url=iris.url)}
    public = {"public_origin": origin} if request.param else {}
    app = create_app(make_settings(tmp_path / "instance", servers=servers, **public))
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.certfile, config.keyfile, config.errorlog = str(certificate), str(key), None
    stop = asyncio.Event()
    serve: Any = hypercorn.asyncio.serve
    task = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
    context = ssl.create_default_context(cafile=str(certificate))
    async with httpx.AsyncClient(verify=context, trust_env=False) as client, asyncio.timeout(10):
        while True:
            try:
                await client.get(f"{origin}/livez")
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
    yield origin, context
    stop.set()
    await asyncio.wait_for(task, 15)


@pytest.mark.live
async def test_sign_in_page_and_socket(served: tuple[str, ssl.SSLContext]) -> None:
    origin, context = served
    async with httpx.AsyncClient(verify=context, base_url=origin, trust_env=False) as client:
        form = await client.get("/login")
        others = form.headers.get_list("Set-Cookie")
        assert others
        assert all(other.startswith("__Host-iris_quart_") and "; Secure" in other for other in others)
        response = await client.post("/api/connect", json=CONNECT, headers={"Origin": origin})
        assert response.status_code == 200, response.text
        (cookie,) = response.headers.get_list("Set-Cookie")
        assert cookie.startswith("__Host-iris_quart=")
        assert "; Secure" in cookie
        page = await client.get("/")
        assert page.status_code == 200
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert (
            f"connect-src 'self' {origin.replace('https', 'wss')}; "
            in page.headers["Content-Security-Policy"]
        )
        assert (
            await client.put("/api/theme", json={"theme": "dark"}, headers={"Origin": origin})
        ).status_code == 200
        sent = {"Cookie": cookie.split(";")[0]}
        address = origin.replace("https", "wss") + "/ws"
        async with connect(address, ssl=context, origin=origin, additional_headers=sent, proxy=None) as ws:  # type: ignore[arg-type]
            await ws.send('{"command": "getSession"}')
            assert "_SYSTEM" in str(await asyncio.wait_for(ws.recv(), 5))


@pytest.mark.live
async def test_http_2_is_not_agreed(served: tuple[str, ssl.SSLContext]) -> None:
    """Its streams have buffers of their own, which none of our bounds on slow readers and dead peers reach."""
    origin, context = served
    context.set_alpn_protocols(["h2", "http/1.1"])
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(origin.rpartition(":")[2]), ssl=context, server_hostname="localhost"
    )
    agreed = writer.get_extra_info("ssl_object").selected_alpn_protocol()
    writer.close()
    assert agreed == "http/1.1"
    assert reader is not None
