"""The command `iris-quart`: demo, serve, check, verify, protocol, settings, sessions."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import ssl
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from . import __version__
from .config import BadSettings, ServerSettings, Settings, default_instance, load_settings
from .errors import InvalidInput
from .names import namespace_name, same_namespace

__all__ = ["main"]

FAILED, WRONG = 1, 2
PORT = 8000
VERIFY_VARIABLE = "IRIS_PASSWORD"
GATEWAY_SECONDS = 75.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 is success, 1 failure, 2 a wrong setting or option."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except BadSettings as error:
        print(f"iris-quart: {error}", file=sys.stderr)
        return WRONG
    except OSError as error:
        print(f"iris-quart: {error.strerror or error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="iris-quart", description="A table editor for InterSystems IRIS.")
    parser.add_argument("--version", action="version", version=f"iris-quart {__version__}")
    kinds = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = kinds.add_parser("demo", help="run the editor with an embedded IRIS and sample data")
    demo.add_argument("--host", default="127.0.0.1", help="address of the page (default: %(default)s)")
    demo.add_argument("--port", type=int, default=PORT, help="port of the page (default: %(default)s)")
    demo.add_argument(
        "--iris-port", type=int, default=0, help="port of the embedded IRIS (default: a free one)"
    )
    demo.add_argument("--instance", type=Path, help="folder of secrets, sessions and sample data")
    demo.add_argument("--rows", type=int, help="also make the table Big.Measurement with this many rows")
    demo.set_defaults(run=_demo)

    serve = kinds.add_parser("serve", help="serve the configured IRIS servers")
    serve.add_argument(
        "--bind",
        action="append",
        help="host:port, unix:PATH or fd://N; may be repeated (default: 127.0.0.1:8000)",
    )
    serve.add_argument("--workers", type=int, default=1, help="worker processes (default: %(default)s)")
    serve.add_argument("--instance", type=Path, help="folder of config.toml, secrets and sessions")
    serve.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
    serve.set_defaults(run=_serve)

    check = kinds.add_parser("check", help="check the settings and connect to each configured server")
    check.add_argument("--instance", type=Path, help="folder of config.toml")
    check.add_argument("--user", help="sign in as this user; the password is asked for, or read from a pipe")
    check.add_argument(
        "--namespace", help="namespace in which to probe the formats of values (default: the first)"
    )
    check.set_defaults(run=_check)

    verify = kinds.add_parser("verify", help="ask a server what the embedded IRIS claims, and write a report")
    verify.add_argument("--server", required=True, help="name of a configured server")
    verify.add_argument(
        "--user", required=True, help=f"IRIS user; the password is read from {VERIFY_VARIABLE} or asked for"
    )
    verify.add_argument(
        "--namespace", help="where to create the tables (default: the first allowed, or USER)"
    )
    verify.add_argument("--output", type=Path, help="folder of the report (default: the current one)")
    verify.add_argument("--replace", action="store_true", help="drop tables that an earlier run left behind")
    verify.add_argument(
        "--gateway-timeout",
        action="store_true",
        help=f"also run a statement of {GATEWAY_SECONDS:.0f} s to see the web gateway's time-out",
    )
    verify.add_argument("--instance", type=Path, help="folder of config.toml")
    verify.set_defaults(run=_verify)

    protocol = kinds.add_parser("protocol", help="print the reference of the socket's commands and events")
    protocol.add_argument("--schema", action="store_true", help="print the JSON Schema instead")
    protocol.add_argument(
        "--write",
        action="store_true",
        help="write both, and the names that the page uses, into the source tree",
    )
    protocol.add_argument("--instance", type=Path, help="folder of config.toml, which may name blueprints")
    protocol.set_defaults(run=_protocol)

    settings = kinds.add_parser("settings", help="print the example settings, every one with its default")
    settings.add_argument("--write", action="store_true", help="write them into instance/ of the source tree")
    settings.set_defaults(run=_settings)

    sessions = kinds.add_parser("sessions", help="list or end signed-in sessions")
    actions = sessions.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list live sessions, oldest first")
    listing.set_defaults(run=_list_sessions)
    ending = actions.add_parser("end", help="end sessions by id (as `list` shows it), by user, or all")
    which = ending.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?", help="at least 6 digits of the session's id")
    which.add_argument("--user", help="end all sessions of this IRIS user")
    which.add_argument("--all", action="store_true", help="end every session")
    ending.set_defaults(run=_end_sessions)
    for action in (listing, ending):
        action.add_argument("--instance", type=Path, help="folder of config.toml and sessions")
    return parser


def _demo(options: argparse.Namespace) -> int:
    from .demo import DemoOptions, running_in_thread
    from .serve import judge_bind, run_on_loop

    instance = (options.instance or default_instance()).expanduser().resolve()
    try:
        demo_options = DemoOptions(directory=instance / "demo", rows=options.rows)
    except ValueError as error:
        raise BadSettings(str(error)) from None
    # On a loop of its own, so that a long statement of the embedded server never delays the page.
    with running_in_thread(demo_options, port=options.iris_port) as server:
        servers = {
            "demo": ServerSettings(url=server.url, label="Demo", colour="green"),
            "demo-readonly": ServerSettings(
                url=server.url, label="Demo, read-only", colour="grey", read_only=True
            ),
        }
        settings = load_settings(instance=instance, servers=servers)
        if "log_level" not in settings.model_fields_set:
            settings = settings.model_copy(update={"log_level": "warning"})
        if "cookie_name" not in settings.model_fields_set and options.port != PORT:
            # Browsers send a host's cookies to all of its ports: a second demo would sign out the first.
            settings = settings.model_copy(update={"cookie_name": f"{settings.cookie_name}_{options.port}"})
        bind = _place(options.host, options.port)
        judge_bind(settings, [bind])
        return run_on_loop(lambda: _serve_demo(settings, bind, server.url))


async def _serve_demo(settings: Settings, bind: str, iris_url: str) -> int:
    from .app import create_app
    from .demo import DEMO_USERS
    from .serve import serve_app

    users = [(user.name, user.password) for user in DEMO_USERS if user.development]
    app = create_app(settings, demo_users=users)

    def announce() -> None:
        names = " or ".join(f"{name} / {password}" for name, password in users)
        print(
            f"iris-quart {__version__}\n"
            f"  page           http://{bind}\n"
            f"  embedded IRIS  {iris_url}/api/atelier/\n"
            f"  sign in as     {names}\n"
            f"  data           {settings.instance / 'demo'}\n"
            "Plain http, for this machine only. Ctrl-C stops.",
            flush=True,
        )

    app.before_serving(announce)
    await serve_app(app, settings, [bind])
    return 0


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _serve(options: argparse.Namespace) -> int:
    # What is made before the first request lives to the end: looking for garbage in it only holds up the start.
    gc.disable()
    try:
        return _serve_workers(options)
    finally:
        gc.enable()


def _serve_workers(options: argparse.Namespace) -> int:
    from .serve import judge_bind, run_on_loop, serve_app, supervise

    settings = load_settings(instance=options.instance)
    bind = options.bind or ["127.0.0.1:8000"]
    judge_bind(settings, bind)
    if not settings.servers and not settings.allow_free_host:
        raise BadSettings(
            f"servers: none is configured; name one in {settings.config_file} or IRIS_QUART_SERVERS"
        )
    if options.workers > 1:
        rest = ["--instance", str(options.instance)] if options.instance else []
        return supervise(settings, bind, options.workers, rest)

    async def serve() -> int:
        from .app import create_app

        if not options.supervised:
            _say_plain(settings)
        await serve_app(create_app(settings), settings, bind, supervised=options.supervised)
        return 0

    return run_on_loop(serve)


def _say_plain(settings: Settings) -> None:
    if settings.insecure_http:
        print("iris-quart: insecure_http is set: passwords travel unencrypted", file=sys.stderr)
    elif not (settings.public_origin or "").startswith("https://"):
        print("iris-quart: plain http; only browsers on this machine can sign in", file=sys.stderr)


def _check(options: argparse.Namespace) -> int:
    from .check import check_servers, read_password

    settings = load_settings(instance=options.instance)
    found = "read" if settings.config_file.is_file() else "not there"
    print(f"settings are valid; {settings.config_file} is {found}")
    password = read_password(options.user) if options.user else None
    return asyncio.run(check_servers(settings, options.user, password, options.namespace))


def _verify(options: argparse.Namespace) -> int:
    from .check import read_password
    from .demo.behaviours.running import SCHEMA, Asker
    from .demo.verify import SchemaOccupied, Unreachable, as_json, as_text, verify

    settings = load_settings(instance=options.instance)
    server, namespace = _verified_place(settings, options.server, options.namespace)
    folder = options.output or Path()
    if not folder.is_dir():
        raise BadSettings(f"--output: {folder} is not a folder")
    if (password := os.environ.get(VERIFY_VARIABLE)) is None:
        password = read_password(options.user).get_secret_value()
    tls = ssl.create_default_context(cafile=server.ca_file)
    if not server.verify_tls:
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    print(
        f"Creates tables in the schema {SCHEMA} of {namespace} on {options.server}, asks about 600 statements one at"
        " a time, and drops the tables. Nothing else is changed, except that the namespace's counter of row versions"
        " goes on. Ctrl+C stops it and drops the tables too.",
        flush=True,
    )
    try:
        report = verify(
            lambda patience: Asker(server.url, options.user, password, namespace, patience, tls),
            options.user,
            kit=__version__,
            progress=lambda line: print(f"  {line}", flush=True),
            gateway_seconds=GATEWAY_SECONDS if options.gateway_timeout else None,
            replace=options.replace,
        )
    except (SchemaOccupied, Unreachable) as error:
        print(f"iris-quart: {error}", file=sys.stderr)
        return FAILED
    stem = folder / f"iris-quart-verify-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    for suffix, text in ((".txt", as_text(report, options.user)), (".json", as_json(report, options.user))):
        stem.with_suffix(suffix).write_text(text, "utf-8")
    print(", ".join(f"{count} {verdict}" for verdict, count in report.counts().items()))
    print(f"Report: {stem.with_suffix('.txt')} and {stem.with_suffix('.json')}")
    for trouble in filter(None, (report.stopped, ", ".join(report.left_behind))):
        print(f"iris-quart: the run is not complete: {trouble}", file=sys.stderr)
    return FAILED if report.stopped or report.left_behind else 0


def _verified_place(settings: Settings, name: str, namespace: str | None) -> tuple[ServerSettings, str]:
    """Return the server and namespace to verify; raise BadSettings where nothing must be changed."""
    server = settings.servers.get(name)
    if server is None:
        raise BadSettings(
            f"--server: {name} is not configured; known are {', '.join(settings.servers) or 'none'}"
        )
    allowed = server.namespaces
    try:
        namespace = namespace_name(namespace or (allowed[0] if allowed else "USER"))
    except InvalidInput as error:
        raise BadSettings(f"--namespace: {error}") from None
    if allowed is not None and not any(same_namespace(namespace, one) for one in allowed):
        raise BadSettings(f"--namespace: {namespace} is not one of {', '.join(allowed)}")
    if same_namespace(namespace, "%SYS"):
        raise BadSettings("--namespace: %SYS belongs to IRIS itself; name another")
    if settings.read_only or server.read_only is True:
        raise BadSettings(f"--server: {name} is set to read-only, and verify creates tables")
    if server.read_only and any(same_namespace(namespace, one) for one in server.read_only):
        raise BadSettings(f"--namespace: {namespace} is set to read-only, and verify creates tables")
    return server, namespace


def _protocol(options: argparse.Namespace) -> int:
    from . import page_protocol
    from .extensions import load_blueprints
    from .reference import markdown, schema_text, write

    if options.write:
        root = Path(__file__).resolve().parent.parent
        for path in (*write(root), page_protocol.write(root)):
            print(path)
    else:
        blueprints = list(load_blueprints(load_settings(instance=options.instance).blueprints))
        print(schema_text(blueprints) if options.schema else markdown(blueprints), end="")
    return 0


def _settings(options: argparse.Namespace) -> int:
    from .example_settings import example_text, write

    if options.write:
        print(write())
    else:
        print(example_text(), end="")
    return 0


def _list_sessions(options: argparse.Namespace) -> int:
    from .administer import list_sessions

    return asyncio.run(list_sessions(load_settings(instance=options.instance)))


def _end_sessions(options: argparse.Namespace) -> int:
    from .administer import end_sessions

    settings = load_settings(instance=options.instance)
    return asyncio.run(end_sessions(settings, options.id, options.user))


if __name__ == "__main__":
    sys.exit(main())
