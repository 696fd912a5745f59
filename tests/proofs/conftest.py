"""The fixtures of the live tests, for proofs that take longer."""

from __future__ import annotations

from tests.live.conftest import iris, person, sample_data, server, server_settings, start

__all__ = ["iris", "person", "sample_data", "server", "server_settings", "start"]
