"""`voirie evaluate`: how well the methods do, on a town's own data or on months of a simulated one; no database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.evaluate_occupancy import FoldsOption, SeedOption, occupancy
from cli.options import ConfigOption, JsonOption, start
from cli.town_files import check_zone, read_places_file, read_table_file, read_weather_file, say

evaluate = typer.Typer(help="Try the methods against simple ones, without a database.", no_args_is_help=True)
evaluate.command("occupancy")(occupancy)


@evaluate.command("fill")
def fill(
    data: Annotated[Path, typer.Argument(metavar="DATA.csv", help="A row for each level, or for each emptying.")],
    *,
    emptyings: Annotated[bool, typer.Option("--emptyings", help="A row of DATA.csv is an emptying.")] = False,
    places: Annotated[
        Path | None, typer.Option(help="CSV file with a row for each bin: place, kind, volume, anything else.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Other names of columns: bin_id=container,fill_percent=level*10.")
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Zone of the town, and of times that name none.")] = "UTC",
    weather: Annotated[
        Path | None, typer.Option(help="CSV file with the weather of days; tells whether it helps.")
    ] = None,
    folds: FoldsOption = 5,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Try the fill forecast on levels or emptyings of any town: with a sensor, without one, with a few looks."""
    check_zone(time_zone)
    document = _evaluate_fill(
        data,
        emptyings=emptyings,
        places=places,
        columns=columns,
        time_zone=time_zone,
        weather=weather,
        folds=folds,
        seed=seed,
    )
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(document).decode())
    else:
        _print(document)


