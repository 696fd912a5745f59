"""Whose pages and which host names are ours (RFC 6454, RFC 6455 section 10.2)."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from quart.wrappers.base import BaseRequestWebsocket

from iris_quart.config import Settings, is_loopback

__all__ = ["host_allowed", "origin_allowed", "own_origin", "sender_allowed"]


HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\Z")
"""A name or address with its port, and nothing else that a URL's authority may hold (RFC 9110 section 7.2)."""


def host_allowed(settings: Settings, host: str) -> bool:
    """Judge a Host header.

    Names that are not ours are refused, so that a foreign name that resolves to this machine (DNS rebinding)
    is not taken for our own origin. Addresses pass: nobody can rebind a number.
    """
    if settings.public_origin and host.lower() == urlsplit(settings.public_origin).netloc:
        return True
    # The Host comes back in the page's content policy, so no punctuation may pass behind a good address.
    if not HOST.match(host):
        return False
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if is_loopback(name):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def own_origin(settings: Settings, request: BaseRequestWebsocket) -> str:
    """Return the origin under which the browser knows us: the configured one, else what the Host says."""
    host = request.host.lower()
    public = settings.public_origin
    if public and (host == urlsplit(public).netloc or not is_loopback(urlsplit(f"//{host}").hostname or "")):
        return public
    secure = request.scheme in {"https", "wss"}
    return f"{'https' if secure else 'http'}://{host}"


def origin_allowed(settings: Settings, request: BaseRequestWebsocket) -> bool:
    """Judge the Origin of a request or handshake; a missing one is not a browser's and passes."""
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    origin = origin.lower()
    return origin == own_origin(settings, request) or origin in settings.allowed_origins


def sender_allowed(settings: Settings, request: BaseRequestWebsocket) -> bool:
    """Judge an unsafe HTTP request by Origin and Sec-Fetch-Site (Fetch Metadata)."""
    if not origin_allowed(settings, request):
        return False
    site = request.headers.get("Sec-Fetch-Site", "none").lower()
    if site in {"same-origin", "none"}:
        return True
    return (request.headers.get("Origin") or "").lower() in settings.allowed_origins
