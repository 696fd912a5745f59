"""The live side: sockets, their scheduling, the end of sessions, and stopping."""

from __future__ import annotations
