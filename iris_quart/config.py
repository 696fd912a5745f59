"""The settings: one table, read from the environment, then `instance/config.toml`, then the defaults."""

from __future__ import annotations

import ipaddress
import os
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from .names import NamespaceName

__all__ = [
    "BadSettings",
    "ServerSettings",
    "Settings",
    "default_instance",
    "load_settings",
    "unknown_variables",
]

PREFIX = "IRIS_QUART_"
LOCK_SECONDS = 10.0
"""IRIS's default lock time-out: a statement may wait this long for a row before it takes effect."""
GATEWAY_SECONDS = 60.0
"""The Web Gateway's default Server Response Timeout: it gives up an answer, not the statement, after that."""
GATEWAY_MARGIN_SECONDS = 5.0
LOOPBACK_NAMES = {"localhost", "ip6-localhost"}


class BadSettings(Exception):
    """A setting is wrong; the text is one line that names it."""


def default_instance() -> Path:
    """Where state lives when nobody says: `./instance` of a source tree, else Quart's instance path."""
    root = Path(__file__).resolve().parent.parent
    if (root / "pyproject.toml").is_file() and (root / "templates").is_dir():
        return root / "instance"
    return Path(sysconfig.get_path("data")) / "var" / "iris_quart-instance"


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.path not in {"", "/"}
        or parts.query
    ):
        raise ValueError("write it as https://host or https://host:port")
    if parts.username or parts.password:
        raise ValueError("an origin carries no user name")
    # A browser leaves the scheme's own port out, of Host as well as of Origin (RFC 6454 section 6.1).
    own_port = {"http": ":80", "https": ":443"}[parts.scheme]
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(own_port)}"


def _server_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write it as http://host:port or https://host:port/prefix")
    if parts.username or parts.password:
        raise ValueError("leave the user name out; everyone signs in with their own")
    if parts.query or parts.fragment:
        raise ValueError("leave out ? and #")
    return text.rstrip("/").removesuffix("/api/atelier").rstrip("/")


