"""Starting, stopping, persistence, concurrency and the connections themselves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from iris_quart.demo import AtelierApp, DemoOptions, DemoServer, FaultRule, running_in_thread
from iris_quart.demo.http.statements import ClientGoneError, Statement, run
from iris_quart.demo.http.users import User

if TYPE_CHECKING:
    from pathlib import Path

    from iris_quart.demo.engine.interface import ExecutionHandle
    from tests.demo.conftest import Api


async def talk(port: int, data: bytes) -> bytes:
    """Send bytes and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    received = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    return received


async def test_what_was_written_is_there_after_a_restart(directory: Path) -> None:
    options = DemoOptions(directory=directory)
    for expected in ([], [{"Number": 1}]):
        async with (
            DemoServer(options) as server,
            httpx.AsyncClient(base_url=server.url, auth=("alice", "alice")) as client,
        ):
            url = "/api/atelier/v1/USER/action/query"
            if not expected:
                await client.post(url, json={"query": "CREATE TABLE Note (Number INTEGER)"})
                await client.post(url, json={"query": "INSERT INTO Note (Number) VALUES (1)"})
            else:
                response = await client.post(url, json={"query": "SELECT Number FROM Note"})
                assert response.json()["result"]["content"] == expected


async def test_a_taken_port_is_an_error_and_stop_is_idempotent(server: DemoServer, directory: Path) -> None:
    second = DemoServer(DemoOptions(directory=directory.parent / "second"), port=server.port)
    with pytest.raises(OSError, match="address"):
        await second.start()
    await second.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = second.log


async def test_stop_lets_a_running_write_end(directory: Path) -> None:
    server = DemoServer(DemoOptions(directory=directory))
    await server.start()
    async with httpx.AsyncClient(base_url=server.url, auth=("alice", "alice")) as client:
        url = "/api/atelier/v1/USER/action/query"
        await client.post(url, json={"query": "CREATE TABLE Note (Number INTEGER)"})
        server.add_fault(FaultRule("latency", sql="INSERT", delay=0.2))
        write = asyncio.create_task(client.post(url, json={"query": "INSERT INTO Note (Number) VALUES (1)"}))
        while not server.log[-1].sql or "INSERT" not in server.log[-1].sql:
            await asyncio.sleep(0)
        await server.stop()
        assert (await write).status_code == 200


def test_it_runs_in_a_thread(directory: Path) -> None:
    with running_in_thread(DemoOptions(directory=directory)) as server:
        assert httpx.get(f"{server.url}/api/atelier/", auth=("alice", "alice")).status_code == 200
        server.add_fault(FaultRule("status", times=1))
        assert httpx.get(f"{server.url}/api/atelier/", auth=("alice", "alice")).status_code == 500
        assert [record.status for record in server.log] == [200, 500]
        server.end_sessions()
        server.settled()
        url = server.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_thread_tells_why_it_could_not_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"), running_in_thread(DemoOptions(directory=tmp_path / "file")):
        pass


def test_it_runs_alone(directory: Path) -> None:
    command = [sys.executable, "-m", "iris_quart.demo", "--port", "0", "--directory", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.split(" at ")[1].split()[0]
        assert httpx.get(url, auth=("_SYSTEM", "SYS")).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_importing_it_needs_nothing_of_the_web_server() -> None:
    code = (
        "import sys, iris_quart.demo;"
        "print([m for m in sys.modules if m.split('.')[0] in ('quart', 'pydantic', 'httpx', 'cryptography')"
        " or m in ('iris_quart.config', 'iris_quart.errors', 'iris_quart.protocol', 'iris_quart.app')])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


async def test_it_serves_as_an_asgi_application_too(server: DemoServer) -> None:
    app: AtelierApp = server.app
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://iris",
        auth=("alice", "alice"),
    ) as client:
        response = await client.post("/api/atelier/v1/USER/action/query", json={"query": "SELECT 1 AS a"})
        assert response.json()["result"] == {"content": [{"a": 1}]}
        server.add_fault(FaultRule("reset_before"))
        with pytest.raises(ConnectionResetError):
            await client.get("/api/atelier/")


async def test_many_requests_lose_no_write(server: DemoServer, notes: Api) -> None:
    cookies = []
    for _ in range(8):
        async with httpx.AsyncClient(base_url=server.url, auth=("alice", "alice")) as client:
            await client.head("/api/atelier/")
            cookies.append(dict(client.cookies))
    limits = httpx.Limits(max_connections=40)
    async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=30) as client:

        async def one(number: int) -> int:
            sql = (
                f"INSERT INTO Note (Number) VALUES ({number})"
                if number % 2
                else "SELECT COUNT(*) AS n FROM Note"
            )
            header = "; ".join(f"{name}={value}" for name, value in cookies[number % 8].items())
            response = await client.post(
                "/api/atelier/v1/USER/action/query", json={"query": sql}, headers={"Cookie": header}
            )
            assert response.json()["status"]["errors"] == []
            return response.status_code

        assert set(await asyncio.gather(*(one(number) for number in range(200)))) == {200}
    assert await notes.rows("SELECT COUNT(*) AS n, COUNT(DISTINCT Number) AS d FROM Note") == [
        {"n": 100, "d": 100}
    ]


