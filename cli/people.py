"""`voirie people`: what is stored of somebody, to hand out to them, and to erase when they ask."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.auditing import note, operator
from cli.options import ConfigOption, JsonOption, start

if TYPE_CHECKING:
    from config.settings import Settings
    from storage.database import Connection

people = typer.Typer(no_args_is_help=True, help="Write out, or erase, what is stored of a person.")

WhoArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME_OR_ID", help="An account's name, shown name or id; or a name that records carry, without account."
    ),
]


@people.command("export")
def export(who: WhoArgument, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Write out every row that names a person: what they may ask for (GDPR, article 15). The audit notes it."""
    settings = start(config)
    from storage import people as stored
    from storage.audit import INSTALLATION
    from storage.errors import NotFoundError

    with _connection(settings) as connection:
        person = stored.find(connection, who)
        found = stored.export(connection, person)
        if not found:
            raise NotFoundError(f"nothing is stored of {who!r}")
        # The name itself would be one more trace of the person.
        subject = "person" if person.account_id is None else f"account:{person.account_id}"
        note(
            connection, INSTALLATION, "person.exported", subject, rows={name: len(rows) for name, rows in found.items()}
        )
        connection.commit()
    if as_json:
        document = {"names": list(person.names), "account_id": person.account_id, "found": found}
        typer.echo(json.dumps(document, ensure_ascii=False, default=_written))
        return
    for table, rows in found.items():
        typer.echo(f"{table}: {len(rows)}")
        for row in rows:
            told = ", ".join(
                f"{name} {_short(value)}" for name, value in row.items() if value is not None and name != "row_id"
            )
            typer.echo(f"  {told}")


@people.command("erase")
def erase(
    who: WhoArgument,
    config: ConfigOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put a pseudonym in the place of a person's name everywhere, and delete their account (GDPR, article 17).

    The audit trail stays whole: what was done stays, and who did it is told no more.
    """
    settings = start(config)
    from storage import people as stored
    from storage.errors import InputError

    with _connection(settings) as connection:
        person = stored.find(connection, who)
        if not yes:
            if as_json:
                raise InputError("--json asks nothing: say --yes to erase")
            if not sys.stdin.isatty():
                raise InputError("nobody is there to be asked: say --yes to erase")
            of_account = " and delete the account" if person.account_id is not None else ""
            typer.confirm(f"erase {', '.join(person.names)} from every record{of_account}, for good?", abort=True)
        done = stored.erase(connection, person, actor=operator())
        connection.commit()
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "pseudonym": done.pseudonym,
                    "account": done.account,
                    "rows": dict(done.rows),
                    "resealed": done.resealed,
                }
            )
        )
        return
    told = ", ".join(f"{table} {rows}" for table, rows in done.rows.items())
    typer.echo(
        f"erased: {told}; {done.pseudonym} stands for the name, {done.resealed} sealed anew in the audit's chain"
    )
    typer.echo("backups keep it until you replace them", err=True)


@contextmanager
def _connection(settings: Settings) -> Iterator[Connection]:
    from cli.wiring import database_url
    from storage.database import connect
    from storage.schema_version import require_schema

    with connect(database_url(settings), application="voirie people") as connection:
        require_schema(connection)
        yield connection


def _short(value: Any) -> str:
    return _written(value) if isinstance(value, (bytes, memoryview)) else str(value)


def _written(value: Any) -> str:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
