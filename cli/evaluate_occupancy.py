"""`voirie evaluate occupancy`: how well free places are foretold on anybody's counts or bay sensors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.one_line import one_line
from cli.options import JsonOption
from cli.town_files import check_zone, open_lines, say
from storage.errors import InputError

if TYPE_CHECKING:  # what computes is imported when it runs, so that `voirie --help` answers at once
    from optimise.occupancy.trial.table import Site, Table

FoldsOption = Annotated[
    int, typer.Option(help="Parts into which bins or places are split; each is held out once.", min=3)
]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same figures.")]
_MOST_SAID = 10


def occupancy(
    data: Annotated[
        Path, typer.Argument(metavar="DATA.csv[.gz]", help="A row for each reading: place, time, free or occupied.")
    ],
    *,
    capacity_column: Annotated[
        str | None, typer.Option(help="Column of DATA.csv, otherwise of PLACES.csv, with the number of places.")
    ] = None,
    places: Annotated[
        Path | None, typer.Option(help="CSV file with a row for each place: place_id, lon, lat, capacity.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Other names of columns: place_id=car_park,observed_at=snapshot.")
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Zone of the town, and of times that name none.")] = "UTC",
    folds: FoldsOption = 5,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Try the forecast of free places on any data: 15, 30 and 60 minutes ahead, and at places held out."""
    from optimise.occupancy.trial.evaluate import TrialOptions, evaluate

    check_zone(time_zone)
    say("reading")
    table = _read(data, capacity_column=capacity_column, places=places, columns=columns, time_zone=time_zone)
    _say_what_was_read(table)
    trial = evaluate(table, TrialOptions(folds=folds, seed=seed), time_zone=time_zone, progress=say)
    for name, reason in trial.why.items():
        typer.echo(f"{name}: not tried: {reason}", err=True)
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(trial.document).decode())
    else:
        _print(trial.document)


def _read(
    data: Path, *, capacity_column: str | None, places: Path | None, columns: str | None, time_zone: str
) -> Table:
    from optimise.csv_columns import parse_mapping
    from optimise.occupancy.trial.columns import CAPACITY, KNOWN
    from optimise.occupancy.trial.table import has_column, read_table

    mapping = parse_mapping(columns, KNOWN)
    of_places = None
    if capacity_column is not None:
        with open_lines(data) as lines:
            in_data = has_column(lines, capacity_column)
        if in_data or places is None:
            mapping[CAPACITY] = (capacity_column, 1.0)
        else:
            of_places = capacity_column
    sites = None if places is None else _read_places(places, of_places)
    with open_lines(data) as lines:
        table = read_table(lines, time_zone=time_zone, mapping=mapping, sites=sites)
    if not len(table.at_s):
        reason = f"line {table.refusals[0].line}: {table.refusals[0].reason}" if table.refusals else "it has none"
        raise InputError(f"no row of {data} could be taken: {reason}")
    return table


def _read_places(path: Path, capacity_column: str | None) -> dict[str, Site]:
    from optimise.occupancy.trial.table import read_sites

    with open_lines(path) as lines:
        return read_sites(lines, capacity_column=capacity_column)


def _say_what_was_read(table: Table) -> None:
    typer.echo(f"{len(table.names)} places, {len(table.at_s)} rows, {table.refused} refused", err=True)
    for one in table.refusals[:_MOST_SAID]:
        typer.echo(one_line(f"  line {one.line}: {one.reason}"), err=True)
    if table.capacity_guessed:
        typer.echo("no capacity is told: the most that was ever counted at a place stands for it", err=True)


def _print(document: dict[str, Any]) -> None:
    """Print the feeds that tell nothing, and a line for each question."""
    from rich.console import Console
    from rich.table import Table as RichTable

    for one in document["frozen"]:
        typer.echo(f"{one['place_id']}: {one['reason']}, {one['from']} to {one['until']}, {one['rows']} rows left out")
    table = RichTable(box=None, pad_edge=False)
    for name in ("question", "n", "MAE places", "MAE %", "best baseline", "MAE %", "skill", "Brier", "calibration"):
        table.add_column(name, justify="left" if name in {"question", "best baseline"} else "right")
    for part, label in (("horizons", "known places"), ("unseen_places", "unseen places")):
        for minutes, scores in document[part].items():
            if not scores["n"]:
                continue
            skill = scores["skill_vs_best"]
            table.add_row(
                f"{label}, {minutes} min",
                str(scores["n"]),
                f"{scores['mae_places']:.2f}",
                f"{scores['mae_percent']:.2f}",
                scores["best_baseline"],
                f"{scores['baselines'][scores['best_baseline']]:.2f}",
                "" if skill is None else f"{skill:.2f}",
                f"{scores['brier']:.4f}",
                f"{scores['calibration_error']:.4f}",
            )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
