"""Print how many behaviours have which source. `iris-quart verify` asks a real server about them."""

from __future__ import annotations

import sys

from iris_quart.demo.behaviours import SOURCES, counts, load


def main() -> int:
    """Print the counts."""
    numbers = counts()
    unmet = sum(behaviour.unmet is not None for behaviour in load())
    by_source = ", ".join(f"{numbers[source]} {source}" for source in SOURCES)
    print(
        f"Behaviours: {by_source} ({numbers.total()} in all, {unmet} of them not met by the embedded server)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
