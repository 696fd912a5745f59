"""Create the application; wiring only."""

from __future__ import annotations

from collections.abc import Sequence

from quart import Blueprint, Quart, Websocket

from iris_quart.context import AuditEntry
from iris_quart.dispatch import Commands
from iris_quart.services import EXTENSION, AppServices

from . import __version__, logs
from .atelier import AtelierClient
from .audit import Audit
from .commands.compat import compat
from .commands.connection import connection
from .commands.edits import edits
from .commands.namespaces import namespaces
from .commands.rows import rows
from .commands.single_row import single_row
from .commands.tables import tables
from .config import Settings, load_settings
from .errors import StoreUnavailable
from .extensions import load_blueprints
from .live import sockets
from .live.patches.bounds import harden
from .live.patches.limits import SocketLimits
from .live.read_marks import ReadMarks
from .live.worker import EXTENSION as LIVE
from .live.worker import LiveWorker
from .metrics import Metrics, MetricsPort
from .proxy import trust_proxies
from .sessions import Session, open_store, open_vault
from .tables import Tables
from .tables.new_rows import NewRows
from .tables.time_slices import TimeSlices
from .web import api, assets, auth, editor, health, security, transfers

__all__ = ["create_app"]

STOP_MARGIN = 1.0
"""Seconds that Hypercorn gives open sockets beyond our own drain."""

COMMANDS = (connection, namespaces, tables, rows, edits, single_row, compat)
PAGES = (auth, editor, api, health)


class _Gate:
    """Apply the rules of the web side to sockets."""

    def origin_allowed(self, websocket: Websocket) -> bool:
        return security.origin_allowed(websocket)

    async def session_of(self, websocket: Websocket) -> tuple[str, Session] | None:
        return await security.socket_session(websocket)


def create_app(
    settings: Settings | None = None,
    *,
    demo_users: Sequence[tuple[str, str]] = (),
    blueprints: Sequence[Blueprint] = (),
) -> Quart:
    """Create the application.

    settings: read from the environment and `config.toml` if absent; an invalid one raises BadSettings.
    demo_users: names and passwords that the sign-in page offers; only for the demo.
    blueprints: further blueprints, `CommandBlueprint` or Quart's own, registered after the application's and
    before those that the setting `blueprints` names. A command name that is taken raises ValueError.
    """
    settings = settings or load_settings()
    logs.configure(settings.log_level)
    root = assets.assets_root()
    app = Quart(
        "iris_quart",
        instance_path=str(settings.instance),
        template_folder=str(root / "templates"),
        static_folder=str(root / "static"),
    )
    vault = open_vault(settings.instance)
    commands = Commands()
    commands.init_app(app)
    store = open_store(settings, vault)
    audit = Audit(settings)

    turns, new_rows = TimeSlices(), NewRows()

    def make_tables(client: AtelierClient, session: Session) -> Tables:
        server = settings.servers.get(session.server)
        allowed = server.namespaces if server else None
        return Tables(
            client,
            settings,
            server_key=session.server_key,
            allowed=allowed,
            turns=turns,
            new_rows=new_rows,
        )

    def write_audit(session: Session, entry: AuditEntry) -> None:
        audit.write(session, entry)

    metrics = Metrics(settings)
    read_marks = ReadMarks(vault.signing_keys("read mark"))
    live = LiveWorker(settings, store, commands, _Gate(), make_tables, write_audit, metrics, read_marks)
    live.changes.note_inserted = new_rows.note_other
    live.changes.note_pending = new_rows.note_elsewhere
    new_rows.announce = live.changes.announce_pending
    app.extensions[EXTENSION] = AppServices(settings, store, vault, commands, audit, live, demo_users)
    app.extensions[LIVE] = live
    limits = SocketLimits(
        message_length=settings.message_bytes_max,
        graceful_seconds=settings.drain_seconds + STOP_MARGIN,
        messages_per_second=settings.messages_per_second,
        messages_burst=settings.messages_burst,
        slow_reader_seconds=settings.slow_reader_seconds,
        fast_path=settings.socket_fast_path,
    )
    harden(app, limits)
    security.init_app(app, settings)
    assets.init_app(app)
    transfers.init_app(app)
    for blueprint in COMMANDS:
        app.register_blueprint(blueprint)
    app.register_blueprint(sockets.blueprint)
    for page in PAGES:
        app.register_blueprint(page.blueprint)
    for extension in (*blueprints, *load_blueprints(settings.blueprints)):
        app.register_blueprint(extension)
    _live_with(app, live, metrics, audit)
    trust_proxies(app, settings.trusted_hops)
    return app


def _live_with(app: Quart, live: LiveWorker, metrics: Metrics, audit: Audit) -> None:
    """Start and stop what runs beside the requests."""
    settings, store = live.settings, live.store

    async def refresh() -> None:
        try:
            sessions = await store.count()
        except StoreUnavailable:
            sessions = None
        metrics.state(
            sessions=sessions,
            store_up=live.expiry.store_up,
            clients=len(live.upstream),
            iris_sessions=live.upstream.iris_sessions,
            round_trips=live.upstream.round_trips,
        )

    if metrics.on:
        live.also_run(MetricsPort(metrics, settings.metrics_bind, refresh).run)

    @app.before_serving
    async def start() -> None:
        await store.start()
        await live.start()
        log = logs.get_logger(__name__)
        for note in settings.time_out_notes():
            log.warning(note)
        log.info("worker started", version=__version__)

    @app.after_serving
    async def stop() -> None:
        await live.stop()
        await store.close()
        audit.close()
        logs.get_logger(__name__).info("worker stopped")
