"""Commands of the ancestor that clients of its wire still send; the page uses none of them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from iris_quart.atelier.request_count import tally_requests
from iris_quart.context import Context
from iris_quart.dispatch import CommandBlueprint, Kind
from iris_quart.protocol import UNSET, Event, Message, UnsetType
from iris_quart.tables.rows import Jump

from .connection import Nothing
from .payloads import QueryFields
from .rows import PageAnswer, read_page, stale_view

__all__ = ["ConnectionStatus", "compat"]

compat = CommandBlueprint("compat", __name__)


class SelectServer(Message):
    """Name a server; a session has exactly one, so the name changes nothing."""

    server_name: str | None = Field(None, max_length=1024, description="Taken and not looked at.")


class Paginate(QueryFields):
    """Ask for the page beside the current one."""

    legacy_integers = ("pageSize", "currentPage")

    direction: str = Field("prev", max_length=64, description="next; anything else means the page before.")
    current_page: int = Field(
        0, ge=0, le=2**40, strict=True, description="Number of the page shown, from zero."
    )

    @classmethod
    def from_legacy(cls, value: dict[str, Any]) -> dict[str, Any]:
        """Take no page for the first one, and any direction but next for the page before."""
        value = super().from_legacy(value)
        if value.get("currentPage", 0) is None:
            value["currentPage"] = 0
        if value.get("direction", "next") != "next":
            value["direction"] = "prev"
        return value


class RefreshData(QueryFields):
    """Ask for the first page again."""


class ConnectionStatus(Event):
    """That the session is connected, and to what."""

    connected: bool
    server_name: str | None
    namespace: str | UnsetType = UNSET


@compat.command("selectServer", kind=Kind.INSTANT)
async def select_server(context: Context, _payload: SelectServer) -> ConnectionStatus:
    """Return that the session's server is connected."""
    return _status(context)


@compat.command("disconnect", kind=Kind.INSTANT)
async def disconnect(context: Context, _payload: Nothing) -> ConnectionStatus:
    """Do nothing, as ever; to sign out, post to /logout."""
    return _status(context)


@compat.command("cancelConnection", kind=Kind.INSTANT)
async def cancel_connection(context: Context, _payload: Nothing) -> ConnectionStatus:
    """Do nothing: a session is always connected."""
    return _status(context)


@compat.command("openServerManager", kind=Kind.INSTANT)
async def open_server_manager(context: Context, _payload: Nothing) -> ConnectionStatus:
    """Do nothing: there is no server manager in a browser."""
    return _status(context)


@compat.command("installServerManager", kind=Kind.INSTANT)
async def install_server_manager(context: Context, _payload: Nothing) -> ConnectionStatus:
    """Do nothing: there is no server manager in a browser."""
    return _status(context)


@compat.command("paginate", aliases=("paginateNext", "paginatePrev"), stale_key=stale_view, shows_rows=True)
async def paginate(context: Context, payload: Paginate) -> PageAnswer:
    """Read the page after or before the current one; `direction` alone says which."""
    tally = tally_requests()
    request = payload.view_request(context)
    view = await context.tables.rows.view(request)
    ignored = request.ignored_filters(view.table)
    page = max(0, payload.current_page + (1 if payload.direction == "next" else -1))
    place = context.tables.anchors.place(view, payload.current_page, page)
    return await read_page(context, view, place, count=payload.count, page=page, tally=tally, ignored=ignored)


@compat.command("refreshData", stale_key=stale_view, shows_rows=True)
async def refresh_data(context: Context, payload: RefreshData) -> PageAnswer:
    """Read the first page again, and count again."""
    tally = tally_requests()
    request = payload.view_request(context)
    view = await context.tables.rows.view(request)
    ignored = request.ignored_filters(view.table)
    context.tables.counts.forget(view.table.namespace, view.table.full_name)
    return await read_page(context, view, Jump(0), count=payload.count, page=0, tally=tally, ignored=ignored)


def _status(context: Context) -> ConnectionStatus:
    namespace = context.browsing.namespace
    return ConnectionStatus(
        connected=True,
        server_name=context.session.server,
        namespace=UNSET if namespace is None else namespace,
    )
