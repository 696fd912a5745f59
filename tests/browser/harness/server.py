"""Serve the grid over its fake client, under the policy of the product."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parents[3]
HARNESS = Path(__file__).resolve().parent
STYLES = ("css/tokens.css", "css/base.css", "css/shell.css", "css/grid.css")
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>Grid</title>
<link rel="icon" href="/static/favicon.svg"><meta name="csp-nonce" content="{nonce}">{styles}
<link rel="stylesheet" href="/harness/harness.css"></head><body><main><h1 class="sr">Demo.Table</h1>
<a href="#before" id="before">before</a><div id="host"></div><a href="#after" id="after">after</a></main>
<script type="module" src="/harness/page.js"></script></body></html>"""


class Handler(SimpleHTTPRequestHandler):
    """Static files of the product, the harness, and one page."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}

    def translate_path(self, path: str) -> str:
        """Find a file below static or the harness."""
        name = urlsplit(path).path
        if name.startswith("/static/"):
            return str(ROOT / name[1:])
        return str(HARNESS / name.removeprefix("/harness/"))

    def do_GET(self) -> None:
        """Answer the page or a file."""
        address = urlsplit(self.path)
        if address.path != "/":
            super().do_GET()
            return
        nonce = secrets.token_urlsafe(16)
        theme = parse_qs(address.query).get("theme", ["light"])[0]
        styles = "".join(f'<link rel="stylesheet" href="/static/{name}">' for name in STYLES)
        body = PAGE.format(theme=theme, nonce=nonce, styles=styles).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
            "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        )
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


@contextmanager
def serving() -> Iterator[str]:
    """Serve on a free port; gives the origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
