"""URLs of the Atelier API."""

from __future__ import annotations

import pytest

from iris_quart.atelier.urls import Urls
from iris_quart.errors import NamespaceNotFound


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("http://h:52773", b"/api/atelier/"),
        ("http://h:52773/", b"/api/atelier/"),
        ("http://h/api/atelier", b"/api/atelier/"),
        ("http://h/api/atelier/", b"/api/atelier/"),
        ("https://h/iris/dev", b"/iris/dev/api/atelier/"),
        ("https://h/iris/", b"/iris/api/atelier/"),
        ("https://h/a%20b", b"/a%20b/api/atelier/"),
        ("http://[::1]:52773", b"/api/atelier/"),
    ],
)
def test_prefix_stays_in_front(url: str, root: bytes) -> None:
    urls = Urls(url)
    assert urls.root.raw_path == root
    assert urls.logout.raw_path == root + b"?CacheLogout=end"
    assert urls.query("USER").raw_path == root + b"v1/USER/action/query"


@pytest.mark.parametrize(
    ("namespace", "segment"),
    [
        ("%SYS", b"%25SYS"),
        ("user", b"USER"),
        ("A B", b"A%20B"),
        ("A/B?C#D", b"A%2FB%3FC%23D"),
        ("../%SYS", b"..%2F%25SYS"),
        ("%2e%2e", b"%252E%252E"),
        ("NÜRN", b"N%C3%9CRN"),
        ("A-B_1", b"A-B_1"),
        ("A;B@C:D", b"A%3BB%40C%3AD"),
    ],
)
def test_namespace_is_one_segment(namespace: str, segment: bytes) -> None:
    url = Urls("http://h:1/pre").query(namespace)
    assert url.raw_path == b"/pre/api/atelier/v1/" + segment + b"/action/query"
    assert (url.host, url.port) == ("h", 1)


@pytest.mark.parametrize("namespace", ["", " ", ".", "..", "A\r\nB", "A\x00", "\ud800"])
def test_name_that_no_namespace_has(namespace: str) -> None:
    with pytest.raises(NamespaceNotFound):
        Urls("http://h:1").query(namespace)


def test_urls_are_remembered() -> None:
    urls = Urls("http://h:1")
    assert urls.query("USER") is urls.query("USER")
