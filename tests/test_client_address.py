"""What client addresses count as."""

from __future__ import annotations

import pytest

from iris_quart.client_address import counted_as


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("192.0.2.7:50123", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::FFFF:192.0.2.7]:443", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("<local>", "<local>"),
        ("Unknown", "unknown"),
        ("999.1.1.1", "999.1.1.1"),
        ("[", ""),
    ],
)
def test_what_an_address_counts_as(address: str, expected: str) -> None:
    assert counted_as(address) == expected
