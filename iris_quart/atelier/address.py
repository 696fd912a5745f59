"""Addresses that people type themselves: judged before anything is sent there."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import httpx

from iris_quart.errors import AuthFailed, LicenseLimit, ServerUnreachable, UpstreamError

from .target import Target

__all__ = ["free_target", "judge", "one_answer"]

T = TypeVar("T")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")
NUMBER = re.compile(r"(?:[0-9]+|0[xX][0-9A-Fa-f]*)\Z")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*\Z")
REFUSED = "This server cannot be reached from here."


async def free_target(
    host: str,
    port: int,
    *,
    https: bool,
    prefix: str = "",
    networks: Sequence[str],
    ports: Sequence[int],
    verify_tls: bool = True,
    resolver: Resolver | None = None,
    seconds: float = 3.0,
) -> Target:
    """Judge an address that a user typed and give the target to connect to.

    The name is resolved once, within `seconds`; every address it has must lie in `networks` (CIDR), and the
    first one is then connected to, with the name kept for Host and TLS. Raises ServerUnreachable, always
    with the same text. See `one_answer` for the time it takes.
    """
    name = host.strip()
    if not PREFIX.match(prefix) or any(part in {".", ".."} for part in prefix.split("/")):
        raise ServerUnreachable(REFUSED)
    address = await judge(
        name, port, networks=networks, ports=ports, resolver=resolver or resolve, seconds=seconds
    )
    literal = _literal(name)
    url_host = name if literal is None else (f"[{literal}]" if literal.version == 6 else str(literal))
    # Built by parts: a host glued into a text could become another host, path or user name.
    url = httpx.URL(scheme="https" if https else "http", host=url_host.strip("[]"), port=port, path=prefix)
    return Target(str(url).rstrip("/"), verify_tls=verify_tls, pinned_address=str(address))


async def judge(
    host: str,
    port: int,
    *,
    networks: Sequence[str],
    ports: Sequence[int],
    resolver: Resolver,
    seconds: float = 3.0,
) -> Address:
    """Resolve a host once and give the address to connect to, if all it resolves to is allowed.

    Raises ServerUnreachable for a host that is neither an address nor letters, digits and hyphens, for a
    port that is not in `ports`, and when any of its addresses lies outside `networks`.
    """
    if port not in ports:
        raise ServerUnreachable(REFUSED)
    literal = _literal(host)
    if literal is not None:
        found: Sequence[str] = [str(literal)]
    elif _is_name(host):
        try:
            async with asyncio.timeout(seconds):
                found = await resolver(host, port)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise ServerUnreachable(REFUSED) from error
    else:
        raise ServerUnreachable(REFUSED)
    allowed = [ipaddress.ip_network(network) for network in networks]
    addresses = []
    for text in found:
        try:
            address = ipaddress.ip_address(text)
        except ValueError as error:
            raise ServerUnreachable(REFUSED) from error
        if not _is_allowed(address, allowed):
            raise ServerUnreachable(REFUSED)
        addresses.append(address)
    if not addresses:
        raise ServerUnreachable(REFUSED)
    return addresses[0]


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver for all addresses of a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


async def one_answer(attempt: Awaitable[T], seconds: float) -> T:
    """Make every failure to reach a typed address look the same and take the same time.

    A success passes at once, and so do refused credentials and a missing licence: only what answers like
    IRIS gives them. Any other failure below UpstreamError becomes ServerUnreachable with one text,
    `seconds` after the start.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    try:
        async with asyncio.timeout_at(end):
            return await attempt
    except (AuthFailed, LicenseLimit):
        raise
    except (UpstreamError, TimeoutError):
        await asyncio.sleep(max(0.0, end - loop.time()))
        raise ServerUnreachable(REFUSED) from None


def _literal(host: str) -> Address | None:
    text = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return address


def _is_name(host: str) -> bool:
    """Return whether it is a host name of letters, digits and hyphens (RFC 1123 section 2.1).

    A last label that is a number is how `127.1`, `2130706433` and `0x7f.1` pass for names.
    """
    labels = host.removesuffix(".").split(".")
    return len(host) <= 253 and all(LABEL.match(label) for label in labels) and not NUMBER.match(labels[-1])


def _is_allowed(address: Address, allowed: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        inner = address.ipv4_mapped
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
    return any(address in network for network in allowed if network.version == address.version)
