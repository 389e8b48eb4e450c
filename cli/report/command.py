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
from cli.report.kerb import kerb
from storage.errors import InputError, UnavailableError

if TYPE_CHECKING:  # what computes is imported when it runs, so that `voirie --help` answers at once
    from cli.report.sources import Source

report = typer.Typer(help="Make pages of what the service forecasts, sees and advises.", no_args_is_help=True)

_MOST_SENSORS = 200


@report.callback()
def _group() -> None:
    """Make pages for people who decide."""


report.command("kerb")(kerb)


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
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA.csv",
            help="A town's own file instead of the database, as for `evaluate fill`.",
            show_default=False,
        ),
    ] = None,
    *,
    emptyings: Annotated[bool, typer.Option("--emptyings", help="A row of DATA.csv is an emptying.")] = False,
    places: Annotated[
        Path | None, typer.Option(help="CSV file of places, beside DATA.csv.", show_default=False)
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Other names of DATA.csv's columns: bin_id=container.", show_default=False)
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Zone of DATA.csv's town, and of times that name none.")] = "UTC",
    streets: Annotated[
        Path | None,
        typer.Option(help="OpenStreetMap extract under the maps; otherwise the settings'.", show_default=False),
    ] = None,
    sensors: Annotated[int, typer.Option(help="How many more sensors to advise on.", min=0, max=_MOST_SENSORS)] = 10,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out what drives the forecast: the longest part.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what the fill forecast is worth, bin by bin, and where more sensors would help: one HTML page, in French."""
    settings = start(config)
    from cli.report.sources import read_database, read_file

    if data is None and (emptyings or places is not None or columns is not None):
        raise InputError("--emptyings, --places and --columns are of --data DATA.csv: name one")
    if data is not None and commune is not None:
        raise InputError("--commune is of the database and --data is a town's own file: name one of them")
    if streets is not None and not streets.is_file():
        raise InputError(f"--streets: there is no file {streets}")
    started = time.perf_counter()
    if out is None and not as_json:
        name = data.stem if data is not None else commune or settings.commune.insee_code
        out = Path(f"rapport-remplissage-{name}.html")
    if out is not None and not out.parent.is_dir():
        raise InputError(f"--out: there is no folder {out.parent}")
    if data is not None:
        read = read_file(data, emptyings=emptyings, places=places, columns=columns, time_zone=time_zone)
    else:
        read = read_database(settings, commune or settings.commune.insee_code)
    document = _report_fill(
        read, seed=settings.forecast.seed, out=out, extract=streets or read.extract, sensors=sensors, quick=quick,
        as_json=as_json,
    ) | {"seconds": time.perf_counter() - started}  # fmt: skip
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(document).decode())
    else:
        typer.echo(f"{document['file']}: {_headline(document)}")


def _report_fill(
    read: Source, *, seed: int, out: Path | None, extract: Path | None, sensors: int, quick: bool, as_json: bool
) -> dict[str, Any]:
    from datetime import UTC, datetime

    from cli.report.document import document_of
    from cli.report.page import Heading, render
    from optimise.fill.report.from_trials import try_town
    from optimise.fill.report.placement import PlacementOptions
    from optimise.fill.report.whole import ReportOptions, make_report
    from optimise.fill.towns.evaluate import TrialOptions

    options = ReportOptions(
        seed=seed, with_drivers=not quick, placement=PlacementOptions(sensors=sensors), fill=read.options
    )
    with _told(as_json=as_json) as say:
        trials = None
        if read.file is not None:
            trials = try_town(read.file, TrialOptions(seed=seed), progress=say)
        made = make_report(read.data, options, trials=trials, progress=say)
    if out is not None:
        heading = Heading(
            town=read.town, model_version=read.model_version, run_id=read.run_id, extract=extract,
            of_file=read.file is not None, of_emptyings=read.file is not None and read.file.of_emptyings,
        )  # fmt: skip
        try:
            page = render(made, heading)
        except (OSError, RuntimeError) as error:
            raise InputError(f"the streets of {extract} cannot be read: {error}") from error
        try:
            out.write_text(page, encoding="utf-8")
        except OSError as error:
            raise UnavailableError(f"{out} cannot be written: {error.strerror}") from error
    return {
        **read.about,
        "as_of": datetime.fromtimestamp(read.data.as_of_s, UTC).isoformat(),
        **document_of(made),
        "file": None if out is None else str(out),
    }


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
