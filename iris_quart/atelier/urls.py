"""The URLs of one server's Atelier API."""

from __future__ import annotations

from urllib.parse import quote

import httpx

from iris_quart.errors import NamespaceNotFound

__all__ = ["Urls"]

API = "/api/atelier/"


class Urls:
    """Build the URLs below a server's address, and remember them.

    A path prefix of the address stays in front of `/api/atelier/`. Every version of the API answers on
    `v1/` (facts: each version's URL map inherits the one before), so that old servers work as well.
    """

    def __init__(self, url: str) -> None:
        base = httpx.URL(url.rstrip("/").removesuffix("/api/atelier").rstrip("/") + API)
        self._base = base
        self._queries: dict[str, httpx.URL] = {}
        self.root = base
        self.logout = base.copy_with(query=b"CacheLogout=end")
        self.host_header = base.netloc

    def query(self, namespace: str) -> httpx.URL:
        """Where statements for a namespace are sent.

        Raises NamespaceNotFound for a name that no namespace can have.
        """
        url = self._queries.get(namespace)
        if url is None:
            url = self._base.copy_with(
                raw_path=self._base.raw_path + b"v1/" + self._segment(namespace) + b"/action/query"
            )
            if len(self._queries) < 1024:
                self._queries[namespace] = url
        return url

    @staticmethod
    def _segment(namespace: str) -> bytes:
        # A dot segment would leave /v1/, whatever is percent-encoded around it.
        # White space around a name would make another spelling of it.
        padded = namespace != namespace.strip()
        if not namespace or padded or namespace in {".", ".."} or any(ord(c) < 32 for c in namespace):
            raise NamespaceNotFound("There is no namespace of this name.", field="namespace")
        # IRIS lists namespaces in upper case and knows them in the path only so.
        try:
            return quote(namespace.upper(), safe="").encode("ascii")
        except UnicodeEncodeError:
            raise NamespaceNotFound("There is no namespace of this name.", field="namespace") from None
