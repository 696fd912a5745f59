"""Print how many behaviours have which source, or check a real server given by LIVE_IRIS_URL.

Reads LIVE_IRIS_URL, LIVE_IRIS_USER, LIVE_IRIS_PASSWORD and LIVE_IRIS_NAMESPACE (USER); makes and drops tables of its
own in the schema IrisQuartCheck there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from iris_quart.demo.behaviours import SOURCES, Behaviour, counts, load
from iris_quart.demo.behaviours.running import Asker, Runner, detect, release_of, tables


def main() -> int:
    """Print the counts; with a live server, what it confirmed and refuted."""
    numbers = counts()
    unmet = sum(behaviour.unmet is not None for behaviour in load())
    by_source = ", ".join(f"{numbers[source]} {source}" for source in SOURCES)
    print(
        f"Behaviours: {by_source} ({numbers.total()} in all, {unmet} of them not met by the embedded server)"
    )
    return check(live) if (live := live_asker(os.environ)) else 0


def live_asker(environment: Mapping[str, str]) -> Asker | None:
    """Connect to the server the environment names, if it names one."""
    url = environment.get("LIVE_IRIS_URL")
    if not url:
        return None
    user, password = (
        environment.get("LIVE_IRIS_USER", "_SYSTEM"),
        environment.get("LIVE_IRIS_PASSWORD", "SYS"),
    )
    return Asker(url, user, password, environment.get("LIVE_IRIS_NAMESPACE", "USER"))


def check(asker: Asker) -> int:
    """Run every row that applies, print what differs, and count by source; give 1 when anything differs."""
    encoding, release = detect(asker), release_of(asker)
    print(f"Release {release[0]}.{release[1]}; {encoding}")
    runner = Runner(asker, encoding, release, embedded=False)
    confirmed: list[Behaviour] = []
    refuted: list[tuple[Behaviour, str]] = []
    try:
        with tables(asker):
            for behaviour in load():
                if runner.applies(behaviour):
                    if difference := runner.run(behaviour):
                        refuted.append((behaviour, difference))
                    else:
                        confirmed.append(behaviour)
    finally:
        asker.end()
    for behaviour, difference in refuted:
        print(f"REFUTED ({behaviour.source}) {behaviour.id}: {difference}")
    for source in SOURCES:
        held = sum(behaviour.source == source for behaviour in confirmed)
        fell = sum(behaviour.source == source for behaviour, _ in refuted)
        print(f"{source}: {held} confirmed, {fell} refuted")
    return 1 if refuted else 0


if __name__ == "__main__":
    sys.exit(main())
