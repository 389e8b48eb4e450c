"""`voirie rules`: what rounds have to know of bins, vehicles and disposal sites beyond where they are."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.auditing import note_import
from cli.file_import import DryRunOption
from cli.options import ConfigOption, JsonOption, start

rules = typer.Typer(no_args_is_help=True, help="Access, hours, crews and prices that rounds have to keep.")


@rules.command("import")
def import_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON file; - reads standard input.")],
    config: ConfigOption = None,
    *,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take a JSON file of rules in: all of it, or nothing and the fault."""
    settings = start(config)
    from cli.registry import content_of, desk
    from storage import round_rules

    content = content_of(file, most=round_rules.MOST_BYTES)
    found = round_rules.decode(content)
    with desk(settings) as at:
        round_rules.save(at.connection, at.insee, found)
        if dry_run:
            at.connection.rollback()
        else:
            note_import(at.connection, at.insee, "rules", content, bins=len(found.bins), vehicles=len(found.vehicles))
            at.connection.commit()
    counts = {
        "bins": len(found.bins),
        "vehicles": len(found.vehicles),
        "disposal_sites": len(found.disposal_sites),
    }
    if as_json:
        typer.echo(json.dumps(counts | {"dry_run": dry_run}))
    else:
        would = "would be " if dry_run else ""
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        typer.echo(f"rules of {told} {would}kept")


@rules.command("list")
def list_rules(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Print the rules that are kept, as `import` reads them."""
    settings = start(config)
    from cli.registry import desk
    from storage import round_rules

    with desk(settings) as at:
        found = round_rules.every(at.connection, at.insee)
    document = round_rules.encode(found).decode()
    typer.echo(json.dumps(json.loads(document), ensure_ascii=False) if as_json else document)
