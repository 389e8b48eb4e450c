"""`voirie weather`: the weather of days, past or foretold, where the town has a feed of it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.auditing import note_import
from cli.file_report import tell_import
from cli.options import ConfigOption, JsonOption, start

weather = typer.Typer(no_args_is_help=True, help="Tell the forecast of the weather.")


@weather.command("import")
def import_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV file; - reads standard input.")],
    config: ConfigOption = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look for faults and write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Take a CSV file of days' weather in: all of it, or nothing and every fault with its line."""
    settings = start(config)
    from cli.registry import content_of, desk
    from storage import weather as days

    content = content_of(file)
    with desk(settings) as at:
        report = days.import_weather(at.connection, at.insee, content, dry_run=dry_run)
        if not report.errors and not dry_run:
            counts = {"imported": report.imported, "updated": report.updated}
            note_import(at.connection, at.insee, "weather", content, **counts)
        at.connection.commit()
    tell_import(report, "days", dry_run=dry_run, as_json=as_json)


@weather.command("list")
def list_days(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the days whose weather is known."""
    settings = start(config)
    import msgspec

    from cli.registry import desk
    from storage import weather as days

    with desk(settings) as at:
        found = days.every(at.connection, at.insee)
    if as_json:
        typer.echo(json.dumps({"days": [msgspec.to_builtins(day) for day in found]}, ensure_ascii=False))
        return
    for day in found:
        temperature = "" if day.temperature_c is None else f"  {day.temperature_c:.1f} °C"
        rain = "" if day.rain_mm is None else f"  {day.rain_mm:.1f} mm"
        typer.echo(f"{day.day}{temperature}{rain}")
