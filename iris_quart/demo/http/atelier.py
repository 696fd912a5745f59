"""The Atelier REST API as an ASGI application: routes, envelope and statuses.

Sources: InterSystems' Source Code File REST API reference, the class reference of %Api.Atelier and %Atelier.REST, and
answers recorded on live servers by others; `behaviours/` says for each case which.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from iris_quart.demo.core.errors import SqlError

from . import replies
from .csp_sessions import CspSession, CspSessions, NoLicenceError
from .delivery import DroppedError, deliver, drop
from .encodings import bind_all, envelope, result_objects, result_positional
from .faults import Faults
from .replies import Reply, Request
from .statements import ClientGoneError, Statement, execute, run
from .users import Users

if TYPE_CHECKING:
    from iris_quart.demo.engine.interface import ExecutionHandle, Result
    from iris_quart.demo.engine.namespace import Namespace

    from .connections import Receive, Scope, Send
    from .faults import FaultRule, Struck
    from .settings import DemoOptions
    from .users import User

logger = logging.getLogger("iris_quart.demo")

FIRST_API_WITH_MAX = 6
VERSION_SEGMENT = re.compile(r"v([1-9][0-9]?)")
POSITIVE = re.compile(r"[1-9][0-9]*")
LOGOUTS = ("CacheLogout", "IRISLogout")
INSTANCE_ID = "7B1E3F52-4C1D-4E0A-9C55-1D5C6B6F2A10"
LOG_LIMIT = 10_000


@dataclass
class RequestRecord:
    """What is remembered of one request; `applied` tells that its statement ran to its end."""

    method: str
    path: str
    sql: str | None = None
    parameters: list[Any] = field(default_factory=list)
    session: str | None = None
    user: str | None = None
    status: int | None = None  # None: no answer was given
    applied: bool = False


class AtelierApp:
    """Answer the Atelier REST API from engine namespaces."""

    def __init__(self, namespaces: Mapping[str, Namespace], options: DemoOptions, executor: Executor) -> None:
        self.namespaces = namespaces
        self.options = options
        self.users = Users(options.users)
        self.sessions = CspSessions(options.licences, options.session_timeout, options.licence_grace)
        self.sessions.path = f"{options.prefix}/api/atelier/"
        self.faults = Faults()
        self.log: list[RequestRecord] = []
        self.api = 8 if (options.release.year, options.release.minor) >= (2023, 3) else 7
        self.executor = executor
        self.prefix = tuple(part for part in f"{options.prefix}/api/atelier".split("/") if part)
        self.late: set[asyncio.Task[None]] = set()  # statements that apply after their client was cut off

    async def settled(self) -> None:
        """Wait until every statement whose client was cut off has been applied."""
        while self.late:
            await asyncio.gather(*self.late, return_exceptions=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        request = await replies.read_request(scope, receive, self._segments(scope))
        record = RequestRecord(request.method, request.path, request.sql, request.parameters)
        self._remember(record)
        struck = self.faults.strike(f"{request.path}?{request.query_text}", request.sql)
        exchange = Exchange(self, request, record, struck, receive)
        try:
            reply = await exchange.answer()
        except (ClientGoneError, DroppedError):
            return
        except ConnectionResetError:
            raise
        except Exception:
            logger.exception("the embedded server failed on %s %s", request.method, request.path)
            reply = replies.failure(500, 5002, "ObjectScript error: <INTERNAL>")
        record.status = reply.status
        await deliver(reply, struck, request, send)

    def _segments(self, scope: Scope) -> tuple[str, ...]:
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        return tuple(unquote_to_bytes(part).decode("utf-8", "replace") for part in raw.split(b"/")[1:])

    def _remember(self, record: RequestRecord) -> None:
        self.log.append(record)
        if len(self.log) > LOG_LIMIT:
            del self.log[: LOG_LIMIT // 2]

    @staticmethod
    async def _lifespan(receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await send({"type": "lifespan.shutdown.complete"})
                return


class Exchange:
    """One request on its way to its answer."""

    def __init__(
        self, app: AtelierApp, request: Request, record: RequestRecord, struck: Struck, receive: Receive
    ) -> None:
        self.app = app
        self.request = request
        self.record = record
        self.struck = struck
        self._receive = receive

    async def answer(self) -> Reply:
        """Return the reply; raise DroppedError or ClientGoneError when there is none."""
        prefix = self.app.prefix
        if self.request.segments[: len(prefix)] != prefix:
            return replies.page(404, "Not Found")
        rest = self.request.segments[len(prefix) :]
        if rule := self.struck.before_sign_in():
            return await self._spoil(rule)
        signed_in = self._sign_in()
        if isinstance(signed_in, Reply):
            return signed_in
        session, is_new = signed_in
        self.record.session, self.record.user = session.id, session.user.name
        session.in_use += 1
        try:
            async with session.turn:
                reply = await self._dispatch(session.user, rest)
        finally:
            session.in_use -= 1
            self.app.sessions.touch(session)
            if any(self.request.query.get(name) == "end" for name in LOGOUTS):
                self.app.sessions.end(session)
        if is_new:
            cookies = (value.encode("latin-1") for value in self.app.sessions.cookies(session))
            reply = reply.with_headers(*((b"set-cookie", value) for value in cookies))
        return reply

    def _sign_in(self) -> tuple[CspSession, bool] | Reply:
        """Look up or open the session; a request without a session cookie opens a new one."""
        sessions = self.app.sessions
        session = sessions.find(self.request.headers.get("cookie", ""))
        if session and self.struck.get("cookie_loss"):
            sessions.end(session)
            session = None
        authorization = self.request.headers.get("authorization")
        user = self.app.users.authenticate(authorization) if authorization else None
        if authorization and user is None:
            return replies.unauthorized()
        if session and (user is None or user == session.user):
            sessions.touch(session)
            return session, False
        if user is None:
            return replies.unauthorized()
        if not user.development:
            return replies.page(403, "Forbidden", "%Development:U required")
        try:
            return sessions.open(user), True
        except NoLicenceError:
            return replies.no_licence()

    async def _dispatch(self, user: User, rest: tuple[str, ...]) -> Reply:
        request = self.request
        accept = request.headers.get("accept", "*/*")
        if "*/*" not in accept and "application/json" not in accept:
            return replies.page(406, "Not Acceptable")
        if rest == ("",):
            return (
                self._server(user)
                if request.method in {"GET", "HEAD"}
                else replies.page(405, "Method Not Allowed")
            )
        version = VERSION_SEGMENT.fullmatch(rest[0]) if rest else None
        if version is None or int(version[1]) > self.app.api or len(rest) < 2 or not rest[1]:
            return replies.page(404, "Not Found")
        name = rest[1]
        if name not in self.app.namespaces:
            return Reply(404, content_type=replies.HTML)
        if not user.may_open(name):
            return replies.page(403, "Forbidden")
        if len(rest) == 2:
            if request.method not in {"GET", "HEAD"}:
                return replies.page(405, "Method Not Allowed")
            return self._namespace(name)
        if rest[2:] != ("action", "query"):
            return replies.page(404, "Not Found")
        if request.method != "POST":
            return replies.page(405, "Method Not Allowed")
        return await self._query(user, self.app.namespaces[name], int(version[1]))

    def _server(self, user: User) -> Reply:
        release = self.app.options.release
        return replies.content(
            {
                "version": release.version_text,
                "id": INSTANCE_ID,
                "api": self.app.api,
                "features": [
                    {"name": "DEEPSEE", "enabled": False},
                    {"name": "ENSEMBLE", "enabled": False},
                    {"name": "HEALTHSHARE", "enabled": False},
                ],
                "namespaces": [name for name in self.app.namespaces if user.may_open(name)],
            }
        )

    def _namespace(self, name: str) -> Reply:
        database = "IRISSYS" if name == "%SYS" else name
        return replies.content(
            {
                "name": name,
                "db": [{"name": database, "crhash": "5046B9BF0DE", "default": True}],
                "features": [{"name": "ENSEMBLE", "enabled": False}],
            }
        )

    async def _query(self, user: User, namespace: Namespace, version: int) -> Reply:
        request = self.request
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            return replies.page(415, "Unsupported Media Type")
        if request.malformed or not isinstance(request.payload, dict):
            return replies.failure(400, 16002, "Invalid JSON Content")
        max_rows: int | None = None
        positional = False
        if version >= FIRST_API_WITH_MAX:
            if request.query.get("positional", "0") not in {"0", "1"}:
                return replies.failure(400, 5001, "positional must be 1 or 0")
            positional = request.query.get("positional") == "1"
            if POSITIVE.fullmatch(limit := request.query.get("max", "")):
                max_rows = min(int(limit[:18]), 2**31 - 1)
        encoding = self.app.options.encoding
        try:
            values = bind_all(request.payload.get("parameters"), encoding)
        except TypeError as error:
            return replies.failure(400, 5001, str(error))
        statement = Statement(request.sql or "", values, max_rows, user)
        if rule := self.struck.get("sqlcode"):
            return replies.sql_error(SqlError(rule.sqlcode, rule.text), with_params=encoding.error_params)
        if rule := self.struck.get("late"):
            self._apply_later(namespace, statement, rule)
            await drop(request, "reset")
        if rule := self.struck.get("latency"):
            await asyncio.sleep(rule.delay)
        reply = await self._execute(namespace, statement, positional=positional)
        if self.struck.get("reset_after"):
            await drop(request, "reset")
        if self.struck.get("close_after"):
            await drop(request, "close")
        if rule := self.struck.get("status_after"):
            return replies.page(rule.status or 504, "Gateway Timeout")
        return reply

    async def _execute(self, namespace: Namespace, statement: Statement, *, positional: bool) -> Reply:
        app, record = self.app, self.record
        shape = result_positional if positional else result_objects

        def work(handle: ExecutionHandle) -> Reply:
            try:
                result: Result = execute(namespace, statement, app.options, handle)
            except SqlError as error:
                return replies.sql_error(error, with_params=app.options.encoding.error_params)
            record.applied = True
            return Reply(200, envelope(shape(result, app.options.encoding)))

        return await run(app.executor, work, self._gone, interruptible=statement.reads)

    def _apply_later(self, namespace: Namespace, statement: Statement, rule: FaultRule) -> None:
        async def apply() -> None:
            await asyncio.sleep(rule.delay)
            await self._execute(namespace, statement, positional=False)

        task = asyncio.create_task(apply())
        self.app.late.add(task)
        task.add_done_callback(self.app.late.discard)

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _spoil(self, rule: FaultRule) -> Reply:
        if rule.delay:
            await asyncio.sleep(rule.delay)
        match rule.kind:
            case "reset_before":
                await drop(self.request, "reset")
            case "close_before":
                await drop(self.request, "close")
            case "hang":
                await self._gone()
                raise DroppedError
            case "unauthorized":
                if session := self.app.sessions.find(self.request.headers.get("cookie", "")):
                    self.app.sessions.end(session)
                return replies.unauthorized()
            case "forbidden":
                return replies.page(403, "Forbidden")
            case "licence":
                return replies.no_licence()
            case "redirect":
                return Reply(302, b"", replies.HTML, ((b"location", b"/csp/sys/%25CSP.Login.cls"),))
            case "html":
                return replies.page(200, "Login", "Please sign in to the proxy.")
            case _:
                return replies.page(rule.status or 500, "Server Error")
        raise AssertionError(rule.kind)


__all__ = [
    "FIRST_API_WITH_MAX",
    "INSTANCE_ID",
    "LOGOUTS",
    "LOG_LIMIT",
    "POSITIVE",
    "VERSION_SEGMENT",
    "AtelierApp",
    "Exchange",
    "RequestRecord",
    "logger",
]