@pytest.mark.parametrize(("sql", "reads"), [
    ("SELECT 1", True), ("  select 1", True), ("/* x */ -- y\n SELECT 1", True), ("(SELECT 1)", True),
    ("INSERT INTO t SELECT 1", False), ("UPDATE t SET a = 1", False), ("", False), ("SELECTION", False),
])  # fmt: skip
def test_only_reads_may_be_stopped(sql: str, reads: bool) -> None:
    assert Statement(sql, [], None, User("a", "b")).reads is reads


async def test_a_read_is_stopped_when_its_client_goes_away(server: DemoServer) -> None:
    started, stopped = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work(handle: ExecutionHandle) -> None:
        loop.call_soon_threadsafe(started.set)
        while not handle.interrupted:
            pass
        stopped.set()

    with pytest.raises(ClientGoneError):
        await run(server.app.executor, work, started.wait, interruptible=True)
    assert stopped.is_set()


async def test_a_client_that_closes_is_noticed_at_once(server: DemoServer, api: Api) -> None:
    await api.rows("SELECT 1 AS a")
    server.add_fault(FaultRule("hang", times=1))
    cookie = "; ".join(f"{name}={value}" for name, value in api.client.cookies.items())
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET /api/atelier/ HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode())
    while len(server.log) < 2:
        await asyncio.sleep(0)
    [task] = [connection.task for connection in server.connections if connection.task]
    writer.close()
    await writer.wait_closed()
    await asyncio.wait_for(task, 2)


async def test_a_write_runs_to_its_end_although_its_client_went_away(server: DemoServer) -> None:
    gone = asyncio.Event()
    gone.set()
    result = await run(server.app.executor, lambda handle: handle.interrupted, gone.wait, interruptible=False)
    assert result is False


async def test_keep_alive_pipelining_and_close(server: DemoServer) -> None:
    request = b"GET /api/atelier/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWxpY2U6YWxpY2U=\r\n"
    received = await talk(server.port, request + b"\r\n" + request + b"Connection: close\r\n\r\n")
    assert received.count(b"HTTP/1.1 200") == 2


async def test_a_body_in_pieces_and_expect_continue(server: DemoServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = (
        b"POST /api/atelier/v1/USER/action/query HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWxpY2U6YWxpY2U=\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n"
        b"Connection: close\r\n\r\n"
    )
    writer.write(head)
    assert await asyncio.wait_for(reader.readline(), 5) == b"HTTP/1.1 100 \r\n"
    for piece in (b'{"query":', b' "SELECT 1 AS a"}'):
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    writer.write(b"0\r\n\r\n")
    received = await asyncio.wait_for(reader.read(), 5)
    assert b'"content":[{"a":1}]' in received
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(("data", "status"), [
    (b"NONSENSE\r\n\r\n", b"400"), (b"GET / HTTP/1.1\r\n\r\n", b"400"), (os.urandom(8) + b"\r\n\r\n", b"400"),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000, b"431"),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + b"x" * (17 * 1024 * 1024), b"413"),
], ids=["nonsense", "no host", "random", "header", "body"])  # fmt: skip
async def test_broken_http_is_refused(server: DemoServer, data: bytes, status: bytes) -> None:
    def exchange() -> bytes:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(data)
            try:
                return connection.recv(100)
            except ConnectionResetError:
                return b"HTTP/1.1 413 reset"

    assert (await asyncio.to_thread(exchange)).startswith(b"HTTP/1.1 " + status)


async def test_a_client_that_leaves_in_the_middle_harms_nobody(
    server: DemoServer, client: httpx.AsyncClient
) -> None:
    for data in (b"GET /api", b"POST /api/atelier/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(data)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 5)
        writer.close()
        await writer.wait_closed()
    assert (await client.get("/api/atelier/")).status_code == 200
