"""Grouping of client addresses for limits by address."""

from __future__ import annotations

import ipaddress

__all__ = ["counted_as", "network_of"]

HOME_BITS = 64
"""The smallest network that a provider gives to one customer (RFC 6177); all its addresses are one peer's."""
NETWORK_BITS = {4: 24, 6: 48}
"""The smallest networks that are routed by themselves: its owner has all of its addresses."""


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


def network_of(address: str) -> str:
    """Return the network of an address: /24 of IPv4, /48 of IPv6; anything else counts as itself."""
    text = counted_as(address)
    try:
        found = ipaddress.ip_network(text)
    except ValueError:
        return text
    return str(found.supernet(new_prefix=NETWORK_BITS[found.version]))
