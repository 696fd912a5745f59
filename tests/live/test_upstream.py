"""The IRIS side of a session is given back, whatever else goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from iris_quart.atelier import AtelierClient, Credentials, Target
from iris_quart.config import Settings
from iris_quart.errors import ConnectionFailed
from iris_quart.live.upstream import Upstream
from iris_quart.sessions import Session
from iris_quart.tables import Tables

SESSION = Session("ab" * 32, "alice", "demo", "key", "USER", False, Target("http://127.0.0.1:9"), 0, 1, 2)


class Broken:
    """Table services that cannot be closed."""

    def __init__(self, client: AtelierClient) -> None:
        self.client = client

    async def close(self) -> None:
        """Fail."""
        raise RuntimeError("a defect")


async def test_a_defect_in_closing_keeps_no_client(tmp_path: Path) -> None:
    def make(client: AtelierClient, _session: Session) -> Tables:
        return cast("Tables", Broken(client))

    upstream = Upstream(Settings(instance=tmp_path), make)
    tables: Any = upstream.tables_for(SESSION, Credentials("alice", SecretStr("secret")))
    with pytest.raises(RuntimeError):
        await upstream.release(SESSION.key)
    assert len(upstream) == 0
    with pytest.raises(ConnectionFailed, match="has ended"):
        await tables.client.query("USER", "SELECT 1")
