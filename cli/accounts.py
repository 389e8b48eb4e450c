"""`voirie accounts`: who may log in, and what each may do in which commune."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from cli.auditing import note
from cli.options import ConfigOption, JsonOption, start

if TYPE_CHECKING:
    from storage.database import Connection
    from storage.model import Account, Grant, Role
    from storage.teams import NamedSession

accounts = typer.Typer(no_args_is_help=True, help="Make the accounts of people, and say what each may do.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What they type to log in, such as an address.")]
CommuneOption = Annotated[str | None, typer.Option("--commune", help="INSEE code of the commune.", show_default=False)]
GrantedOption = Annotated[str, typer.Option("--commune", help="INSEE code of the commune.", show_default=False)]
RolesOption = Annotated[
    list[str],
    typer.Option(
        "--role",
        help="dispatcher, driver, officer, parking_manager, data_reader, integrator, administrator or "
        "territory_reader; may be repeated.",
        show_default=False,
    ),
]
PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of making one.")
]


@accounts.command("add")
def add(
    name: NameArgument,
    config: ConfigOption = None,
    display_name: Annotated[
        str | None, typer.Option("--display", help="What colleagues read; otherwise NAME.", show_default=False)
    ] = None,
    commune: CommuneOption = None,
    role: RolesOption = [],  # noqa: B006 - Typer reads the default and never changes it
    *,
    password_stdin: PasswordOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make an account, with roles in a commune. Its password is shown once."""
    from storage import accounts as stored
    from storage import passwords
    from storage.errors import InputError

    roles = roles_of(role)
    if bool(roles) is not (commune is not None):
        raise InputError("expected --commune and at least one --role together")
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else passwords.made()
    with opened(config) as connection:
        made = stored.add(connection, name=name, display_name=display_name or name, password=password)
        _note_of(connection, made, "account.added")
        for grant in [] if commune is None else _grants(connection, commune, roles):
            _grant(connection, made, grant)
        document = _document(connection, made)
    if not password_stdin:
        document["password"] = password
    _say(document, as_json=as_json)


