"""`voirie communes territory`: communes together, and which accounts read their figures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.accounts import opened
from cli.auditing import note
from cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from uuid import UUID

    from storage.database import Connection
    from storage.territories import Territory

territories = typer.Typer(
    no_args_is_help=True, help="Enter territories (an EPT, the Métropole), and say which accounts read their figures."
)

CodeArgument = Annotated[str, typer.Argument(metavar="CODE", help="What the territory is called here: t9, metropole.")]
AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="As `voirie accounts list` tells it.")]


@territories.command("save")
def save(
    code: CodeArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, as people read it.")],
    commune: Annotated[
        list[str], typer.Option("--commune", help="INSEE code of a commune; may be repeated.", show_default=False)
    ],
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Enter a territory, or correct its name and its communes. Harmless when repeated."""
    from storage import territories as stored
    from storage.audit import INSTALLATION

    with opened(config) as connection:
        saved = stored.save(connection, code=code, name=name, communes_insee=commune)
        note(connection, INSTALLATION, "territory.saved", f"territory:{saved.code}", communes=list(saved.communes))
    _say(saved, as_json=as_json)


@territories.command("list")
def list_territories(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the territories, their communes and who reads their figures."""
    from storage import territories as stored

    with opened(config) as connection:
        found = stored.every(connection)
    if as_json:
        typer.echo(json.dumps({"territories": [_document(one) for one in found]}, ensure_ascii=False))
        return
    for one in found:
        _say(one, as_json=False)
    if not found:
        typer.echo("no territory yet: `voirie communes territory save CODE NAME --commune INSEE` enters one", err=True)


@territories.command("grant")
def grant(
    code: CodeArgument, account: AccountArgument, config: ConfigOption = None, *, as_json: JsonOption = False
) -> None:
    """Let an account read the figures of a territory's communes, summed up. Harmless when repeated."""
    from storage import territories as stored

    with opened(config) as connection:
        _change(connection, stored.one(connection, code), account, "account.granted")
        changed = stored.one(connection, code)
    _say(changed, as_json=as_json)


@territories.command("withdraw")
def withdraw(
    code: CodeArgument, account: AccountArgument, config: ConfigOption = None, *, as_json: JsonOption = False
) -> None:
    """Take that back, from the account's next request on. Harmless when repeated."""
    from storage import territories as stored

    with opened(config) as connection:
        _change(connection, stored.one(connection, code), account, "account.withdrawn")
        changed = stored.one(connection, code)
    _say(changed, as_json=as_json)


def _change(connection: Connection, territory: Territory, name: str, act: str) -> None:
    from storage import accounts
    from storage import territories as stored
    from storage.audit import INSTALLATION

    account_id: UUID = accounts.by_name(connection, name).account_id
    change = stored.grant if act == "account.granted" else stored.withdraw
    change(connection, account_id, territory)
    note(connection, INSTALLATION, act, f"account:{account_id}", territory=territory.code)


def _document(territory: Territory) -> dict[str, Any]:
    return {
        "code": territory.code,
        "name": territory.name,
        "communes": list(territory.communes),
        "accounts": list(territory.accounts),
    }


def _say(territory: Territory, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_document(territory), ensure_ascii=False))
        return
    readers = ", ".join(territory.accounts) or "nobody yet"
    typer.echo(f"{territory.code}  {territory.name}: {', '.join(territory.communes)}; read by {readers}")
