"""Signing in: limits first, then IRIS, then a session; every failure takes its time and tells the same."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from iris_quart.atelier import AtelierClient, Credentials, Limits, ServerInfo, Target
from iris_quart.atelier.address import free_target, one_answer
from iris_quart.config import Settings
from iris_quart.errors import (
    AccessDenied,
    AuthFailed,
    InvalidInput,
    IrisQuartError,
    RateLimited,
    ServerUnreachable,
    StoreUnavailable,
)
from iris_quart.names import namespace_name, same_namespace
from iris_quart.services import AppServices
from iris_quart.sessions import NewSession, Session

__all__ = ["Address", "Application", "prove", "server_key", "sign_in", "typed_address"]

FIELD_CHARACTERS = 256
USER_AGENT_CHARACTERS = 256
PORTS = {"http": 80, "https": 443}
WRONG = "The user name or the password is wrong."
TYPED = "typed address"
UNREACHABLE = "This server cannot be reached from here."


@dataclass(frozen=True, slots=True)
class Address:
    """An IRIS server as a person types it."""

    host: str
    port: int
    https: bool = False
    prefix: str = ""

    @property
    def name(self) -> str:
        """Name it as host:port."""
        return f"{self.canonical_host}:{self.port}"

    @property
    def canonical_host(self) -> str:
        """The host in one spelling: lower case, without a last dot, an address as its numbers."""
        host = self.host.strip().lower().removesuffix(".")
        try:
            address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        except ValueError:
            return host
        inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return f"[{address}]" if inner is None and address.version == 6 else str(inner or address)

    @property
    def canonical_prefix(self) -> str:
        """The path in front of /api/atelier, with a slash before it; empty when there is none."""
        prefix = "/" + self.prefix.strip("/") if self.prefix.strip("/") else ""
        return prefix.removesuffix("/api/atelier").rstrip("/")


@dataclass(frozen=True, slots=True)
class Application:
    """The fields of a sign-in."""

    server: str | Address
    """A name from the settings, or an address."""
    username: str
    password: SecretStr
    namespace: str | None = None
    read_only: bool = False
    address: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class _Server:
    name: str
    key: str
    target: Target | None
    """None for a typed address that is not judged yet."""
    namespaces: tuple[str, ...] | None = None
    read_only: bool = False

    @property
    def counted_as(self) -> str:
        """What tries are counted by: one typed address can be spelled in any number of ways."""
        return TYPED if self.target is None else self.key


def server_key(url: str) -> str:
    """Identify an IRIS server by its address; a hash, so that logs and stores do not tell the host."""
    parts = urlsplit(url)
    port = parts.port or PORTS.get(parts.scheme.lower(), 0)
    text = f"{parts.scheme.lower()}://{(parts.hostname or '').lower()}:{port}{parts.path.rstrip('/')}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def typed_address(text: str) -> str | Address:
    """Read host:port or http(s)://host:port/prefix as a person types it; anything else is a server's name."""
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return text
    if parts.scheme not in {"", "http", "https"} or not host or port is None:
        return text
    if parts.username is not None or parts.query or parts.fragment:
        return text
    return Address(host, port, parts.scheme == "https", parts.path.strip("/"))


async def prove(services: AppServices, application: Application) -> ServerInfo:
    """Test a connection: ask IRIS whether it takes these credentials, and leave again.

    Raises as `sign_in` does.
    """
    _, _, info = await _admitted(services, application)
    return info


async def sign_in(services: AppServices, application: Application, replaced: Session | None) -> str:
    """Sign in and return the id of a new session; the session it replaces ends.

    Raises RateLimited (details.retryAfter in seconds; IRIS was not asked, or knows the person but the account has no
    session left), AuthFailed, ServerUnreachable,
    ConnectionTimeout, ConnectionFailed, InvalidResponse, LicenseLimit, InvalidInput for a namespace that is
    not there, and StoreUnavailable. A failure comes after settings.login_floor_seconds or a multiple of it.
    """
    server, target, info = await _admitted(services, application)
    settings, store = services.settings, services.store
    session_id = await store.create(
        NewSession(
            user=application.username,
            server=server.name,
            server_key=server.key,
            target=target,
            namespace=_namespace(server, info, application.namespace),
            read_only=application.read_only or server.read_only or settings.read_only,
            address=application.address,
            user_agent=application.user_agent[:USER_AGENT_CHARACTERS],
        ),
        Credentials(application.username, application.password),
        replaced=None if replaced is None else replaced.key,
    )
    if replaced is not None:
        await store.end(replaced.key, "replaced")
    return session_id


