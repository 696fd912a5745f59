"""The editor's page: a shell that opens the socket, at `/` and at the address of a table."""

from __future__ import annotations

from collections.abc import AsyncIterator

from quart import Blueprint, Response, render_template, request, url_for

from iris_quart import __version__
from iris_quart.names import namespace_name, table_name
from iris_quart.protocol import encode_json
from iris_quart.services import services

from .csrf import form_token
from .current_session import slide
from .first_query import FirstQuery
from .first_rows import ROWS_HERE, FirstRows
from .security import csp_nonce, require_session
from .theme import theme
from .url_paths import path_parts

__all__ = ["blueprint"]

blueprint = Blueprint("editor", __name__)

PAGE_SIZE = 100


@blueprint.get("/")
async def editor() -> Response:
    """Show the editor."""
    return await _page(None, None)


@blueprint.get("/table/<path:address>")
async def table(address: str) -> Response:
    """Show the editor with a table open; whether the table exists is for the socket to say."""
    namespace, name = path_parts("/table/", 2)
    return await _page(namespace_name(namespace), table_name(name))


async def _page(namespace: str | None, table: str | None) -> Response:
    session_id, session = await require_session()
    await slide(session)
    rows: FirstRows | None = None
    if namespace is not None and table is not None:
        query = FirstQuery.of(namespace, table, request.args)
        rows = FirstRows(services(), session_id, session, query)
    settings = services().settings
    server = settings.servers.get(session.server)
    all_read_only = (
        session.read_only or settings.read_only or (server is not None and server.read_only is True)
    )
    page_settings = {
        "page_size": min(PAGE_SIZE, settings.page_size_max),
        "drafts": settings.drafts,
        "version": __version__,
        "demo": bool(services().demo_users),
        "message_bytes_max": settings.message_bytes_max,
        "changes_max": settings.changes_max,
        "messages_per_second": settings.messages_per_second,
        "messages_burst": settings.messages_burst,
        "message_bytes_per_second": settings.message_bytes_per_second,
        "message_bytes_burst": settings.message_bytes_burst,
        "value_bytes_max": settings.value_bytes_max,
        "production": bool(server and server.production),
    }
    html = await render_template(
        "editor.html",
        user=session.user,
        server={
            "name": session.server,
            "label": (server.label if server else None) or session.server,
            "colour": server.colour if server else None,
            "read_only": all_read_only,
        },
        namespace=namespace or session.namespace,
        table=table,
        csrf_token=form_token(),
        csp_nonce=csp_nonce(),
        theme=theme(),
        rows_here=ROWS_HERE if rows is not None else "",
        socket_url=f"{request.root_path}/ws",
        settings_json=encode_json(page_settings).decode(),
        logout_url=url_for("auth.logout"),
        account_url=url_for("api.sessions"),
    )
    body = html if rows is None else _with_rows(html, rows)
    return Response(body, content_type="text/html; charset=utf-8")


async def _with_rows(html: str, rows: FirstRows) -> AsyncIterator[bytes]:
    """Send the page up to its end, so that the browser fetches what it needs, and then its rows and the end."""
    begin, end = html.split(ROWS_HERE)
    yield begin.encode()
    yield f"{await rows.text()}{end}".encode()
