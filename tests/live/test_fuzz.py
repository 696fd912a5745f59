"""Anything may be sent: every message is answered, nothing breaks, and the log holds no trace."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .servers import Closed, Person, Refused, WebServer

pytestmark = pytest.mark.live

BATCH = 40
EXAMPLES = 20
EXAMPLES_SLOW = 750
MESSAGES_SLOW = 20_000
"""What the long run must have sent at least."""

TABLES = [
    "Sample.Person",
    "Sample.Company",
    "SQLUser.TypeMatrix",
    "Cinema.Film",
    "No.Such",
    "",
    'a"b',
    "%",
    "Sample",
]
COLUMNS = ["Name", "ID", "DOB", "Home_City", "SSN", "Nope", "", "%ID", 'a"b']

scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(
        [*TABLES, *COLUMNS, "USER", "SAMPLES", "asc", "desc", "next", "2020-02-30", "1||2", "0x1"]
    ),
)
junk: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
table = st.fixed_dictionaries({"namespace": st.just("SAMPLES"), "tableName": st.sampled_from(TABLES[:4])})
page = st.fixed_dictionaries(
    {},
    optional={
        "pageSize": st.integers(0, 20),
        "page": st.integers(0, 5),
        "sortColumn": st.sampled_from(["ID", "Name"]),
        "sortDirection": st.sampled_from(["asc", "desc"]),
        "filters": st.lists(
            st.fixed_dictionaries({"column": st.sampled_from(COLUMNS[:3]), "value": scalars}), max_size=2
        ),
        "search": st.text(max_size=5),
        "count": st.sampled_from(["exact", "deferred", "skip"]),
        "columns": st.lists(st.sampled_from(COLUMNS), max_size=3),
    },
)


def both(first: st.SearchStrategy[Any], second: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(first, second).map(lambda pair: {**pair[0], **pair[1]})


sound = st.one_of(
    st.sampled_from(["getServerList", "getSession", "getNamespaces", "selectServer", "disconnect"]).map(
        lambda name: (name, {})
    ),
    st.tuples(
        st.just("getTables"), st.fixed_dictionaries({"namespace": st.sampled_from(["USER", "SAMPLES"])})
    ),
    st.tuples(st.just("requestData"), both(table, page)),
    st.tuples(st.just("selectTable"), table),
    st.tuples(st.just("countRows"), table),
    st.tuples(st.just("paginate"), st.fixed_dictionaries({"direction": st.sampled_from(["next", "prev"])})),
    st.tuples(st.just("getRow"), both(table, st.fixed_dictionaries({"rowId": st.integers(1, 9).map(str)}))),
    st.tuples(st.just("cancel"), st.fixed_dictionaries({"id": st.just("nothing")})),
)
COMMANDS = """
getServerList selectServer getNamespaces getTables selectNamespace selectTable openTable requestData refresh
paginate refreshData saveCell updateRow insertRow deleteRow saveChanges previewChanges countRows getRow cancel
"""
FIELDS = """
namespace tableName page pageSize filters sortColumn sortDirection sort after before offset startAt columns values
columnName primaryKeyColumn primaryKeyValue newValue oldValue changes rowId id search count direction base
"""
odd = st.tuples(
    st.sampled_from(COMMANDS.split()) | st.text(max_size=10),
    st.dictionaries(st.sampled_from(FIELDS.split()) | st.text(max_size=6), junk, max_size=5) | junk,
)
message = st.one_of(sound, sound, odd)
broken = st.one_of(
    st.text(max_size=40), junk.map(json.dumps), st.binary(max_size=20).map(lambda b: b.decode("latin-1"))
)
batches = st.lists(st.one_of(message, message, message, broken), min_size=BATCH // 2, max_size=BATCH)


@pytest.fixture(scope="module")
def server_settings() -> dict[str, Any]:
    return {"messages_per_second": 100_000, "messages_burst": 100_000, "commands_queued": 1000, "own": True}


async def run_batch(person: Person, batch: list[Any], counts: dict[str, int]) -> None:
    """Send all at once, then wait until each one that carries an id is answered."""
    async with person.socket() as socket:
        ids = []
        for item in batch:
            if isinstance(item, str):
                await socket.connection.send(item)
            else:
                command, payload = item
                ids.append(await socket.send(command, payload))
        for message_id, item in zip(ids, (item for item in batch if not isinstance(item, str)), strict=True):
            try:
                await socket.answer(message_id, 15)
                counts["answered"] += 1
            except Closed as closed:
                pytest.fail(f"{closed}: {item}")
            except Refused as refused:
                counts["refused"] += 1
                if refused.code == "COMMAND_ERROR":
                    pytest.fail(f"{refused} {batch}")
        assert (await socket.ask("getSession"))["user"] == "_SYSTEM"
        counts["sent"] += len(batch)


def fuzz(examples: int) -> Any:
    """Make a test of so many examples."""

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
        # Shrinking waits for every answer that does not come; the batch that failed is told whole.
        phases=[Phase.generate],
    )
    @given(batch=batches)
    async def test(server: WebServer, person: Person, counts: dict[str, int], batch: list[Any]) -> None:
        await run_batch(person, batch, counts)

    return test


@pytest.fixture
def counts(server: WebServer, request: pytest.FixtureRequest) -> Any:
    """Count what happened, and judge it at the end."""
    counts = {"sent": 0, "answered": 0, "refused": 0}
    yield counts
    # So many were valid and did their work; others were refused, or were no messages at all.
    assert counts["answered"] >= 0.3 * counts["sent"], counts
    least = MESSAGES_SLOW if request.node.get_closest_marker("slow") else EXAMPLES * BATCH // 2
    assert counts["sent"] >= least, counts
    assert '"level": "error"' not in server.log
    assert "Traceback" not in server.log


test_any_messages = fuzz(EXAMPLES)
test_many_more_messages = pytest.mark.slow(pytest.mark.timeout(900)(fuzz(EXAMPLES_SLOW)))
