"""`voirie report fill`: what the fill forecast is worth, as a page for people and as one JSON document."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ConfigOption, JsonOption, start
from storage.errors import InputError, UnavailableError

if TYPE_CHECKING:  # what computes is imported when it runs, so that `voirie --help` answers at once
    from config.settings import Settings
    from optimise.fill.training import TrainingData
    from storage.database import Connection
    from storage.model import Commune, ForecastRun

report = typer.Typer(help="Make pages that say what the service's forecasts are worth.", no_args_is_help=True)

_MOST_SENSORS = 200


@report.callback()
def _group() -> None:
    """Keep `fill` a command of its own, though it is the only one."""


@report.command("fill")
def fill(
    config: ConfigOption = None,
    commune: Annotated[
        str | None, typer.Option(help="INSEE code; otherwise the settings' commune.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write the page; otherwise rapport-remplissage-INSEE.html.", show_default=False),
    ] = None,
    *,
    sensors: Annotated[int, typer.Option(help="How many more sensors to advise on.", min=0, max=_MOST_SENSORS)] = 10,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out what drives the forecast: a sixth of the time.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what the fill forecast is worth, bin by bin, and where more sensors would help: one HTML page, in French."""
    settings = start(config)
    document = _report_fill(settings, commune=commune, out=out, sensors=sensors, quick=quick, as_json=as_json)
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(document).decode())
    else:
        typer.echo(f"{document['file']}: {_headline(document)}")


def _report_fill(
    settings: Settings, *, commune: str | None, out: Path | None, sensors: int, quick: bool, as_json: bool
) -> dict[str, Any]:
    from datetime import UTC, datetime

    from cli.report.document import document_of
    from cli.report.page import Heading, render
    from optimise.fill.report.placement import PlacementOptions
    from optimise.fill.report.whole import ReportOptions, make_report

    started = time.perf_counter()
    insee = commune or settings.commune.insee_code
    if out is None and not as_json:
        out = Path(f"rapport-remplissage-{insee}.html")
    if out is not None and not out.parent.is_dir():
        raise InputError(f"--out: there is no folder {out.parent}")
    town, run, data, extract = _read(settings, insee)
    with _told(as_json=as_json) as say:
        made = make_report(
            data,
            ReportOptions(
                seed=settings.forecast.seed,
                with_drivers=not quick,
                placement=PlacementOptions(sensors=sensors),
            ),
            progress=say,
        )
    if out is not None:
        page = render(
            made,
            Heading(
                town=town.name,
                model_version=None if run is None else run.model_version,
                run_id=None if run is None else str(run.run_id),
                extract=extract,
            ),
        )
        try:
            out.write_text(page, encoding="utf-8")
        except OSError as error:
            raise UnavailableError(f"{out} cannot be written: {error.strerror}") from error
    return {
        "commune": {"insee": town.commune_insee, "name": town.name},
        "run": None
        if run is None
        else {
            "run_id": str(run.run_id),
            "model_id": None if run.model_id is None else str(run.model_id),
            "model_version": run.model_version,
        },
        "as_of": datetime.fromtimestamp(data.as_of_s, UTC).isoformat(),
        **document_of(made),
        "file": None if out is None else str(out),
        "seconds": time.perf_counter() - started,
    }


def _read(settings: Settings, insee: str) -> tuple[Commune, ForecastRun | None, TrainingData, Path | None]:
    """Return the commune, its newest run, what that run knew (without one: what is known now), and its streets."""
    from cli.jobs import present
    from cli.wiring import database_url
    from optimise.fill.loading import load
    from optimise.fill.options import FillOptions
    from storage import communes, forecasts
    from storage.database import connect
    from storage.schema_version import require_schema

    with connect(database_url(settings), application="voirie report") as connection:
        require_schema(connection)
        town = communes.one(connection, insee)
        now = present(connection, insee)
        if now is None:
            raise InputError("the commune's simulated history is still being published: try again when it is done")
        run = forecasts.latest_run(connection, insee, at=now)
        data = load(connection, insee, as_of=now if run is None else run.as_of, options=FillOptions())
        extract = _extract(settings, connection, insee)
    if not data.bins:
        raise InputError(f"commune {insee} has no bins: there is nothing to report on")
    return town, run, data, extract


def _extract(settings: Settings, connection: Connection, insee: str) -> Path | None:
    """Return the extract whose streets are drawn: the settings', which are of their own commune, or the demo's."""
    from storage import communes

    if insee == settings.commune.insee_code and settings.streets.extract is not None:
        return settings.streets.extract
    if communes.simulation(connection, insee) is None:
        return None
    from simulators.streets import default_extract

    return default_extract()


@contextmanager
def _told(*, as_json: bool) -> Iterator[Callable[[str, float], None]]:
    """Tell a person at a terminal how far the work is; elsewhere each stage is a line on standard error."""
    from cli.report.words import STAGES

    if as_json or not sys.stderr.isatty():
        last = ""

        def line(stage: str, _share: float) -> None:
            nonlocal last
            if stage != last:
                typer.echo(f"{STAGES.get(stage, stage)} ...", err=True)
            last = stage

        yield line
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def bar(stage: str, share: float) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(STAGES.get(stage, stage), total=1.0)
            progress.update(tasks[stage], completed=share)

        yield bar


def _headline(document: dict[str, Any]) -> str:
    unsensored = document["unsensored"]
    if unsensored is None:
        return "too little was measured to say how wrong the forecast is"
    return (
        f"{unsensored['mae']:.1f} points of error without a sensor, best simple method "
        f"{unsensored['best_baseline_mae']:.1f}, {unsensored['coverage_80']:.0%} inside the 80 % interval"
    )
