"""`iris-quart check`: try each configured server and report what was found."""

from __future__ import annotations

import dataclasses
import getpass
import sys

from pydantic import SecretStr

from .atelier import AtelierClient, Credentials, Limits, Target
from .config import ServerSettings, Settings
from .errors import AuthFailed, IrisQuartError

__all__ = ["check_servers", "read_password"]


def read_password(user: str) -> SecretStr:
    """Ask for the password, without echo; from a pipe its first line is taken."""
    if sys.stdin.isatty():
        return SecretStr(getpass.getpass(f"password of {user}: "))
    return SecretStr(sys.stdin.readline().rstrip("\r\n"))


async def check_servers(
    settings: Settings, user: str | None, password: SecretStr | None, namespace: str | None
) -> int:
    """Try every server and print what is there; 0 when all is well.

    Without a user it only tells whether something that asks for a sign-in answers.
    """
    print(
        f"time-outs: a request to IRIS {settings.request_timeout_seconds:g} s; a change whose answer was lost is"
        f" in doubt for {settings.doubt_time:g} s; the result of a change is kept for"
        f" {settings.write_result_seconds:g} s"
    )
    for note in settings.time_out_notes():
        print(f"  warning: {note}")
    if not settings.servers:
        print("no server is configured")
        return 1
    failed = 0
    for name, server in settings.servers.items():
        print(f"{name}: {server.url}")
        try:
            await _check(settings, server, user, password, namespace)
        except (IrisQuartError, OSError) as error:
            failed += 1
            print(f"  failed: {error}")
            if isinstance(error, IrisQuartError) and error.server_text:
                print(f"  IRIS's message: {error.server_text}")
    return 1 if failed else 0


async def _check(
    settings: Settings,
    server: ServerSettings,
    user: str | None,
    password: SecretStr | None,
    namespace: str | None,
) -> None:
    credentials = Credentials(user or "nobody", password or SecretStr(""))
    client = AtelierClient(Target.of(server), credentials, limits=Limits.of(settings))
    try:
        try:
            info = await client.server_info()
        except AuthFailed:
            if user is None:
                print("  answers and asks for a sign-in; use --user to see more")
                return
            raise
        print(f"  version     {info.version}")
        print(f"  api         {info.api}")
        print(f"  namespaces  {', '.join(info.namespaces)}")
        where = namespace or next((one for one in info.namespaces if one != "%SYS"), "%SYS")
        encoding = await client.encoding(where)
        print(f"  values as seen in {where}:")
        for field in dataclasses.fields(encoding):
            print(f"    {field.name:<22} {getattr(encoding, field.name)!r}")
        print(f"  proofs      {await _proofs(client, where)}")
    finally:
        await client.close()


async def _proofs(client: AtelierClient, namespace: str) -> str:
    """Return how a change is proved at this server."""
    if client.pipelined is None:
        await client.learn_pipelining(namespace)
    if client.pipelined:
        return "read in the same round trip as the change"
    return "read in a second round trip; the server takes no second request before it has answered the first"
