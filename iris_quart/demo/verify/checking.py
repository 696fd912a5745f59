"""Run the table of behaviours and the probes against one server, one statement at a time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from iris_quart.demo.behaviours import Behaviour, load
from iris_quart.demo.behaviours.running import SCHEMA, Asker, Runner, detect, release_of

from .inquiry import Inquiry, NotRun
from .own_schema import LOST, SILENCES, OwnSchema
from .probes import PROBES, Probe
from .report import Found, Report, Row

PATIENCE_SECONDS = 20.0
DETECTED = ("dates", "nulls", "big_integers", "numerics", "digits", "doubles")


class Unreachable(Exception):
    """The server does not answer, or not as the Atelier API does, or refuses the sign-in."""


class SchemaOccupied(Exception):
    """The schema of the kit exists already, so it may be somebody's."""


class _Stopped(Exception):
    """The run must end early; the text is the reason."""


def verify(
    connect: Callable[[float], Asker],
    user: str,
    *,
    kit: str,
    progress: Callable[[str], None] = lambda line: None,
    patience: float = PATIENCE_SECONDS,
    gateway_seconds: float | None = None,
    replace: bool = False,
    behaviours: Iterable[Behaviour] | None = None,
) -> Report:
    """Ask everything and return what was found, after an error or Ctrl+C as much as was found by then.

    connect: open a session whose requests wait for a number of seconds. gateway_seconds: how long to outwait a web
    gateway, None to leave that probe out. replace: drop tables that an earlier run left behind. behaviours: the rows
    to ask, all by default.
    Raises Unreachable or SchemaOccupied before anything is created.
    """
    asker = connect(patience)
    try:
        report, runner, schema, namespaces = _prepared(asker, kit, replace=replace)
        inquire = _inquirer(asker, user, connect, namespaces, patience, gateway_seconds)
        try:
            with _terminable():
                schema.create()
                report.broken, runner.missing = schema.broken, schema.broken
                _check_rows(report, runner, schema, list(behaviours or load()), progress)
                _check_probes(report, runner, inquire, progress)
        except KeyboardInterrupt:
            report.stopped = "interrupted"
        except _Stopped as stop:
            report.stopped = str(stop)
        except LOST as error:
            report.stopped = f"the connection was lost: {error}"
        finally:
            with _uninterrupted():
                progress(f"Dropping the tables of {SCHEMA}")
                report.left_behind = _dropped(schema)
    finally:
        _farewell(asker)
    return report


def _prepared(asker: Asker, kit: str, *, replace: bool) -> tuple[Report, Runner, OwnSchema, list[str]]:
    try:
        about = asker.request("GET", "/api/atelier/")
        if about.status != 200:
            raise Unreachable(f"The server answers HTTP {about.status}.")
        content: Any = about.json["result"]["content"]
        release, encoding = release_of(asker), detect(asker)
        schema = OwnSchema(asker)
        found = schema.tables()
    except LOST as error:
        raise Unreachable(f"The server cannot be reached: {error}") from None
    except (ValueError, KeyError, IndexError, TypeError, RuntimeError) as error:
        raise Unreachable(f"The server does not answer as the Atelier API does: {error}") from None
    if found and not replace:
        raise SchemaOccupied(
            f"The schema {SCHEMA} exists already and holds {', '.join(found)}. If an earlier run left it behind, "
            "use --replace; nothing was changed."
        )
    if found:
        schema.drop()
    report = Report(
        version=str(content["version"]),
        release=f"{release[0]}.{release[1]}",
        encoding={name: str(getattr(encoding, name)) for name in DETECTED},
        started=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        kit=kit,
    )
    namespaces = [str(name) for name in content.get("namespaces", [])]
    return report, Runner(asker, encoding, release, embedded=False), schema, namespaces


def _check_rows(
    report: Report,
    runner: Runner,
    schema: OwnSchema,
    behaviours: list[Behaviour],
    progress: Callable[[str], None],
) -> None:
    silent = 0
    for number, behaviour in enumerate(behaviours, 1):
        if number % 50 == 1:
            progress(f"Behaviour {number} of {len(behaviours)}: {behaviour.topic}")
        why = _why_not_claimed(behaviour, runner) or schema.why_not(behaviour)
        if why is not None:
            report.rows.append(_row(behaviour, "not run", why))
            continue
        row, answered = _judged(behaviour, runner)
        report.rows.append(row)
        silent = 0 if answered else silent + 1
        if silent == SILENCES:
            raise _Stopped(f"{SILENCES} requests in succession had no answer; the last: {row.detail}")


def _judged(behaviour: Behaviour, runner: Runner) -> tuple[Row, bool]:
    """Return the verdict on a row, and whether the server answered at all."""
    try:
        difference = runner.attempt(behaviour)
    except TimeoutError:
        return _row(behaviour, "not run", "no answer in time"), False
    except LOST as error:
        return _row(behaviour, "not run", f"the connection was lost: {error}"), False
    except RuntimeError as error:
        return _row(behaviour, "not run", f"the tables could not be restored: {error}"), True
    except (ValueError, KeyError, TypeError, IndexError) as error:
        difference = f"{type(error).__name__}: {error}"
    return _row(behaviour, "refuted" if difference else "confirmed", difference), True


def _row(behaviour: Behaviour, verdict: Any, detail: str | None) -> Row:
    return Row(behaviour.id, behaviour.source, behaviour.reference, verdict, detail)


def _why_not_claimed(behaviour: Behaviour, runner: Runner) -> str | None:
    """Return why a row claims nothing about this server."""
    if runner.applies(behaviour):
        return None
    if behaviour.embedded:
        return "it needs the sample data or the users of the embedded server"
    if behaviour.before or behaviour.since:
        return "it is about other releases"
    return (
        f"it is about values written otherwise: {', '.join(f'{k} {v}' for k, v in behaviour.setting.items())}"
    )


def _inquirer(
    asker: Asker,
    user: str,
    connect: Callable[[float], Asker],
    namespaces: list[str],
    patience: float,
    gateway_seconds: float | None,
) -> Callable[[], Inquiry]:
    return lambda: Inquiry(asker, user, connect, namespaces, patience, gateway_seconds)


def _check_probes(
    report: Report, runner: Runner, inquire: Callable[[], Inquiry], progress: Callable[[str], None]
) -> None:
    for probe in PROBES:
        progress(f"Question {probe.id}: {probe.question}")
        inquiry = inquire()
        verdict, answer = _answer(probe, inquiry, runner)
        report.probes.append(
            Found(probe.id, probe.question, probe.falls_back_to, verdict, answer, inquiry.asked)
        )


def _answer(probe: Probe, inquiry: Inquiry, runner: Runner) -> tuple[Any, str]:
    try:
        runner.restore()
        runner.note_write()
        return "new", probe.ask(inquiry)
    except NotRun as reason:
        return "not run", str(reason)
    except TimeoutError:
        return "not run", "no answer in time"
    except RuntimeError as error:
        return "not run", f"the tables could not be restored: {error}"
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        return "not run", f"the answer has an unknown form: {type(error).__name__}: {error}"


def _dropped(schema: OwnSchema) -> list[str]:
    try:
        return schema.drop()
    except (*LOST, RuntimeError, ValueError, KeyError) as error:
        return [f"the tables of {SCHEMA}, perhaps ({error})"]


def _farewell(asker: Asker) -> None:
    try:
        asker.end()
    except LOST:
        return


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl+C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ignore Ctrl+C and SIGTERM until the block ends; every request in it has a time-out."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


__all__ = ["PATIENCE_SECONDS", "SchemaOccupied", "Unreachable", "verify"]
