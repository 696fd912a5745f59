"""An embedded server that behaves as InterSystems IRIS does over its Atelier REST API, for demonstrations and tests.

It is not IRIS: `behaviours/` lists what it claims, and how sure each claim is. Nothing here needs the web server.
"""

from __future__ import annotations

from .atelier import AtelierApp, RequestRecord
from .encodings import Encoding
from .engine import Release
from .faults import FaultRule
from .server import DemoServer, ThreadedDemoServer, running_in_thread
from .settings import DemoOptions
from .users import DEMO_USERS, TableGrants, User

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
