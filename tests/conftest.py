"""For all tests: nothing of the machine's own settings or proxies gets in."""

from __future__ import annotations

import os

import pytest
from hypothesis import Phase, settings

# Property tests are judged by what they find, not by how busy the machine is. At a desk they look for new
# cases each time; in CI they try the same ones, so that a change is judged by what it changed.
settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)
settings.load_profile("unhurried")

KEPT = {"IRIS_QUART_CHROMIUM", "IRIS_QUART_DEMO_ENCODING", "IRIS_QUART_TEST_REDIS"}


@pytest.fixture(autouse=True, scope="session")
def clean_environment() -> None:
    """Take away IRIS_QUART_* settings and proxies, also from processes that tests start."""
    for name in list(os.environ):
        upper = name.upper()
        if (upper.startswith("IRIS_QUART_") and upper not in KEPT) or upper.endswith("_PROXY"):
            del os.environ[name]
    # The embedded IRIS returns rows without ORDER BY backwards, so that nothing relies on an order by accident.
    os.environ["IRIS_QUART_DEMO_ORDER"] = "careless"
