"""A socket takes over from rows that came with the page: nothing that changed since stays unseen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, cast

import pytest

from iris_quart.live.read_marks import ReadMarks
from iris_quart.live.recent_changes import KEPT_BYTES, KEPT_SECONDS, RecentChanges
from iris_quart.live.registry import LiveSocket

from .conftest import Start
from .servers import Person, Refused, Socket, WebServer

PERSON = {"namespace": "SAMPLES", "tableName": "Sample.Person"}
COMPANY = {"namespace": "SAMPLES", "tableName": "Sample.Company"}
KEY = ("server", "SAMPLES", "Sample.Person")
ROWS = re.compile(r'id="first-rows"[^>]*>([^<]*)</script>')


async def first_rows(person: Person, address: str = "/table/SAMPLES/Sample.Person") -> dict[str, Any]:
    """Fetch the page of a table and read its rows."""
    for _ in range(50):
        answer = await person.http.get(address)
        found = ROWS.search(answer.text)
        assert found, answer.text
        if found[1]:  # a busy machine may be too late with them
            given: dict[str, Any] = json.loads(found[1])
            return given
    raise AssertionError("no page had rows")


async def save(socket: Socket, row_id: str, city: str) -> None:
    """Save one cell, whatever it held."""
    change = {"changeId": f"c{row_id}", "kind": "update", "rowId": row_id, "values": {"Home_City": city}}
    result = await socket.ask("saveChanges", {**PERSON, "changes": [change]})
    assert result["outcome"] == "saved", result


def cities(pushed: dict[str, Any]) -> list[tuple[str, str]]:
    """List row IDs and cities of an announcement."""
    return [(change["rowId"], change["values"]["Home_City"]) for change in pushed["changes"]]


async def test_changes_between_page_and_socket_arrive_and_later_ones_too(
    server: WebServer, person: Person
) -> None:
    given = await first_rows(person)
    async with server.person() as other, other.socket() as theirs:
        await save(theirs, "1", "Between")
        async with person.socket() as mine:
            answer = await mine.ask("followTable", {**PERSON, "readMark": given["readMark"]})
            assert answer["complete"] is True
            assert cities(await mine.heard("rowsChanged")) == [("1", "Between")]
            await save(theirs, "2", "Later")
            assert cities(await mine.heard("rowsChanged")) == [("2", "Later")]


async def test_the_number_of_rows_follows_when_it_is_not_known(person: Person) -> None:
    given = await first_rows(person)
    async with person.socket() as socket:
        message = await socket.send("followTable", {**PERSON, "readMark": given["readMark"]})
        followed = (await socket.answer(message))["payload"]
        if followed["countState"] == "pending":
            counted = (await socket.answer(message))["payload"]
            assert counted["countState"] == "exact"
        again = await socket.ask("followTable", {**PERSON, "readMark": given["readMark"]})
        assert again["countState"] == "exact"


@pytest.mark.parametrize(
    "spoil", [lambda _: "", lambda _: "1.x", lambda mark: mark[:-1] + "é", lambda m: m * 2]
)
async def test_a_made_up_mark_follows_nothing(
    server: WebServer, person: Person, spoil: Callable[[str], str]
) -> None:
    given = await first_rows(person)
    async with server.person() as other, other.socket() as theirs, person.socket() as mine:
        mark = spoil(given["readMark"])[:128]
        assert (await mine.ask("followTable", {**PERSON, "readMark": mark}))["complete"] is False
        await save(theirs, "3", "Unheard")
        assert (await mine.ask("getSession"))["user"] == "_SYSTEM"
        assert [event for event in mine.pushed if event["event"] == "rowsChanged"] == []


async def test_a_mark_is_of_one_session_and_one_table(server: WebServer, person: Person) -> None:
    given = await first_rows(person)
    async with server.person() as other, other.socket() as theirs, person.socket() as mine:
        foreign = await theirs.ask("followTable", {**PERSON, "readMark": given["readMark"]})
        elsewhere = await mine.ask("followTable", {**COMPANY, "readMark": given["readMark"]})
    assert (foreign["complete"], elsewhere["complete"]) == (False, False)


async def test_a_table_that_does_not_exist_is_refused(person: Person) -> None:
    given = await first_rows(person)
    async with person.socket() as socket:
        with pytest.raises(Refused) as refused:
            await socket.ask(
                "followTable",
                {"namespace": "SAMPLES", "tableName": "No.Such", "readMark": given["readMark"]},
            )
    assert refused.value.code == "TABLE_NOT_FOUND"


async def test_a_change_made_in_another_worker_is_not_missed(start: Start) -> None:
    server = start(workers=2)
    async with server.person() as person, server.person() as other, other.socket() as theirs:
        for number in range(12):
            given = await first_rows(person)
            city = f"Town {number}"
            await save(theirs, str(number + 1), city)
            async with person.socket() as mine:
                answer = await mine.ask("followTable", {**PERSON, "readMark": given["readMark"]})
                assert answer["complete"] is True
                seen: list[tuple[str, str]] = []
                while (str(number + 1), city) not in seen:
                    seen += cities(await mine.heard("rowsChanged"))


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


READER = cast("LiveSocket", object())


def since(recent: RecentChanges, read_at: float) -> list[bytes] | None:
    return recent.since(read_at, ("server", "samples", "SAMPLE.PERSON"), READER)


def test_what_was_announced_before_a_worker_began_is_not_known() -> None:
    clock = Clock()
    recent = RecentChanges(clock)
    assert since(recent, 1000.0) is None
    clock.time = 1002.0
    assert since(recent, 1001.5) == []


def test_an_interruption_is_a_gap() -> None:
    clock = Clock()
    recent = RecentChanges(clock)
    clock.time = 1010.0
    recent.add(KEY, b"one", None)
    assert since(recent, 1009.0) == [b"one"]
    recent.interrupted()
    assert since(recent, 1009.0) is None


def test_only_what_came_since_and_of_this_table_in_order() -> None:
    clock = Clock()
    recent = RecentChanges(clock)
    clock.time = 1010.0
    recent.add(KEY, b"old", None)
    clock.time = 1012.0
    recent.add(KEY, b"first", None)
    recent.add(("server", "SAMPLES", "Other.Table"), b"other", None)
    recent.add(("elsewhere", "SAMPLES", "Sample.Person"), b"server", None)
    recent.add(KEY, b"second", None)
    assert since(recent, 1012.0) == [b"first", b"second"]


@pytest.mark.parametrize("wait", [0.0, KEPT_SECONDS + 1])
def test_forgotten_changes_are_a_gap(wait: float) -> None:
    clock = Clock()
    recent = RecentChanges(clock)
    clock.time = 1010.0
    recent.add(KEY, b"x" * (KEPT_BYTES - 1), None)
    clock.time += wait
    recent.add(KEY, b"new", None)
    assert since(recent, 1009.0) is None
    assert since(recent, clock.time + 5) is None


def test_marks_outlive_a_change_of_the_key() -> None:
    old, new = ReadMarks(["old"]), ReadMarks(["new", "old"])
    mark = old.create("session", "SAMPLES", "Sample.Person", 12.5)
    assert new.read(mark, "session", "SAMPLES", "sample.person") == 12.5
    assert ReadMarks(["new"]).read(mark, "session", "SAMPLES", "Sample.Person") is None
