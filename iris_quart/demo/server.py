"""Start and stop an embedded server on a port, in a running event loop or in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from .engine.namespace import Namespace
from .http.atelier import AtelierApp, RequestRecord
from .http.connections import Connection
from .http.faults import FaultRule
from .http.settings import DemoOptions
from .samples import open_namespaces

T = TypeVar("T")
FAREWELL_SECONDS = 2.0


class DemoServer:
    """An embedded IRIS that listens on a port.

    Use it as an asynchronous context manager, or call `start` and `stop`. With port 0 a free port is taken.
    """

    def __init__(self, options: DemoOptions, host: str = "127.0.0.1", port: int = 0) -> None:
        self.options = options
        self.host = host
        self.port = port
        self._app: AtelierApp | None = None
        self._server: asyncio.Server | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._namespaces: dict[str, Namespace] = {}
        self.connections: set[Connection] = set()

    @property
    def url(self) -> str:
        """Return the address in front of /api/atelier/."""
        return f"http://{self.host}:{self.port}{self.options.prefix}"

    @property
    def app(self) -> AtelierApp:
        """Return the ASGI application, once started."""
        if self._app is None:
            raise RuntimeError("the embedded server is not running")
        return self._app

    @property
    def log(self) -> list[RequestRecord]:
        """Return the requests seen so far, oldest first."""
        return self.app.log

    def namespace(self, name: str) -> Namespace:
        """Return the engine of a namespace, to compare the database with what was reported."""
        return self.app.namespaces[name]

    def add_fault(self, rule: FaultRule) -> FaultRule:
        """Put a fault rule in force."""
        return self.app.faults.add(rule)

    def clear_faults(self) -> None:
        """Lift every fault rule."""
        self.app.faults.clear()

    def end_sessions(self) -> None:
        """Forget every CSP session, as a restart of IRIS does."""
        self.app.sessions.end_all()

    async def settled(self) -> None:
        """Wait until every statement whose client was cut off has been applied."""
        await self.app.settled()

    async def start(self) -> None:
        """Make or open the databases and listen; raise OSError when the port is taken."""
        executor = ThreadPoolExecutor(self.options.threads, thread_name_prefix="embedded-iris")
        self._executor = executor
        loop = asyncio.get_running_loop()
        self._namespaces = await loop.run_in_executor(executor, open_namespaces, self.options)
        app = AtelierApp(self._namespaces, self.options, executor)
        try:
            server = await loop.create_server(lambda: Connection(app, self.connections), self.host, self.port)
        except OSError:
            await self._close_engine()
            raise
        self._app, self._server = app, server
        self.port = server.sockets[0].getsockname()[1]
        app.sessions.port = self.port

    async def stop(self) -> None:
        """Stop listening, let running statements end, and close the databases; stopping twice does nothing."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        tasks = [connection.task for connection in self.connections if connection.task]
        if tasks:
            await asyncio.wait(tasks, timeout=FAREWELL_SECONDS)
        for connection in list(self.connections):
            connection.close()
        await self.settled()
        await self._close_engine()

    async def _close_engine(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            await asyncio.to_thread(executor.shutdown, wait=True, cancel_futures=True)
        for namespace in self._namespaces.values():
            await asyncio.to_thread(namespace.close)

    async def __aenter__(self) -> Self:
        """Start the server."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        await self.stop()


class ThreadedDemoServer:
    """An embedded server running on an event loop in a thread of its own, for code that has none."""

    def __init__(self, server: DemoServer, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self._loop = loop

    @property
    def url(self) -> str:
        """Return the address in front of /api/atelier/."""
        return self.server.url

    @property
    def port(self) -> int:
        """Return the port."""
        return self.server.port

    @property
    def log(self) -> list[RequestRecord]:
        """Return the requests seen so far."""
        return list(self.server.log)

    def namespace(self, name: str) -> Namespace:
        """Return the engine of a namespace; it may be used from any thread."""
        return self.server.namespace(name)

    def add_fault(self, rule: FaultRule) -> FaultRule:
        """Put a fault rule in force."""
        return self.server.add_fault(rule)

    def clear_faults(self) -> None:
        """Lift every fault rule."""
        self.server.clear_faults()

    def end_sessions(self) -> None:
        """Forget every CSP session."""
        self._loop.call_soon_threadsafe(self.server.end_sessions)

    def settled(self) -> None:
        """Wait until every statement whose client was cut off has been applied."""
        self.call(self.server.settled())

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


@contextmanager
def running_in_thread(
    options: DemoOptions, host: str = "127.0.0.1", port: int = 0
) -> Iterator[ThreadedDemoServer]:
    """Run an embedded server in a thread until the block ends; raise what its start raised."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="embedded-iris-loop", daemon=True)
    thread.start()
    threaded = ThreadedDemoServer(DemoServer(options, host, port), loop)
    try:
        threaded.call(threaded.server.start())
        try:
            yield threaded
        finally:
            threaded.call(threaded.server.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


__all__ = ["FAREWELL_SECONDS", "DemoServer", "T", "ThreadedDemoServer", "running_in_thread"]
