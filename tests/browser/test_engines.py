"""The main road of the page in Firefox and in WebKit: all other browser tests run in Chromium alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from iris_quart.demo.server import ThreadedDemoServer

from .conftest import WebServer
from .engines import CONTROL, END, ENTER, Engine, firefox, webkit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIVE = "document.querySelector('[data-part=status-connection][data-state=live]')"
SAVED = "document.querySelector('[data-action=save]').getAttribute('aria-disabled') === 'true'"


def cell(row: int, column: str = "Name") -> str:
    """Give the selector of a cell."""
    return f".view:not([hidden]) .slick-row[data-row='{row}'] .slick-cell[data-column={column}]"


def shows(row: int, text: str, state: str = "") -> str:
    """Give the condition that a cell shows a text, perhaps in a state."""
    found = f'document.querySelector("{cell(row)}{state}")'
    return f"{found}?.textContent === '{text}'"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("run", [firefox, webkit])
def test_sign_in_edit_save_and_come_back(
    run: Callable[[], AbstractContextManager[Engine]], iris: ThreadedDemoServer, web: WebServer
) -> None:
    def stored(row_id: int) -> object:
        return (
            iris.namespace("SAMPLES").execute(f"SELECT Name FROM Sample.Person WHERE ID = {row_id}", ()).rows
        )

    with run() as engine:
        engine.go(f"{web.url}/table/SAMPLES/Sample.Person")
        engine.click("input[name=username]")
        engine.press(*"_SYSTEM")
        engine.click("input[name=password]")
        engine.press(*"SYS", ENTER)
        engine.wait(LIVE)
        engine.wait(f'document.querySelector("{cell(4)}")')

        # What is typed is staged, then saved.
        engine.click(cell(2))
        engine.press(*f"By {run.__name__}", ENTER)
        engine.wait(shows(2, f"By {run.__name__}", ".is-changed"))
        assert stored(3) != [(f"By {run.__name__}",)]
        engine.press("s", holding=CONTROL)
        engine.wait(SAVED)
        engine.wait(shows(2, f"By {run.__name__}", ":not(.is-changed)"))
        assert stored(3) == [(f"By {run.__name__}",)]

        # Another program was faster.
        iris.namespace("SAMPLES").execute(
            f"UPDATE Sample.Person SET Name = 'Theirs {run.__name__}' WHERE ID = 4", ()
        )
        engine.click(cell(3))
        engine.press(*"Mine", ENTER)
        engine.wait(shows(3, "Mine", ".is-changed"))
        engine.press("s", holding=CONTROL)
        engine.wait(shows(3, "Mine", ".is-conflict"))
        assert stored(4) == [(f"Theirs {run.__name__}",)]
        engine.wait("document.querySelector('dialog[open]')")  # the save opens the question
        engine.click("dialog[open] .dialog-foot button")
        engine.wait("!document.querySelector('dialog[open]')")

        # What is staged is there again after the page was loaded anew.
        engine.click(cell(4))
        engine.press(*"Kept", ENTER)
        engine.wait(shows(4, "Kept", ".is-changed"))
        engine.go(f"{web.url}/table/SAMPLES/Sample.Person")
        engine.wait(LIVE)
        engine.wait(shows(4, "Kept", ".is-changed"))

        engine.click(cell(4))
        engine.press(END, holding=CONTROL)
        engine.wait("document.querySelector(\".view:not([hidden]) .slick-row[data-row='199']\")")
        assert engine.complaints == []
