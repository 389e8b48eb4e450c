"""`voirie advise`: what a town could do, with its evidence and what it would bring."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ConfigOption, JsonOption, start
from storage.errors import InputError

if TYPE_CHECKING:  # what computes is imported when it runs, so that `voirie --help` answers at once
    from collections.abc import Callable

advise = typer.Typer(no_args_is_help=True, help="Advise on what a town could change at the kerb.")

_KINDS = {
    "add": "mark out a bay",
    "move": "move a bay",
    "remove": "give a bay up",
    "share": "share hours with others",
    "extend": "keep more hours for deliveries",
    "limit": "shorten the stay",
}
_STAGES = {"fit": "fitting the demand to what sensors saw", "choose": "choosing measures", "play": "playing weeks"}


@advise.callback()
def _group() -> None:
    """Keep `delivery-areas` a command of its own, though it is the only one."""


@advise.command("delivery-areas")
def delivery_areas(  # noqa: PLR0917 - Typer reads options from a function's parameters
    config: ConfigOption = None,
    budget: Annotated[
        float | None, typer.Option(help="Euros that all measures may cost together.", show_default=False)
    ] = None,
    within_m: Annotated[float, typer.Option(help="A bay serves shops within so many metres.")] = 100.0,
    most: Annotated[int, typer.Option(help="At most so many measures.", min=1, max=100)] = 20,
    weeks: Annotated[int, typer.Option(help="Weeks played before and after.", min=2, max=200)] = 12,
    seed: Annotated[int, typer.Option(help="The same seed gives the same advice.", min=0)] = 0,
    streets: Annotated[
        Path | None, typer.Option(help="OpenStreetMap extract with shops; otherwise the settings'.", show_default=False)
    ] = None,
    *,
    serve_all: Annotated[
        bool, typer.Option("--serve-all", help="Every shop that a bay could serve must be served.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say which delivery areas are too few, too many or at wrong hours, and what changes would bring: played first."""
    settings = start(config)
    from cli.job_basis import present
    from cli.registry import desk
    from cli.report.sources import extract_of
    from optimise.occupancy.advice.job import advise_commune
    from optimise.occupancy.advice.options import AdviceOptions

    if streets is not None and not streets.is_file():
        raise InputError(f"--streets: there is no file {streets}")
    try:
        options = AdviceOptions(budget_eur=budget, within_m=within_m, most=most, weeks=weeks, seed=seed)
    except ValueError as error:
        raise InputError(str(error)) from error
    with desk(settings) as at:
        now = present(at.connection, at.insee)
        if now is None:
            raise InputError("the commune's simulated history is still being published: try again when it is done")
        told = advise_commune(
            at.connection,
            at.insee,
            now=now,
            options=options,
            extract=streets or extract_of(settings, at.connection, at.insee),
            serve_all=serve_all,
            progress=_told(),
        )
        at.connection.commit()
    if as_json:
        typer.echo(json.dumps(told.document, ensure_ascii=False))
    else:
        _print(told.document)


def _told() -> Callable[[str, float], None]:
    """Return what says how far the work is: a line for each stage on standard error."""
    last = ""

    def line(stage: str, _share: float) -> None:
        nonlocal last
        if stage != last:
            typer.echo(f"{_STAGES.get(stage, stage)} ...", err=True)
        last = stage

    return line


def _print(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("measure", "where", "refused less/week", "95 %", "hours given back/week", "EUR", "worth EUR/week"):
        table.add_column(name, justify="left" if name in {"measure", "where"} else "right")
    for one in document["measures"]:
        expected = one["expected"]
        avoided = expected["refused_avoided_per_week"]
        table.add_row(
            _KINDS[one["kind"]],
            _where(one),
            f"{avoided['mean']:.1f}",
            f"{avoided['low']:.1f} to {avoided['high']:.1f}",
            f"{expected['gives_back_h_per_week']:.0f}",
            f"{expected['cost_eur']:.0f}",
            f"{expected['worth_eur_per_week']:.1f}",
        )
    Console(width=None if sys.stdout.isatty() else 180).print(table)
    refused = document["refused_per_week"]
    typer.echo(
        f"{document['wanted_per_week']:.0f} deliveries a week, {refused['before']['mean']:.0f} find no place; with "
        f"these measures {refused['after']['mean']:.0f} ({document['cost_eur']:.0f} EUR). "
        f"{len(document['did_not_hold'])} more did not hold when they were played."
    )


def _where(one: dict[str, Any]) -> str:
    area = None if "area_id" not in one else f"{one['area_id']} {one['street'] or ''}".strip()
    spot = None if "at" not in one else f"{one['at']['spot_id']} {one['at']['street'] or ''}".strip()
    return " → ".join(part for part in (area, spot) if part)
