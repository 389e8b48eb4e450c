"""`voirie weather`: the weather of days, past or foretold, where the town has a feed of it."""

from __future__ import annotations

import json

import typer

from cli.file_import import DryRunOption, FileArgument, take_in
from cli.options import ConfigOption, JsonOption, start

weather = typer.Typer(no_args_is_help=True, help="Tell the forecast of the weather.")


@weather.command("import")
def import_file(
    file: FileArgument,
    config: ConfigOption = None,
    *,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take a CSV file of days' weather in: all of it, or nothing and every fault with its line."""
    settings = start(config)
    from storage import weather as days

    take_in(settings, file, days.import_weather, noted="weather", told="days", dry_run=dry_run, as_json=as_json)


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
