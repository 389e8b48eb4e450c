"""`voirie observatory`: how the kerb was used in a period, by bay, street, quarter, hour and month."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ConfigOption, JsonOption, start
from storage.errors import InputError

if TYPE_CHECKING:  # what asks the database is imported when it runs, so that `voirie --help` answers at once
    from storage.observatory_answers import Compared

_SHOWN = 60


def observatory(  # noqa: PLR0917 - Typer reads options from a function's parameters
    config: ConfigOption = None,
    since: Annotated[
        str | None, typer.Option("--from", help="First local day; otherwise 28 days before the last.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Last local day; otherwise the last that is known.")] = None,
    by: Annotated[
        str,
        typer.Option(help="bay, street, quarter, hour, day_class, month, or some with commas; empty: all together."),
    ] = "",
    kind: Annotated[str | None, typer.Option(help="Only delivery_bay or parking_space.", show_default=False)] = None,
    street: Annotated[str | None, typer.Option(help="Only of this street.", show_default=False)] = None,
    quarter: Annotated[str | None, typer.Option(help="Only of this zone.", show_default=False)] = None,
    compare: Annotated[
        str | None,
        typer.Option(metavar="FROM..TO", help="Another period to compare with; previous: as long, just before."),
    ] = None,
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table for spreadsheets.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say how bays and spaces were used: occupancy, turnover, dwells, overstays, saturation, who found no place."""
    if as_csv and as_json:
        raise InputError("--csv and --json are two forms of one answer: name one of them")
    settings = start(config)
    from cli.registry import desk
    from storage import observatory_answers as answers
    from storage.model import PlaceKind
    from storage.observatory_figures import Question

    if kind is not None and kind not in {PlaceKind.DELIVERY_BAY, PlaceKind.PARKING_SPACE}:
        raise InputError(f"--kind: expected delivery_bay or parking_space, got {kind!r}")
    with desk(settings) as at:
        first, end = answers.period(
            at.connection, at.insee, since=answers.day_of("--from", since), until=answers.day_of("--to", until)
        )
        question = Question(
            since=first, until=end, by=answers.by_of(by), kind=None if kind is None else PlaceKind(kind), street=street,
            quarter=quarter,
        )  # fmt: skip
        other = None if compare is None else answers.other_period(compare, question)
        compared = answers.compared(at.connection, at.insee, question, other)
    if as_json:
        typer.echo(json.dumps(answers.document(at.insee, compared), ensure_ascii=False))
    elif as_csv:
        _write_csv(answers.table(compared))
    else:
        _print(compared)


def _write_csv(rows: list[list[Any]]) -> None:
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)


def _print(compared: Compared) -> None:
    """Print a line for each group, the first sixty."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    names = (
        "group",
        "places",
        "occupied",
        "turnover/day",
        "median dwell",
        "overstays",
        "saturated",
        "find none",
        "offline",
    )
    for name in names:
        table.add_column(name, justify="left" if name == "group" else "right")
    for line in compared.lines[:_SHOWN]:
        usage = line.usage
        table.add_row(
            line.name or "all",
            "" if line.group.places is None else str(line.group.places),
            _told(usage.occupied_share, ".0%"),
            _told(usage.turnover_per_day, ".1f"),
            "" if usage.median_dwell_s is None else f"{usage.median_dwell_s / 60:.0f} min",
            _told(usage.overstay_share, ".0%"),
            _told(usage.saturated_share, ".0%"),
            _told(usage.refused_share, ".0%"),
            _told(usage.offline_share, ".0%"),
        )
    typer.echo(f"{compared.since} to {compared.last}")
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if len(compared.lines) > _SHOWN:
        typer.echo(f"and {len(compared.lines) - _SHOWN} more: --csv or --json prints all", err=True)


def _told(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
