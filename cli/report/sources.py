"""What a report speaks of: a commune of the database, or a town's own files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.job_basis import present
from cli.town_files import check_zone, read_places_file, read_table_file
from cli.wiring import database_url
from config.settings import Settings
from optimise.fill.loading import load
from optimise.fill.options import FillOptions
from optimise.fill.report.from_file import training_data_of
from optimise.fill.towns.town import Town, build_town
from optimise.fill.training import TrainingData
from storage import communes, forecasts
from storage.database import Connection, connect
from storage.errors import InputError
from storage.schema_version import require_schema


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """What is reported on: a town, `about` it for the document, what is known of it (and its `file`), its streets."""

    town: str
    about: dict[str, Any]
    data: TrainingData
    options: FillOptions
    file: Town | None = None
    extract: Path | None = None
    model_version: str | None = None
    run_id: str | None = None


def read_file(path: Path, *, emptyings: bool, places: Path | None, columns: str | None, time_zone: str) -> Source:
    """Return the town that a file tells of."""
    check_zone(time_zone)
    table = read_table_file(path, emptyings=emptyings, columns=columns, time_zone=time_zone)
    if not table.names:
        raise InputError(f"{path} has no row that can be used ({table.refused} refused): there is nothing to report on")
    beside = {} if places is None else read_places_file(places)
    town = build_town(table, of_emptyings=emptyings, places=beside, time_zone=time_zone)
    data, options = training_data_of(town, table.places, beside)
    about = {"commune": None, "run": None, "rows": len(table.at_s), "refused": table.refused}
    return Source(town=path.stem, about=about, data=data, options=options, file=town)


def read_database(settings: Settings, insee: str) -> Source:
    """Return the commune, its newest run, what that run knew (without one: what is known now), and its streets."""
    options = FillOptions()
    with connect(database_url(settings), application="voirie report") as connection:
        require_schema(connection)
        town = communes.one(connection, insee)
        now = present(connection, insee)
        if now is None:
            raise InputError("the commune's simulated history is still being published: try again when it is done")
        run = forecasts.latest_run(connection, insee, at=now)
        data = load(connection, insee, as_of=now if run is None else run.as_of, options=options)
        extract = extract_of(settings, connection, insee)
    if not data.bins:
        raise InputError(f"commune {insee} has no bins: there is nothing to report on")
    of_run = None
    if run is not None:
        of_run = {
            "run_id": str(run.run_id),
            "model_id": None if run.model_id is None else str(run.model_id),
            "model_version": run.model_version,
        }
    return Source(
        town=town.name,
        about={"commune": {"insee": insee, "name": town.name}, "run": of_run},
        data=data,
        options=options,
        extract=extract,
        model_version=None if run is None else run.model_version,
        run_id=None if run is None else str(run.run_id),
    )


def extract_of(settings: Settings, connection: Connection, insee: str) -> Path | None:
    """Return the extract whose streets are drawn: the settings', which are of their own commune, or the demo's."""
    if insee == settings.commune.insee_code and settings.streets.extract is not None:
        return settings.streets.extract
    if communes.simulation(connection, insee) is None:
        return None
    from simulators.streets import default_extract

    return default_extract()
