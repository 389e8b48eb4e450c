"""Runs the matrix from the command line and tells its rows."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from cli.demo.screen import open_screen
from cli.fault_matrix.matrix import chosen, play
from cli.fault_matrix.options import MatrixOptions
from cli.fault_matrix.result import FaultRow
from cli.fault_matrix.stage import open_stage
from cli.stopping import stop_signals_interrupt
from config.settings import Settings

_WIDTH = 160


def run(options: MatrixOptions, settings: Settings, *, as_json: bool) -> None:
    """Play the faults and print their rows; exit with 1 unless every one passed.

    A fault that this machine does not admit is told and passed over, but fails under CI=true.
    """
    faults = chosen(options.only)
    began_s = time.monotonic()
    rows: list[FaultRow] = []
    with stop_signals_interrupt(), open_screen() as screen, open_stage(options, settings, screen=screen) as stage:
        broker, database = stage.broker.label, stage.server.label
        for row in play(stage, faults):
            rows.append(row)
            screen.say(_as_line(row))
    document: dict[str, Any] = {
        "faults": [row.document() for row in rows],
        "broker": broker,
        "database": database,
        "form": "short" if options.short else "full",
        "seed": options.seed,
        "machine": f"{os.cpu_count()} CPUs, {platform.platform()}, Python {platform.python_version()}",
        "seconds": round(time.monotonic() - began_s, 1),
    }
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        _print_table(rows, document)
    if not _passed(rows):
        raise typer.Exit(1)


def _passed(rows: Sequence[FaultRow]) -> bool:
    in_ci = os.environ.get("CI") == "true"
    return all(row.passed or (row.skipped is not None and not in_ci) for row in rows)


def _as_line(row: FaultRow) -> str:
    if row.skipped is not None:
        return f"{row.fault}: skipped, {row.skipped}"
    if row.verdict is None:
        return f"{row.fault}: {row.error}"
    verdict = row.verdict
    return (
        f"{row.fault}: {verdict.acknowledged:,} acknowledged, {verdict.stored:,} stored, {verdict.rejected:,} refused, "
        f"{verdict.lost} lost, {verdict.duplicated} duplicated"
        + ("" if row.recovered_s is None else f", recovered in {row.recovered_s:.1f} s")
        + ("" if row.error is None else f"; {row.error}")
    )


def _print_table(rows: Sequence[FaultRow], document: dict[str, Any]) -> None:
    table = Table(box=None, header_style="bold")
    numbers = ("published", "acknowledged", "stored", "rejected", "lost", "duplicated")
    table.add_column("fault")
    for name in (*numbers, "recovered_s"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in rows:
        told = row.document()
        cells = ["" if told.get(name) is None else f"{told[name]:,}" for name in numbers]
        recovered = "" if row.recovered_s is None else f"{row.recovered_s:.1f}"
        verdict = row.error or (f"skipped: {row.skipped}" if row.skipped else "" if row.passed else "FAILED")
        table.add_row(row.fault, *cells, recovered, verdict)
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(table)
    console.print(f"{document['broker']}; {document['database']}; {document['seconds']} s", highlight=False)
