"""`voirie communes`: which communes this installation serves. Nothing of a commune is taken in before it is known."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from cli.options import ConfigOption, JsonOption, start
from cli.territories import territories

communes = typer.Typer(no_args_is_help=True, help="Enter the communes that this installation serves, and look at them.")

communes.add_typer(territories, name="territory")

_NO_ZONE = "none"

CodeArgument = Annotated[str, typer.Argument(metavar="INSEE", help="The commune's INSEE code: 93051, 2A004, 97411.")]


@communes.command("add")
def add(
    commune_insee: CodeArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, as people read it.")],
    config: ConfigOption = None,
    time_zone: Annotated[
        str | None,
        typer.Option(help="IANA name; otherwise what is known, or the département's.", show_default=False),
    ] = None,
    school_zone: Annotated[
        str | None,
        typer.Option(help="A, B, C or none; otherwise what is known, or the département's.", show_default=False),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Enter a commune, or correct its name and zones. Harmless when repeated."""
    settings = start(config)
    from cli.wiring import database_url
    from storage import communes as stored
    from storage.database import connect
    from storage.schema_version import require_schema

    with connect(database_url(settings), application="voirie communes") as connection:
        require_schema(connection)
        entered = stored.enter(
            connection,
            commune_insee=commune_insee.strip().upper(),
            name=name,
            time_zone=time_zone,
            school_zone=school_zone if school_zone is None else school_zone.strip().upper(),
            without_school_zone=school_zone is not None and school_zone.strip().lower() == _NO_ZONE,
        )
        connection.commit()
    if as_json:
        typer.echo(json.dumps(_document(entered.commune) | {"change": entered.change}, ensure_ascii=False))
    else:
        typer.echo(f"{_line(entered.commune)}: {entered.change}")


@communes.command("list")
def list_communes(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the communes by INSEE code."""
    settings = start(config)
    from cli.wiring import database_url
    from storage import communes as stored
    from storage.database import connect
    from storage.schema_version import require_schema

    with connect(database_url(settings), application="voirie communes") as connection:
        require_schema(connection)
        found = stored.every(connection)
    if as_json:
        typer.echo(json.dumps({"communes": [_document(commune) for commune in found]}, ensure_ascii=False))
        return
    for commune in found:
        typer.echo(_line(commune))
    if not found:
        typer.echo("no commune yet: `voirie communes add INSEE NAME` enters one", err=True)


@communes.command("show")
def show(commune_insee: CodeArgument, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Show a commune, its clock, and how many places, devices and vehicles it has."""
    settings = start(config)
    from cli.wiring import database_url
    from storage import communes as stored
    from storage import devices, places
    from storage.database import connect
    from storage.schema_version import require_schema

    insee = commune_insee.strip().upper()
    with connect(database_url(settings), application="voirie communes") as connection:
        require_schema(connection)
        commune = stored.one(connection, insee)
        document = _document(commune) | {
            "now": stored.clock(connection, insee).now().isoformat(),
            "simulated": stored.simulation(connection, insee) is not None,
            "places": {kind.value: count for kind, count in places.counts_by_kind(connection, insee).items()},
            "devices": len(devices.of_commune(connection, insee)),
            "vehicles": len(places.vehicles(connection, insee)),
        }
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    typer.echo(_line(commune))
    typer.echo(f"  now {document['now']}{' (simulated)' if document['simulated'] else ''}")
    for kind, count in document["places"].items():
        typer.echo(f"  {count} {kind}")
    typer.echo(f"  {document['devices']} devices, {document['vehicles']} vehicles")


def _document(commune: Any) -> dict[str, Any]:
    return {
        "commune_insee": commune.commune_insee,
        "name": commune.name,
        "time_zone": commune.time_zone,
        "school_zone": commune.school_zone,
    }


def _line(commune: Any) -> str:
    zone = "no school zone" if commune.school_zone is None else f"school zone {commune.school_zone}"
    return f"{commune.commune_insee}  {commune.name} ({commune.time_zone}, {zone})"
