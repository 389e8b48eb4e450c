"""`voirie kpi`: what rounds came to, planned and done, beside what the town drove before."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from cli.options import ConfigOption, JsonOption, start
from storage.errors import InputError

if TYPE_CHECKING:
    from cli.registry import Desk
    from storage.model import Kpi

_DAYS = 28
_WIDTH = 120
"""Characters of a table in a file."""


def kpi(
    config: ConfigOption = None,
    *,
    first: Annotated[
        str | None, typer.Option("--from", help="First day, YYYY-MM-DD; otherwise four weeks.", show_default=False)
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Last day, YYYY-MM-DD; otherwise yesterday.", show_default=False)
    ] = None,
    by: Annotated[str, typer.Option(help="day, sector or month.")] = "day",
    csv: Annotated[Path | None, typer.Option(help="Write a CSV file, too.", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell kilometres, hours, bins, fill at emptying, overflows and CO2: planned, done, and before."""
    settings = start(config)
    from api.kpi_csv import kpi_csv
    from api.models.kpi import KpiModel, KpisModel
    from cli.registry import desk
    from storage import kpi as stored
    from storage.model import KpiBy

    if by not in set(KpiBy):
        raise InputError(f"--by: expected one of {', '.join(KpiBy)}, got {by!r}")
    factor = settings.rounds.co2_kg_per_km
    with desk(settings) as at:
        days = _days(at, first, last)
        found = stored.figures(at.connection, at.insee, first=days[0], last=days[1], by=KpiBy(by), co2_kg_per_km=factor)
    if csv is not None:
        try:
            csv.write_text(kpi_csv(found), encoding="utf-8")
        except OSError as error:
            raise InputError(f"--csv: {csv} cannot be written: {error.strerror}") from error
    if as_json:
        document = KpisModel(
            first=days[0], last=days[1], by=KpiBy(by), co2_kg_per_km=factor, kpis=[KpiModel.of(one) for one in found]
        )
        typer.echo(document.model_dump_json())
    else:
        _print(found)


def _days(at: Desk, first: str | None, last: str | None) -> tuple[date, date]:
    from storage import communes

    now: datetime = communes.clock(at.connection, at.insee).now()
    yesterday = now.astimezone(ZoneInfo(at.commune.time_zone)).date() - timedelta(days=1)
    until = yesterday if last is None else _day("--to", last)
    return until - timedelta(days=_DAYS - 1) if first is None else _day("--from", first), until


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{option}: expected a day like 2026-03-11, got {text!r}") from error


def _print(kpis: list[Kpi]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from api.models.kpi import saved

    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    table = Table()
    kilometres = ("km planned", "done", "by positions", "before", "saved")
    for name in ("", "days", *kilometres, "bins planned", "done", "fill", "overflows"):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    for one in kpis:
        share = saved(one)
        fill = one.done_fill_measured_fraction
        if fill is None:
            fill = one.done_fill_declared_fraction
        cells = (
            str(one.days),
            _figure(one.planned_km, 1),
            _figure(one.done_km, 1),
            _figure(one.done_told_km, 1),
            _figure(one.former_km, 1),
            "-" if share is None else f"{share:.0%}",
            _figure(one.planned_bins, 0),
            _figure(one.done_bins, 0),
            "-" if fill is None else f"{fill:.0%}",
            _figure(one.done_overflows_declared, 0),
        )
        table.add_row(Text(one.key), *cells)
    console.print(table)


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