@evaluate.command("rounds")
def rounds(
    *,
    streets: Annotated[
        Path | None, typer.Option(help="OpenStreetMap extract (.osm.pbf) of a town; otherwise the demo's streets.")
    ] = None,
    bins: Annotated[int, typer.Option(help="Spots with street bins.", min=1)] = 150,
    sensors: Annotated[float, typer.Option(help="Share of bins with a sensor.", min=0.0, max=1.0)] = 0.3,
    vehicles: Annotated[int, typer.Option(help="Vehicles of the town.", min=1)] = 3,
    days: Annotated[int, typer.Option(help="Days that are judged, in each town.", min=1)] = 28,
    seed: Annotated[int, typer.Option(help="The first town's; the same seed gives the same document.")] = 1,
    seeds: Annotated[int, typer.Option(help="Towns: of this seed, the next, ...", min=1)] = 3,
    service: Annotated[float, typer.Option(help="Share of bin-days without overflow that is promised.")] = 0.999,
    warmup_days: Annotated[int, typer.Option(help="Days before, on which each policy's dial is turned.")] = 18,
    history_days: Annotated[int, typer.Option(help="Days before those, from which forecasts learn.")] = 28,
    tries: Annotated[int, typer.Option(help="Positions of the dial that are tried at most.", min=1)] = 2,
    iterations: Annotated[int, typer.Option(help="Steps of each day's search.", min=1)] = 300,
    waste: Annotated[float, typer.Option(help="Litres thrown away, times this, into bins as they are.")] = 1.0,
    processes: Annotated[int | None, typer.Option(help="Processes; otherwise one a core.", min=1)] = None,
    only: Annotated[list[str] | None, typer.Option(help="Play this policy alone; may be repeated.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the comparison into this file (.svg or .png).")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play months of rounds on real streets and compare policies: kilometres, hours and overflows at one service."""
    from cli.months import MonthsTask, evaluate_rounds, print_rounds
    from optimise.rounds.months.options import MonthsOptions

    task = MonthsTask(
        streets=streets,
        bins=bins,
        vehicles=vehicles,
        seed=seed,
        waste=waste,
        processes=processes,
        only=frozenset(only or ()),
        options=MonthsOptions(
            days=days,
            seeds=seeds,
            sensors=sensors,
            service=service,
            warmup_days=warmup_days,
            history_days=history_days,
            tries=tries,
            iterations=iterations,
        ),
    )
    document = evaluate_rounds(task, start(config), progress=_note)
    if plot is not None:
        from cli.months_plot import draw

        draw(document, plot)
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(document).decode())
    else:
        print_rounds(document)


def _note(what: str) -> None:
    typer.echo(what, err=True)


def _evaluate_fill(
    data: Path,
    *,
    emptyings: bool,
    places: Path | None,
    columns: str | None,
    time_zone: str,
    weather: Path | None,
    folds: int,
    seed: int,
) -> dict[str, Any]:
    import time

    from optimise.fill.towns.evaluate import TrialOptions, evaluate
    from optimise.fill.towns.town import build_town

    started = time.perf_counter()
    days = [] if weather is None else read_weather_file(weather)
    table = read_table_file(data, emptyings=emptyings, columns=columns, time_zone=time_zone)
    read_s = time.perf_counter() - started
    town = build_town(
        table,
        of_emptyings=emptyings,
        places=None if places is None else read_places_file(places),
        time_zone=time_zone,
        weather=days,
    )
    about = {"bins": len(table.names), "rows": len(table.at_s), "refused": table.refused}
    refused_rows = [{"line": one.line, "reason": one.reason} for one in table.refusals]
    columns_read = table.columns
    del table  # a year of a thousand bins takes room, and the town has its own
    found = evaluate(town, TrialOptions(folds=folds, seed=seed), progress=say)
    seconds = found.pop("seconds_by_part")
    return {
        **about,
        **found,
        "refused_rows": refused_rows,
        "left_aside": {"frozen": town.frozen},
        "data": {
            "columns": columns_read,
            "emptyings": len(town.emptied_s),
            "kinds": list(town.kinds),
            "usual_gap_h": town.gap_h,
            "features": list(town.feature_names),
            "time_zone": time_zone,
        },
        "options": {"folds": folds, "seed": seed, "emptyings": emptyings},
        "seconds": time.perf_counter() - started,
        "seconds_by_part": {"reading": read_s, **seconds},
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    names = ("voirie", "numpy", "scipy", "scikit-learn")
    return {name: version(name) for name in names} | {"python": sys.version.split()[0]}


def _print(document: dict[str, Any]) -> None:
    """Print a table of the protocols, what was refused, and what could not be tried."""
    from rich.console import Console
    from rich.table import Table as RichTable

    floor = document["noise_floor"]
    typer.echo(f"{document['bins']} bins, {document['rows']} rows, {document['refused']} refused")
    for row in document["refused_rows"][:10]:
        typer.echo(f"  line {row['line']}: {row['reason']}")
    table = RichTable(box=None, pad_edge=False)
    for name in (
        "protocol",
        "n",
        "MAE",
        "best baseline",
        "MAE",
        "skill",
        "in 80 %",
        "width",
        "in 90 %",
        "worst group",
        "floor",
    ):
        table.add_column(name, justify="left" if name in {"protocol", "best baseline"} else "right")
    for name, scores in _protocols(document["protocols"]):
        if scores is None:
            continue
        table.add_row(
            name,
            str(scores["n"]),
            f"{scores['mae']:.1f}",
            scores["best_baseline"],
            f"{scores['baselines'][scores['best_baseline']]:.1f}",
            f"{scores['skill_vs_best']:.2f}",
            f"{scores['coverage_80']:.3f}",
            f"{scores['width_80']:.0f}",
            f"{scores['coverage_90']:.3f}",
            "" if scores["worst_group"] is None else f"{scores['worst_group_coverage_80']:.3f} {scores['worst_group']}",
            _floor_text(scores.get("noise_floor")),
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    for name, reason in document["why"].items():
        typer.echo(f"{name}: not tried: {reason}")
    typer.echo(f"levels differ by {floor['step']:.3g} points at least; rounding alone errs by {floor['rounding']:.2g}")
    if floor["own_curve"] is not None:
        typer.echo(f"who knew each bin's own curve would still err by {floor['own_curve']:.1f} points")
    for name, found in document.get("weather", {}).get("protocols", {}).items():
        typer.echo(f"weather, {name}: {_worth_text(found)}")
    typer.echo(f"{document['seconds']:.0f} s")


def _worth_text(found: dict[str, Any]) -> str:
    """Return what telling of the weather changed."""
    said = "helped" if found["helped"] else "hurt" if found["hurt"] else "made no difference beyond luck"
    luck = "" if found["gain_error"] is None else f" ± {found['gain_error']:.2f}"
    return f"{said}: {found['mae_without']:.2f} points without it, {found['mae']:.2f} with ({found['gain']:+.2f}{luck})"


def _floor_text(floor: dict[str, Any] | None) -> str:
    """Return the error of one who knew each bin's own curve, and by how much luck alone moves the coverage."""
    if floor is None:
        return ""
    luck = "" if floor["coverage_80"] is None else f", ±{floor['coverage_80']:.3f}"
    return f"{floor['mae']:.1f}{luck}" + (", steps" if floor["steps"] else "")


def _protocols(protocols: dict[str, Any]) -> list[tuple[str, dict[str, Any] | None]]:
    return [
        *((f"sensored, {hours} h", scores) for hours, scores in protocols["sensored"].items()),
        ("unsensored", protocols["unsensored"]),
        *((f"{looks} looks", scores) for looks, scores in protocols["few_looks"].items()),
    ]
