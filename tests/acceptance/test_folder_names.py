"""People keep projects in folders with spaces and quotes in their names."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from cli.demo.embedded import embedded_database
from cli.wiring import street_profile
from optimise.rounds.osrm_cache import prepared_streets

NAME = "la ville d'à côté"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / NAME
    made.mkdir()
    return made


def test_embedded_database_keeps_its_data_in_any_folder(folder: Path):
    for value in (1, 2):
        with embedded_database(folder / "postgres") as url, psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (value integer)")
            connection.execute("INSERT INTO kept VALUES (%s)", [value])
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (value,)
    assert (folder / "postgres" / "PG_VERSION").is_file()


def test_streets_are_prepared_in_any_folder(folder: Path, reference_data: Path):
    extract = folder / "ma commune.osm.pbf"
    shutil.copy(reference_data / "osm" / "monaco-latest.osm.pbf", extract)
    base = prepared_streets(extract, profile=street_profile(), cache_dir=folder / "cache")
    assert base.with_suffix(".osrm.hsgr").is_file()
    assert {file.name for file in (folder / "cache").iterdir()} == {base.parent.name}, "nothing half-made is left"
    assert all(file.name.startswith("streets.osrm") for file in base.parent.iterdir())
