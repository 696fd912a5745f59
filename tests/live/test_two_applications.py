"""Two applications in one process: what one knows or runs is not the other's."""

from __future__ import annotations

from pathlib import Path

from iris_quart import create_app
from iris_quart.config import Settings
from iris_quart.services import EXTENSION, AppServices


def test_their_services_and_writes_are_apart(tmp_path: Path) -> None:
    found: list[AppServices] = []
    for name, most in (("one", 4096), ("two", 8192)):
        app = create_app(Settings(instance=tmp_path / name, message_bytes_max=most))
        found.append(app.extensions[EXTENSION])
    one, two = found
    assert one.store is not two.store
    assert one.live.writes_under_way is not two.live.writes_under_way
    assert one.live.registry is not two.live.registry
    assert (one.settings.message_bytes_max, two.settings.message_bytes_max) == (4096, 8192)