def _import_name(text: str) -> str:
    module, colon, attribute = text.partition(":")
    if not (colon and attribute.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise ValueError("write it as package.module:attribute")
    return text


def _network(text: str) -> str:
    ipaddress.ip_network(text)
    return text


Origin = Annotated[str, AfterValidator(_origin)]


class ServerSettings(BaseModel):
    """One IRIS server that people may sign in to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, AfterValidator(_server_url)] = Field(
        description="Address of IRIS's web server, with its path prefix; /api/atelier is added."
    )
    label: str | None = Field(None, max_length=64, description="Name shown to people; the key if absent.")
    colour: Literal["green", "blue", "amber", "red", "purple", "grey"] | None = Field(
        None, description="Colour of the line on top of the page; red marks production."
    )
    namespaces: tuple[NamespaceName, ...] | None = Field(None, description="Show only these namespaces.")
    read_only: bool | tuple[NamespaceName, ...] = Field(
        False, description="true: no changes at all; a list: no changes in these namespaces."
    )
    production: bool = Field(False, description="Ask for a review before every save.")
    ca_file: Path | None = Field(None, description="Certificate authority for https, as a PEM file.")
    verify_tls: bool = Field(True, description="Check the server's certificate.")


class Settings(BaseSettings):
    """Every setting, with its default, its range and what it means."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    instance: Path = Field(
        default_factory=default_instance, description="Folder for secrets, sessions, audit and config.toml."
    )
    store: str = Field(
        "sqlite", description="Where sessions live: sqlite (one machine) or redis://… or rediss://… (many)."
    )
    servers: dict[str, ServerSettings] = Field(
        default_factory=dict, description="IRIS servers by name; in the environment one JSON object."
    )
    public_origin: Origin | None = Field(
        None, description="The address people type, https://editor.example.org; needed behind a proxy."
    )
    allowed_origins: tuple[Origin, ...] = Field((), description="Further origins whose pages may connect.")
    insecure_http: bool = Field(
        False, description="Allow plain http beyond loopback. Passwords travel unencrypted."
    )
    trusted_hops: int = Field(
        0, ge=0, le=5, description="Number of proxies in front whose X-Forwarded-* headers are trusted."
    )
    cookie_name: str = Field(
        "iris_quart",
        pattern="^[A-Za-z0-9_-]{1,40}$",
        description="Name of the session's cookie. Browsers share cookies between the ports and paths of one host: "
        "several instances on one host need a name each, otherwise they sign each other out.",
    )
    read_only: bool = Field(False, description="Allow no changes, on any server.")
    blueprints: tuple[Annotated[str, AfterValidator(_import_name)], ...] = Field(
        (), description="Further blueprints, each as package.module:attribute; see docs/extending.md."
    )
    drafts: Literal["tab", "browser", "off"] = Field(
        "tab", description="Where the page keeps unsaved edits: this tab, this browser, or nowhere."
    )

    session_idle_seconds: float = Field(
        1800, gt=0, le=86400 * 7, description="A session ends after this idle time."
    )
    session_absolute_seconds: float = Field(
        43200, gt=0, le=86400 * 7, description="A session ends after this time in any case."
    )
    sessions_per_account: int = Field(
        50, ge=1, description="Sessions of one account at a server; one more ends the longest idle one."
    )
    transfers_per_account: int = Field(
        6,
        ge=1,
        description="Exports and whole values that one account at a server moves at once, in all workers.",
    )
    sessions_poll_seconds: float = Field(
        0.2, ge=0.05, le=5, description="How often a worker asks SQLite for sessions ended elsewhere."
    )
    login_attempts_per_minute: int = Field(5, ge=1, description="Sign-in tries per user and server.")
    login_attempts_per_address: int = Field(
        20, ge=1, description="Sign-in tries per minute and client address (IPv6: /64 network)."
    )
    login_attempts_overall: int = Field(
        300,
        ge=1,
        description="Sign-in tries per minute in all, not counting addresses from which an account signed in lately; a "
        "fifth of it for one network (IPv4: /24, IPv6: /48).",
    )
    login_wait_seconds: float = Field(
        10,
        ge=0,
        le=30,
        description="A try beyond these last two limits waits up to this before it is refused.",
    )
    login_known_seconds: float = Field(
        86400 * 30,
        ge=0,
        le=86400 * 366,
        description="How long an account is known at an address where it signed in; tries of others do not refuse it "
        "there.",
    )
    login_floor_seconds: float = Field(
        0.3,
        ge=0,
        le=5,
        description="A refused sign-in is answered after this time, or a multiple, whatever was wrong.",
    )

    request_timeout_seconds: float = Field(
        30, gt=0, le=600, description="Total time for one request to IRIS."
    )
    doubt_seconds: float = Field(
        0,
        ge=0,
        le=3600,
        description="How long a statement whose answer was lost may still take effect in IRIS; at least "
        "request_timeout_seconds + 10, IRIS's lock time-out. 0: that, or the Web Gateway's Server Response Timeout "
        "of 60 s + 5 if it is more.",
    )
    connect_timeout_seconds: float = Field(3, gt=0, le=60, description="Time to reach IRIS at all.")
    response_bytes_max: int = Field(
        32 * 1024 * 1024, ge=65536, description="Largest answer that is accepted from IRIS."
    )
    iris_sessions_per_user: int = Field(
        2, ge=1, le=8, description="IRIS sessions (licences) per signed-in user."
    )
    pipelined_proofs: bool = Field(
        True,
        description="Send the read that proves a change right behind it, where the server answers two requests that "
        "come without a pause (it is tried first).",
    )
    iris_session_idle_seconds: float = Field(
        300, gt=0, description="An unused IRIS session is closed after this time, which frees its licence."
    )
    allow_free_host: bool = Field(
        False,
        description="Let people type the address of an IRIS server; what is set for a server by name does not "
        "apply when another address of it is typed.",
    )
    free_host_networks: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        (), description="Networks (CIDR) that a typed address may lie in."
    )
    free_host_ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = Field(
        (52773,), description="Ports that a typed address may have."
    )

    page_size_max: int = Field(1000, ge=1, le=10000, description="Most rows in one page.")
    preview_characters: int = Field(
        200, ge=16, le=4000, description="Long text and streams travel as previews of this length."
    )
    value_bytes_max: int = Field(
        16 * 1024 * 1024, ge=65536, description="Largest single value read or written whole."
    )
    catalogue_seconds: float = Field(300, ge=0, description="How long column descriptions are remembered.")
    count_seconds: float = Field(30, ge=0, description="How long a row count is remembered.")
    changes_max: int = Field(1000, ge=1, le=10000, description="Most edits in one saveChanges.")
    write_result_seconds: float = Field(
        900, ge=60, description="How long the result of a write is kept by its id."
    )

    message_bytes_max: int = Field(
        1024 * 1024, ge=1024, le=16 * 1024 * 1024, description="Largest socket message."
    )
    socket_fast_path: bool = Field(
        True,
        description="Text messages bypass the queues of Hypercorn and Quart; turn it off to rule it out.",
    )
    messages_per_second: float = Field(40, gt=0, description="Messages a socket may send, on average.")
    messages_burst: int = Field(200, ge=1, description="And at once.")
    message_bytes_per_second: float = Field(
        2 * 1024 * 1024,
        gt=0,
        description="Bytes that the sockets of one session may send, on average, in each worker.",
    )
    message_bytes_burst: int = Field(
        32 * 1024 * 1024, ge=1024, description="And at once; at least message_bytes_max."
    )
    sockets_per_session: int = Field(20, ge=1, description="Open sockets of one session, in each worker.")
    sockets_per_address: int = Field(
        400, ge=1, description="Open sockets from one client address (IPv6: /64 network), in each worker."
    )
    reads_in_flight: int = Field(4, ge=1, le=16, description="Reads that run side by side for one socket.")
    commands_queued: int = Field(
        256, ge=4, description="Commands one socket may have waiting; large ones: four message_bytes_max."
    )
    heartbeat_seconds: float = Field(20, gt=0, description="How often a socket is pinged.")
    dead_peer_seconds: float = Field(
        45, gt=0, description="A socket that sends nothing for this time is closed."
    )
    slow_reader_seconds: float = Field(
        10, gt=0, description="A socket or download that does not read for this time is cut off."
    )
    close_seconds: float = Field(2, gt=0, le=10, description="Time a peer has to answer a close.")
    drain_seconds: float = Field(5, gt=0, le=60, description="Time that commands in flight have at a stop.")
    store_grace_seconds: float = Field(
        60, gt=0, description="Time for which sockets stay open without the session store."
    )

    metrics_bind: str = Field(
        "", description="host:port for Prometheus metrics, loopback advised; empty: off."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged."
    )
    audit: bool = Field(True, description="Append every write to instance/audit.jsonl.")
    audit_values: bool = Field(False, description="Put old and new values into the audit file as well.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: arguments, environment, config.toml."""
        return init_settings, env_settings, _InstanceFile(settings_cls)

    @field_validator("instance", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("store", mode="after")
    @classmethod
    def _store_kind(cls, value: str) -> str:
        if value == "sqlite" or urlsplit(value).scheme in {"redis", "rediss", "unix"}:
            return value
        raise ValueError("must be sqlite, redis://host:port/db, rediss://… or unix://…")

    @field_validator("servers", mode="after")
    @classmethod
    def _server_names(cls, value: dict[str, ServerSettings]) -> dict[str, ServerSettings]:
        for name in value:
            if not name or len(name) > 64 or not all(c.isalnum() or c in "-_." for c in name):
                raise ValueError("a server's name is 1 to 64 letters, digits, - _ or .")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.session_absolute_seconds < self.session_idle_seconds:
            raise ValueError("session_absolute_seconds must not be less than session_idle_seconds")
        least = self.request_timeout_seconds + LOCK_SECONDS
        if 0 < self.doubt_seconds < least:
            raise ValueError(
                f"doubt_seconds must be at least request_timeout_seconds + {LOCK_SECONDS:g}, IRIS's lock time-out: "
                f"{least:g}"
            )
        if self.message_bytes_burst < self.message_bytes_max:
            raise ValueError("message_bytes_burst must not be less than message_bytes_max")
        if self.dead_peer_seconds <= self.heartbeat_seconds:
            raise ValueError("dead_peer_seconds must be greater than heartbeat_seconds")
        if self.public_origin and self.public_origin.startswith("http://") and not self.insecure_http:
            host = urlsplit(self.public_origin).hostname or ""
            if not is_loopback(host):
                raise ValueError(
                    "public_origin is plain http beyond loopback; use https or set insecure_http"
                )
        return self

    @property
    def touch_lag_seconds(self) -> float:
        """Seconds by which the stored idle deadline of a session may lag the true one: the store is written rarely."""
        return min(30.0, self.session_idle_seconds / 10)

    @property
    def doubt_time(self) -> float:
        """Seconds after which a statement that has had no effect will have none."""
        least = self.request_timeout_seconds + LOCK_SECONDS
        return self.doubt_seconds or max(GATEWAY_SECONDS + GATEWAY_MARGIN_SECONDS, least)

    def time_out_notes(self) -> list[str]:
        """List the time-outs that do not fit together, one readable line each."""
        notes = []
        gateway = GATEWAY_SECONDS + GATEWAY_MARGIN_SECONDS
        if self.doubt_time < gateway:
            notes.append(
                f"doubt_seconds ({self.doubt_time:g}) is less than the Web Gateway's default Server Response Timeout"
                f" + {GATEWAY_MARGIN_SECONDS:g} ({gateway:g}): a change called not made may still be made, unless the"
                " gateway gives up sooner"
            )
        if self.write_result_seconds < self.doubt_time + self.request_timeout_seconds:
            notes.append(
                f"write_result_seconds ({self.write_result_seconds:g}) is less than the doubt time +"
                f" request_timeout_seconds ({self.doubt_time + self.request_timeout_seconds:g}): the outcome of a"
                " change may be forgotten before it is known"
            )
        return notes

    @property
    def config_file(self) -> Path:
        """The file that was, or would have been, read."""
        return self.instance / "config.toml"


def is_loopback(host: str) -> bool:
    """Return whether a host name or address can only be this machine."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class _InstanceFile(PydanticBaseSettingsSource):
    """`config.toml` of the instance folder that the sources before this one named."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not asked: the whole file is given at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Read the file; a missing one is empty."""
        instance = Path(self.current_state.get("instance") or default_instance()).expanduser()
        path = instance / "config.toml"
        try:
            with path.open("rb") as file:
                values = tomllib.load(file)
        except FileNotFoundError:
            return {}
        except tomllib.TOMLDecodeError as error:
            raise BadSettings(f"{path}: not valid TOML: {error}") from error
        except OSError as error:
            raise BadSettings(f"{path}: cannot be read: {error.strerror}") from error
        if "instance" in values:
            raise BadSettings(
                f"{path}: instance cannot be set in its own file; use {PREFIX}INSTANCE or --instance"
            )
        for key in values:
            if key not in Settings.model_fields:
                raise BadSettings(f"{path}: unknown setting {key!r}")
        return values


def unknown_variables() -> list[str]:
    """List `IRIS_QUART_*` variables that no setting reads; orchestrators inject some, so they only warn."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    # The demo and the tests read these themselves.
    known |= {f"{PREFIX}{name}" for name in ("CHROMIUM", "DEMO_ENCODING", "DEMO_ORDER", "TEST_REDIS")}
    return sorted(
        name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known
    )


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Keyword arguments win over environment and file; None is ignored. Raises BadSettings with one line
    that names the setting and where it came from.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise BadSettings(_one_line(error, given)) from None
    except SettingsError as error:
        # pydantic-settings names the field when a JSON value of the environment does not parse.
        raise BadSettings(f"environment: {error}".splitlines()[0]) from None
    names = unknown_variables()
    if names:
        print(f"iris-quart: unknown environment variables are ignored: {', '.join(names)}", file=sys.stderr)
    return settings


def _one_line(error: ValidationError, given: dict[str, Any]) -> str:
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    location = first["loc"]
    message = first["msg"].removeprefix("Value error, ")
    if not location:
        return message
    name = str(location[0])
    path = ".".join(str(part) for part in location)
    variable = f"{PREFIX}{name}".upper()
    if name in given:
        origin = path
    elif os.environ.get(variable):
        origin = f"{variable} ({path})" if len(location) > 1 else variable
    else:
        origin = f"config.toml: {path}"
    return f"{origin}: {message}"
