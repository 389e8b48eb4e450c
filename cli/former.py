"""`voirie former` and `voirie sectors`: what the town drove before, and which bins belong together."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.auditing import note_import
from cli.file_import import DryRunOption, FileArgument
from cli.file_report import EXIT_INPUT, lines_document, print_faults
from cli.options import ConfigOption, JsonOption, start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cli.registry import Desk
    from storage.device_file import LineError
    from storage.former_file import FormerLine
    from storage.model import FormerRound


former = typer.Typer(no_args_is_help=True, help="The town's former fixed rounds, which figures are compared with.")
sectors = typer.Typer(no_args_is_help=True, help="The sectors that bins belong to.")


@sectors.command("import")
def import_sectors(
    file: FileArgument, config: ConfigOption = None, *, dry_run: DryRunOption = False, as_json: JsonOption = False
) -> None:
    """Take a CSV file of bins' sectors in (place_id, sector): all of it, or nothing and every fault with its line."""
    settings = start(config)
    from cli.registry import content_of, desk
    from storage import kpi
    from storage.former_file import read_sectors

    content = content_of(file)
    found, errors = read_sectors(content)
    if not errors:
        with desk(settings) as at:
            kpi.save_sectors(at.connection, at.insee, found)
            note_import(at.connection, at.insee, "sectors", content, bins=len(found))
            _end(at, dry_run=dry_run)
    named = {sector for sector in found.values() if sector}
    _told({"bins": len(found), "sectors": len(named)}, errors, dry_run=dry_run, as_json=as_json)


@sectors.command("list")
def list_sectors(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the sectors and how many bins each has."""
    settings = start(config)
    from cli.registry import desk
    from storage import bins

    with desk(settings) as at:
        counts: defaultdict[str, int] = defaultdict(int)
        for item in bins.every(at.connection, at.insee):
            counts[item.sector or ""] += 1
    if as_json:
        listed = [{"sector": name or None, "bins": count} for name, count in sorted(counts.items())]
        typer.echo(json.dumps({"sectors": listed}, ensure_ascii=False))
    else:
        for name, count in sorted(counts.items()):
            typer.echo(f"{name or '(none)'}: {count} bins")


@former.command("import")
def import_former(
    file: FileArgument,
    config: ConfigOption = None,
    *,
    compute: Annotated[
        bool, typer.Option("--compute", help="Measure rounds without km and hours on the streets.")
    ] = False,
    fill: Annotated[float, typer.Option(help="With --compute: how full the bins were found, 0 to 1.")] = 0.4,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take a CSV file of former rounds in (sector, weekday, km, hours, bins), in the place of those before."""
    settings = start(config)
    from cli.registry import content_of, desk
    from storage import kpi
    from storage.former_file import read_former

    content = content_of(file)
    lines, errors = read_former(content, complete=not compute)
    rounds: list[FormerRound] = []
    if not errors:
        with desk(settings) as at:
            rounds = former_rounds_of(at, lines, fill_fraction=fill)
            kpi.save_former(at.connection, at.insee, rounds)
            note_import(at.connection, at.insee, "former_rounds", content, rounds=len(rounds))
            _end(at, dry_run=dry_run)
    computed = sum(item.computed for item in rounds)
    _told({"rounds": len(rounds), "computed": computed}, errors, dry_run=dry_run, as_json=as_json)


@former.command("list")
def list_former(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List the former rounds that are known, by sector and weekday."""
    settings = start(config)
    from cli.registry import desk
    from storage import kpi

    with desk(settings) as at:
        rounds = kpi.former_rounds(at.connection, at.insee)
    if as_json:
        from dataclasses import asdict

        typer.echo(json.dumps({"rounds": [asdict(item) for item in rounds]}, ensure_ascii=False))
    else:
        for item in rounds:
            how = f"computed on {item.source}" if item.computed else "told"
            typer.echo(f"{item.sector}, weekday {item.weekday}: {item.km:.1f} km, {item.hours:.2f} h ({how})")


def former_rounds_of(at: Desk, lines: Sequence[FormerLine], *, fill_fraction: float) -> list[FormerRound]:
    """Return the rounds of a file; those without kilometres are computed, each weekday as a whole."""
    from storage.model import FormerRound

    told = [
        FormerRound(sector=line.sector, weekday=line.weekday, km=line.km, hours=line.hours, bins=line.bins)
        for line in lines
        if line.km is not None and line.hours is not None
    ]
    due: defaultdict[int, set[str]] = defaultdict(set)
    for line in lines:
        if line.km is None or line.hours is None:
            due[line.weekday].add(line.sector)
    return told + (_computed(at, due, fill_fraction=fill_fraction) if due else [])


def _computed(at: Desk, due: dict[int, set[str]], *, fill_fraction: float) -> list[FormerRound]:
    from cli.wiring import planner_options
    from optimise.rounds.day import Calendar, Fleet
    from optimise.rounds.engines.best_engine import BestEngine
    from optimise.rounds.former import FormerOptions, former_rounds
    from optimise.rounds.travel import open_travel
    from storage import bins, places
    from storage.model import PlaceKind

    planning = planner_options(at.settings)
    fleet = Fleet(
        vehicles=tuple(places.vehicles(at.connection, at.insee)),
        depots=tuple(places.of_kind(at.connection, at.insee, PlaceKind.DEPOT)),
        disposal_sites=tuple(places.disposal_sites(at.connection, at.insee)),
    )
    monday = date(2026, 6, 1)
    days = {
        weekday: Calendar(service_date=monday + timedelta(days=weekday - 1), time_zone=at.commune.time_zone)
        for weekday in range(1, 8)
    }
    known = bins.every(at.connection, at.insee)
    at.connection.commit()  # nothing is held while the engine searches
    return former_rounds(
        {weekday: frozenset(names) for weekday, names in due.items()},
        bins=known,
        fleet=fleet,
        days=days,
        travel=open_travel(planning.travel()),
        engine=BestEngine(),
        options=FormerOptions(
            limits=planning.limits(),
            seed=planning.seed,
            fill_fraction=fill_fraction,
            kerb_side=planning.kerb_side,
            max_snap_m=planning.max_snap_m,
        ),
        progress=lambda text: typer.echo(text, err=True),
    )


def _end(at: Desk, *, dry_run: bool) -> None:
    if dry_run:
        at.connection.rollback()
    else:
        at.connection.commit()


def _told(counts: dict[str, int], errors: Sequence[LineError], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        document: dict[str, Any] = counts | {"errors": lines_document(errors), "dry_run": dry_run}
        typer.echo(json.dumps(document, ensure_ascii=False))
    elif errors:
        print_faults(errors)
    else:
        would = "would be " if dry_run else ""
        typer.echo(f"{', '.join(f'{count} {name}' for name, count in counts.items())} {would}kept")
    if errors:
        raise typer.Exit(EXIT_INPUT)
