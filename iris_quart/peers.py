"""Which client addresses count as one where something is limited by address."""

from __future__ import annotations

import ipaddress

__all__ = ["counted_as"]

HOME_BITS = 64
"""The smallest network that a provider gives to one customer (RFC 6177); all its addresses are one peer's."""


def counted_as(address: str) -> str:
    """Name what an address counts as: an IPv4 address itself, an IPv6 one its /64, anything else its text.

    A port behind the address, as some proxies write it, does not count, nor does the way an address is spelled.
    """
    text = address.strip().lower()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), HOME_BITS), strict=False))
