"""Property tests are judged by what they find, not by how busy the machine is."""

from __future__ import annotations

from hypothesis import Phase, settings

settings.register_profile(
    "unhurried", deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
)
settings.load_profile("unhurried")
