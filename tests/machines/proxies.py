"""The proxies of deploy/, run as they are but for names and ports, and people who come through them.

with Nginx(folder, [server.port for server in servers]) as front:
    async with front.person() as person, person.socket() as socket: ...
"""

from __future__ import annotations

import shutil
import socket as sockets
import ssl
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import httpx

from tests.atelier.certificates import make_authority
from tests.live.servers import PATIENCE, ROOT, Person, Socket, WebServer, free_port

__all__ = ["NAME", "Front", "HAProxy", "Nginx", "Visitor"]

NAME = "editor.example.org"
DEPLOY = ROOT / "deploy"
START_SECONDS = 10.0


def program(name: str) -> str:
    """Find an installed program."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    assert found is not None, f"{name} is needed: apt-get install {name}"
    return found


def replaced(text: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Replace names that must be there; one that is missing means that the file was changed."""
    for old, new in pairs:
        assert old in text, f"{old!r} is not in the file of deploy/"
        text = text.replace(old, new)
    return text


class Front(ABC):
    """A proxy with TLS before workers on ports of this machine."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = port or free_port()
        self.plain_port = free_port()
        authority = make_authority(folder, NAME)
        self.certificate = folder / "server.pem"
        self.trust = ssl.create_default_context(cafile=str(authority.ca_file))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def origin(self) -> str:
        """Give what people type."""
        return f"https://{NAME}:{self.port}"

    @property
    def url(self) -> str:
        """Give the same; Person asks for it under this name."""
        return self.origin

    @abstractmethod
    def command(self, ports: Sequence[int]) -> list[str]:
        """Write the configuration for workers on these ports, and give the command line."""

    def start(self, ports: Sequence[int]) -> None:
        """Start, and wait until it listens."""
        command = self.command(ports)
        with (self.folder / "proxy.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            with sockets.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            text = (self.folder / "proxy.log").read_text()
            assert self.process.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.02)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)

    def client(self, **options: Any) -> httpx.AsyncClient:
        """Make a browser of its own cookies."""
        transport = _ByName(self.trust, options.pop("retries", 0))
        return httpx.AsyncClient(base_url=self.origin, transport=transport, timeout=PATIENCE, **options)

    @asynccontextmanager
    async def person(
        self, user: str = "_SYSTEM", password: str = "SYS", **fields: Any
    ) -> AsyncIterator[Visitor]:
        """Open a browser and sign in through the proxy."""
        async with self.client() as client:
            visitor = Visitor(self, client)
            await visitor.sign_in(user, password, **fields)
            yield visitor


class Visitor(Person):
    """A person whose browser goes to the proxy."""

    def __init__(self, front: Front, http: httpx.AsyncClient) -> None:
        super().__init__(cast("WebServer", front), http)
        self.front = front

    @asynccontextmanager
    async def socket(
        self,
        *,
        cookies: bool = True,
        origin: str | None = None,
        query: str = "",
        base: str | None = None,
        **options: Any,
    ) -> AsyncIterator[Socket]:
        """Open a socket through the proxy, as a page of the public origin does unless told otherwise."""
        place = {"host": "127.0.0.1", "port": self.front.port, "ssl": self.front.trust}
        asked_from = origin or self.front.origin
        opening = super().socket(
            cookies=cookies, origin=asked_from, query=query, base=base, **{**place, **options}
        )
        async with opening as socket:
            yield socket


class _ByName(httpx.AsyncBaseTransport):
    """Reaches every host at 127.0.0.1 and still checks the certificate against its name."""

    def __init__(self, trust: ssl.SSLContext, retries: int) -> None:
        self._inner = httpx.AsyncHTTPTransport(verify=trust, retries=retries)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        # A request of its own: cookies are judged by the address of the one that was asked for.
        sent = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return await self._inner.handle_async_request(sent)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


class Nginx(Front):
    """deploy/nginx/iris-quart.conf in the http block of an nginx of our own, as whoever runs the tests."""

    @property
    def access_log(self) -> str:
        """Give what nginx noted of the requests."""
        return (self.folder / "access.log").read_text()

    def command(self, ports: Sequence[int]) -> list[str]:
        """Write the configuration for workers on these ports, and give the command line."""
        one, two = ports
        given = replaced(
            (DEPLOY / "nginx" / "iris-quart.conf").read_text(),
            [
                ("/etc/ssl/private/editor.example.org.key", str(self.certificate)),
                ("/etc/ssl/editor.example.org.pem", str(self.certificate)),
                ("/var/log/nginx/iris-quart.log", str(self.folder / "access.log")),
                ("/var/log/nginx/iris-quart-error.log", str(self.folder / "error.log")),
                ("return 308 https://editor.example.org$", f"return 308 https://{NAME}:{self.port}$"),
                ("listen 80;", f"listen 127.0.0.1:{self.plain_port};"),
                ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
                ("127.0.0.1:8001", f"127.0.0.1:{one}"),
                ("127.0.0.1:8002", f"127.0.0.1:{two}"),
            ],
        )
        temporary = "".join(
            f"    {kind}_temp_path {self.folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(
            f"daemon off;\npid {self.folder}/nginx.pid;\nworker_processes 2;\nerror_log stderr warn;\n"
            f"events {{ worker_connections 1024; }}\nhttp {{\n{temporary}{given}}}\n"
        )
        return [
            program("nginx"),
            "-e",
            "stderr",
            "-p",
            str(self.folder),
            "-c",
            str(self.folder / "nginx.conf"),
        ]


class HAProxy(Front):
    """deploy/haproxy/iris-quart.cfg."""

    def command(self, ports: Sequence[int]) -> list[str]:
        """Write the configuration for workers on these ports, and give the command line."""
        one, two = ports
        given = replaced(
            (DEPLOY / "haproxy" / "iris-quart.cfg").read_text(),
            [
                ("/etc/haproxy/editor.example.org.pem", str(self.certificate)),
                ("prefix https://editor.example.org ", f"prefix https://{NAME}:{self.port} "),
                # As many as the files that whoever runs the tests may open allow.
                ("maxconn 20000", "maxconn 500"),
                ("bind :80\n", f"bind 127.0.0.1:{self.plain_port}\n"),
                ("bind :443 ssl", f"bind 127.0.0.1:{self.port} ssl"),
                ("127.0.0.1:8001", f"127.0.0.1:{one}"),
                ("127.0.0.1:8002", f"127.0.0.1:{two}"),
            ],
        )
        (self.folder / "haproxy.cfg").write_text(given)
        return [program("haproxy"), "-db", "-f", str(self.folder / "haproxy.cfg")]
