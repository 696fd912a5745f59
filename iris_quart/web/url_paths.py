"""Names in addresses: a name may itself hold a slash, which then travels encoded."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

from quart import request

from iris_quart.errors import InvalidInput

__all__ = ["path_parts", "sent_address"]


def sent_address() -> str:
    """Return path and query as they were sent, without the path that the application stands below.

    What was sent as a target may be no path (RFC 9112 section 3.2): then it is "/", for behind an origin it would
    make another host of it.
    """
    raw: bytes = request.scope.get("raw_path") or quote(request.path).encode()
    path = raw.partition(b"?")[0].decode("ascii", "replace").removeprefix(request.root_path.rstrip("/"))
    if not path.startswith("/"):
        return "/"
    query = request.query_string.decode("ascii", "replace")
    return f"{path}?{query}" if query else path


def path_parts(prefix: str, count: int) -> list[str]:
    """Split the address behind a prefix as it was sent, before any decoding.

    Raises InvalidInput when there are not `count` parts or one is not UTF-8.
    """
    raw = request.scope.get("raw_path") or quote(request.path).encode()
    _, _, rest = raw.partition(b"?")[0].partition(prefix.encode())
    try:
        parts = [unquote_to_bytes(part).decode() for part in rest.split(b"/")]
    except UnicodeDecodeError:
        parts = []
    if len(parts) != count or not all(parts):
        raise InvalidInput(f"The address must have {count} names behind {prefix}")
    return parts
