"""An embedded server that behaves as InterSystems IRIS does over its Atelier REST API, for demonstrations and tests.

It is not IRIS: `behaviours/` lists what it claims, and how sure each claim is. Nothing here needs the web server.
"""

from __future__ import annotations

from .engine.interface import Release
from .http.atelier import AtelierApp, RequestRecord
from .http.encodings import Encoding
from .http.faults import FaultRule
from .http.settings import DemoOptions
from .http.users import DEMO_USERS, TableGrants, User
from .server import DemoServer, ThreadedDemoServer, running_in_thread

__all__ = [
    "DEMO_USERS",
    "AtelierApp",
    "DemoOptions",
    "DemoServer",
    "Encoding",
    "FaultRule",
    "Release",
    "RequestRecord",
    "TableGrants",
    "ThreadedDemoServer",
    "User",
    "running_in_thread",
]