@accounts.command("list")
def list_accounts(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the accounts, and what each may do."""
    from storage import accounts as stored

    with opened(config) as connection:
        documents = [_document(connection, account) for account in stored.every(connection)]
    if as_json:
        typer.echo(json.dumps({"accounts": documents}, ensure_ascii=False))
        return
    for document in documents:
        _say(document, as_json=False)
    if not documents:
        typer.echo("no account yet: `voirie accounts add NAME --commune INSEE --role ROLE` makes one", err=True)


@accounts.command("grant")
def grant(
    name: NameArgument,
    commune: GrantedOption,
    role: RolesOption,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Let an account do more, in a commune. Harmless when repeated."""
    with opened(config) as connection:
        document = _changed(connection, name, commune, role, _grant)
    _say(document, as_json=as_json)


@accounts.command("withdraw")
def withdraw(
    name: NameArgument,
    commune: GrantedOption,
    role: RolesOption,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take roles back, from the account's next request on. Harmless when repeated."""
    with opened(config) as connection:
        document = _changed(connection, name, commune, role, _withdraw)
    _say(document, as_json=as_json)


@accounts.command("reset")
def reset(
    name: NameArgument,
    config: ConfigOption = None,
    *,
    password_stdin: PasswordOption = False,
    second_factor: Annotated[
        bool,
        typer.Option(
            "--second-factor", help="Take the second factor away instead, and leave the password: a lost phone."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Give an account another password, shown once, or take its second factor away; ends its sessions."""
    from storage import accounts as stored
    from storage import passwords, second_factors
    from storage.errors import InputError

    if second_factor:
        if password_stdin:
            raise InputError("expected --second-factor or --password-stdin, got both")
        with opened(config) as connection:
            account = stored.by_name(connection, name)
            second_factors.remove(connection, account.account_id)
            _note_of(connection, account, "account.second_factor_removed")
            document = _document(connection, account)
        _say(document, as_json=as_json)
        return
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else passwords.made()
    with opened(config) as connection:
        account = stored.by_name(connection, name)
        stored.set_password(connection, account, password)
        _note_of(connection, account, "account.reset")
        document = _document(connection, stored.by_name(connection, name))
    if not password_stdin:
        document["password"] = password
    _say(document, as_json=as_json)


@accounts.command("end-sessions")
def end_sessions(name: NameArgument, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Log an account out everywhere, at once: a lost tablet, somebody who left."""
    from storage import accounts as stored

    with opened(config) as connection:
        account = stored.by_name(connection, name)
        ended = stored.end_sessions(connection, account.account_id)
        _note_of(connection, account, "account.sessions_ended")
    if as_json:
        typer.echo(json.dumps({"name": account.name, "ended": ended}, ensure_ascii=False))
    else:
        typer.echo(f"{account.name}: {ended} sessions ended")


@accounts.command("sessions")
def sessions(config: ConfigOption = None, commune: CommuneOption = None, *, as_json: JsonOption = False) -> None:
    """List who is logged in, on which device, since when, and when each was last heard of."""
    from storage import communes, teams

    with opened(config) as connection:
        known = None if commune is None else communes.one(connection, commune.strip().upper()).commune_insee
        found = teams.every(connection, now=datetime.now(UTC), commune_insee=known)
    if as_json:
        typer.echo(json.dumps({"sessions": [_session(one) for one in found]}, ensure_ascii=False))
        return
    for one in found:
        device = one.device or one.user_agent or "?"
        typer.echo(
            f"{one.session_id}  {one.name}  {device}  since {one.opened_at:%Y-%m-%d %H:%M}, "
            f"seen {one.seen_at:%H:%M}, until {one.ends_at:%Y-%m-%d %H:%M} UTC"
        )
    if not found:
        typer.echo("nobody is logged in", err=True)


@accounts.command("end-session")
def end_session(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="As `voirie accounts sessions` tells it.")],
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Log one device out, at once: its next request is led to the log-in."""
    from storage import teams
    from storage.audit import INSTALLATION
    from storage.errors import InputError

    try:
        session_id = UUID(session)
    except ValueError as error:
        raise InputError(f"SESSION: expected an id as `voirie accounts sessions` tells it, got {session!r}") from error
    with opened(config) as connection:
        account_id, name = teams.end_any(connection, session_id)
        note(connection, INSTALLATION, "session.ended", f"session:{session_id}", account_id=str(account_id))
    if as_json:
        typer.echo(json.dumps({"session_id": str(session_id), "name": name, "ended": True}, ensure_ascii=False))
    else:
        typer.echo(f"{session_id}: ended, {name}")


@accounts.command("disable")
def disable(
    name: NameArgument,
    config: ConfigOption = None,
    *,
    enable: Annotated[bool, typer.Option("--enable", help="Let it log in again instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Keep an account from logging in, and its sessions from going on, at once."""
    from storage import accounts as stored

    with opened(config) as connection:
        account = stored.by_name(connection, name)
        stored.disable(connection, account.account_id, disabled=not enable)
        _note_of(connection, account, "account.enabled" if enable else "account.disabled")
        document = _document(connection, stored.by_name(connection, name))
    _say(document, as_json=as_json)


@contextmanager
def opened(config: Any) -> Iterator[Connection]:
    """Yield a connection to a database of this version; what was done is committed at the end."""
    settings = start(config)
    from cli.wiring import database_url
    from storage.database import connect
    from storage.schema_version import require_schema

    with connect(database_url(settings), application="voirie accounts") as connection:
        require_schema(connection)
        yield connection
        connection.commit()


def roles_of(names: list[str]) -> list[Role]:
    """Return the roles of these names. Raises InputError for one that there is not."""
    from storage.errors import InputError
    from storage.model import Role

    try:
        return [Role(name.strip().lower().replace("-", "_")) for name in names]
    except ValueError as error:
        raise InputError(f"role: expected one of {', '.join(Role)}, got {', '.join(names)}") from error


def _note_of(connection: Connection, account: Account, act: str) -> None:
    from storage.audit import INSTALLATION

    note(connection, INSTALLATION, act, f"account:{account.account_id}")


def _changed(
    connection: Connection,
    name: str,
    commune: str,
    roles: list[str],
    change: Callable[[Connection, Account, Grant], None],
) -> dict[str, Any]:
    from storage import accounts as stored

    account = stored.by_name(connection, name)
    for grant in _grants(connection, commune, roles_of(roles)):
        change(connection, account, grant)
    return _document(connection, account)


def _grants(connection: Connection, commune: str, roles: list[Role]) -> list[Grant]:
    from storage import communes
    from storage.model import Grant

    known = communes.one(connection, commune.strip().upper())
    return [Grant(commune_insee=known.commune_insee, role=role) for role in roles]


def _grant(connection: Connection, account: Account, grant: Grant) -> None:
    from storage import accounts as stored

    stored.grant(connection, account.account_id, grant)
    note(connection, grant.commune_insee, "account.granted", f"account:{account.account_id}", role=grant.role)


def _withdraw(connection: Connection, account: Account, grant: Grant) -> None:
    from storage import accounts as stored

    stored.withdraw(connection, account.account_id, grant)
    note(connection, grant.commune_insee, "account.withdrawn", f"account:{account.account_id}", role=grant.role)


def _document(connection: Connection, account: Account) -> dict[str, Any]:
    from storage import accounts as stored
    from storage import second_factors

    granted: dict[str, list[str]] = {}
    for grant in stored.grants(connection, account.account_id):
        granted.setdefault(grant.commune_insee, []).append(grant.role.value)
    return {
        "name": account.name,
        "display_name": account.display_name,
        "created_at": account.created_at.isoformat(),
        "disabled": account.disabled_at is not None,
        "second_factor": second_factors.of(connection, account.account_id) is not None,
        "roles": granted,
    }


def _session(one: NamedSession) -> dict[str, Any]:
    return {
        "session_id": str(one.session_id),
        "name": one.name,
        "display_name": one.display_name,
        "device": one.device,
        "user_agent": one.user_agent,
        "opened_at": one.opened_at.isoformat(),
        "seen_at": one.seen_at.isoformat(),
        "ends_at": one.ends_at.isoformat(),
    }


def _say(document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    roles = "; ".join(f"{insee}: {', '.join(roles)}" for insee, roles in document["roles"].items()) or "no role"
    typer.echo(f"{document['name']} ({document['display_name']}){' disabled' if document['disabled'] else ''}  {roles}")
    if "password" in document:
        typer.echo(f"  password, shown this once: {document['password']}")
