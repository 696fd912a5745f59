"""`make bench`: print tables and write bench.json where it is run."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from .report import Figure, show, write


def _groups() -> dict[str, Callable[[float], Iterator[tuple[str, list[Figure]]]]]:
    from . import embedded, page, peers, product, stores, wire

    return {
        "embedded": embedded.measure,
        "product": product.measure,
        "stores": stores.measure,
        "peers": peers.measure,
        "page": page.measure,
        "wire": wire.measure,
    }


def main() -> None:
    """Measure the groups that were asked for."""
    groups = _groups()
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "groups", nargs="*", default=list(groups), help=f"of {', '.join(groups)}; all if none"
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="duration of each load")
    options = parser.parse_args()
    figures: list[Figure] = []
    for name in options.groups:
        if name not in groups:
            parser.error(f"no group {name!r}")
        for title, found in groups[name](options.seconds):
            show(title, found)
            figures += found
    write(figures, Path("bench.json"))
    judged = [figure for figure in figures if figure.met is not None]
    print(f"\n{sum(bool(figure.met) for figure in judged)} of {len(judged)} goals met; bench.json written")


if __name__ == "__main__":
    main()
