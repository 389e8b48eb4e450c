"""`voirie evaluate rounds`: build the towns, let the policies play, tell what came of it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import typer

from cli.months_town import FIRST_DAY, TownPlan, assumptions, build_towns
from cli.wiring import planner_options
from config.settings import Settings
from optimise.rounds.months.evaluate import evaluate_months
from optimise.rounds.months.options import MonthsOptions
from simulators.streets import default_extract
from storage.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthsTask:
    """What was asked for: towns of `bins` on `streets` (None: the demo's), of seeds `seed` and the next ones."""

    streets: Path | None
    bins: int
    vehicles: int
    seed: int
    waste: float
    processes: int | None
    only: frozenset[str]
    options: MonthsOptions


def evaluate_rounds(task: MonthsTask, settings: Settings, *, progress: Callable[[str], None]) -> dict[str, Any]:
    """Return the document. Raises InputError for streets that cannot be read or have no room for the bins."""
    # One thread a numeric library: there is a process for every core already.
    os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    began = time.monotonic()
    extract = task.streets or default_extract()
    if not extract.is_file():
        raise InputError(f"there is no OpenStreetMap extract at {extract}")

    def tell(what: str) -> None:
        progress(f"{time.monotonic() - began:5.0f} s  {what}")

    plan = TownPlan(
        extract=extract,
        bins=task.bins,
        vehicles=task.vehicles,
        waste=task.waste,
        travel=replace(planner_options(settings), extract=extract).travel(),
        options=task.options,
    )
    towns = build_towns(plan, seed=task.seed, progress=tell)
    document = evaluate_months(
        towns,
        options=task.options,
        processes=task.processes or os.cpu_count() or 1,
        progress=tell,
        only=task.only,
    )
    return {
        **document,
        "assumptions": assumptions(towns),
        "options": {
            "streets": extract.name,
            "bins": task.bins,
            "vehicles": task.vehicles,
            "seed": task.seed,
            "waste": task.waste,
            "first_day": FIRST_DAY.isoformat(),
            **asdict(task.options),
        },
        "seconds": round(time.monotonic() - began, 1),
    }


_COLUMNS = {
    "km/day": ("km_per_day", "{:.1f}"),
    "h/day": ("hours_per_day", "{:.1f}"),
    "bins/day": ("bins_per_day", "{:.1f}"),
    "service": ("service_level", "{:.4f}"),
    "fill at emptying": ("fill_at_emptying", "{:.2f}"),
    "overflow l/day": ("overflow_litres_per_day", "{:.1f}"),
    "EUR/day": ("cost_per_day", "{:.0f}"),
    "CO2 kg/day": ("co2_kg_per_day", "{:.1f}"),
}


def print_rounds(document: dict[str, Any]) -> None:
    """Print a table of the policies, what each saves, and how long it took."""
    from rich.console import Console
    from rich.table import Table

    less = {row["policy"]: row["km_less_than_fixed"] for row in document["savings"]}
    table = Table(box=None, pad_edge=False)
    table.add_column("policy")
    for name in (*_COLUMNS, "km less than fixed"):
        table.add_column(name, justify="right")
    for row in (*document["policies"], *document["references"]):
        saved = less.get(row["policy"])
        table.add_row(
            row["policy"],
            *(form.format(row[key]) for key, form in _COLUMNS.values()),
            "" if saved is None else f"{100 * saved:.1f} %",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    typer.echo(f"{document['seconds']:.0f} s")