async def _admitted(services: AppServices, application: Application) -> tuple[_Server, Target, ServerInfo]:
    started = asyncio.get_running_loop().time()
    try:
        server = _find(services.settings, application)
        admission = await services.store.attempt(application.username, server.counted_as, application.address)
        if not admission.allowed:
            raise RateLimited(
                f"Too many tries to sign in. Try again in {max(1, round(admission.seconds))} seconds.",
                details={"retryAfter": admission.seconds},
            )
        if admission.seconds:
            await asyncio.sleep(admission.seconds)
        target, info = await _ask(services, server, application)
        # Also a wrong namespace is only told to those whom IRIS knows.
        _namespace(server, info, application.namespace)
        await services.store.forgive(application.username, server.counted_as, application.address)
    except StoreUnavailable:
        raise
    except IrisQuartError:
        await _wait_for_floor(started, services.settings.login_floor_seconds)
        raise
    return server, target, info


async def _wait_for_floor(started: float, floor: float) -> None:
    """Wait until a whole number of floors has passed: a slow IRIS's own differences must not show either."""
    if floor:
        spent = asyncio.get_running_loop().time() - started
        await asyncio.sleep((spent // floor + 1) * floor - spent)


def _find(settings: Settings, application: Application) -> _Server:
    name = application.username
    if len(name) > FIELD_CHARACTERS or any(ord(character) < 32 for character in name):
        raise InvalidInput("username: is too long or has control characters", field="username")
    if (application.namespace or "").strip():
        namespace_name(application.namespace or "")
    if ":" in application.username:
        # Basic credentials end the name at the first colon (RFC 7617 section 2): the rest of it would be taken
        # for the password's start, and each such name would be counted apart though IRIS sees the same one.
        raise InvalidInput("username: must not have a colon.", field="username")
    asked = application.server
    for name, server in settings.servers.items():
        target = Target.of(server)
        if name == asked if isinstance(asked, str) else server_key(target.url) == _key_of(asked):
            key = server_key(target.url)
            return _Server(name, key, target, server.namespaces, server.read_only is True)
    if isinstance(asked, str) or not settings.allow_free_host:
        raise ServerUnreachable(UNREACHABLE)
    return _Server(asked.name, _key_of(asked), None)


def _key_of(address: Address) -> str:
    text = f"{'https' if address.https else 'http'}://{address.name}{address.canonical_prefix}"
    try:
        return server_key(text)
    except ValueError:
        # A host that makes no URL; the judge of free hosts refuses it, and it still is counted.
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


async def _ask(services: AppServices, server: _Server, application: Application) -> tuple[Target, ServerInfo]:
    if server.target is not None:
        return server.target, await _server_info(services, server.target, application)
    seconds = services.settings.connect_timeout_seconds
    answer = await one_answer(_ask_free(services, application), seconds)
    if isinstance(answer, AuthFailed):
        raise answer
    return answer


async def _ask_free(
    services: AppServices, application: Application
) -> tuple[Target, ServerInfo] | AuthFailed:
    """Ask a typed address. Refused credentials are an answer: they come from an IRIS that is allowed."""
    address, settings = application.server, services.settings
    assert isinstance(address, Address)
    target = await free_target(
        address.host,
        address.port,
        https=address.https,
        prefix=address.canonical_prefix,
        networks=settings.free_host_networks,
        ports=settings.free_host_ports,
        seconds=settings.connect_timeout_seconds,
    )
    try:
        return target, await _server_info(services, target, application)
    except AuthFailed as error:
        return error


async def _server_info(services: AppServices, target: Target, application: Application) -> ServerInfo:
    credentials = Credentials(application.username, application.password)
    client = AtelierClient(target, credentials, limits=Limits.of(services.settings))
    try:
        return await client.server_info()
    except AccessDenied:
        raise
    except AuthFailed:
        raise AuthFailed(WRONG) from None
    finally:
        services.live.upstream.give_back(client)


def _namespace(server: _Server, info: ServerInfo, wanted: str | None) -> str | None:
    """Return the canonical name of a namespace that the server has and the settings show."""
    if not (wanted or "").strip():
        return None
    canonical = namespace_name(wanted or "")
    for names in (info.namespaces, server.namespaces):
        if names is not None and not any(same_namespace(name, canonical) for name in names):
            break
    else:
        return canonical
    raise InvalidInput("This server has no such namespace, or you may not use it.", field="namespace")
