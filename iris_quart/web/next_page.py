"""The page after a sign-in: only one of ours, however its address is written."""

from __future__ import annotations

import re
from urllib.parse import quote

from quart import request

__all__ = ["safe_next", "sign_in_url"]

# One slash and never a second one or a backslash: //host and /\host are other sites to a browser.
PAGE = re.compile(r"/(?:\?[!-~]*)?\Z|/table/[!-~]+\Z")


def safe_next(text: str | None) -> str:
    """Return a page of ours to go to; the editor when the text names none."""
    root = request.root_path.rstrip("/")
    text = text or ""
    inner = text.removeprefix(root) if root else text
    if len(text) <= 2048 and PAGE.match(inner) and "\\" not in inner and "//" not in inner.split("?")[0]:
        return root + inner
    return f"{root}/"


def sign_in_url(path: str | None = None) -> str:
    """Return the sign-in page, remembering where one wanted to go."""
    root = request.root_path.rstrip("/")
    wanted = safe_next(root + path) if path else f"{root}/"
    return f"{root}/login" + (f"?next={quote(wanted)}" if wanted != f"{root}/" else "")
