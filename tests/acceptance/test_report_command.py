"""`voirie report fill` on a real database: a page, a document, and sentences for what cannot be."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from optimise.fill.job import forecast_commune
from storage import bins, communes, readings
from storage.database import Connection
from storage.model import Commune, FillReading, IntakeBatch, PlaceKind, Quality
from tests.commanding import run_voirie
from tests.sensing import commune
from tests.storage.town import add_device

INSEE, BINS, SENSORED, DAYS = "93051", 60, 30, 8


@pytest.fixture
def served(connection: Connection, database_url: str) -> str:
    """A commune with sensors on half of its bins; returns the database's URL."""
    town = commune(seed=34, bins=BINS, days=DAYS)
    known = town.heard(range(SENSORED))
    communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand"))
    bins.save(connection, town.bins)
    devices = [
        add_device(connection, eui=f"{row:016x}", place_id=town.bins[row].place_id, kind=PlaceKind.BIN)
        for row in range(SENSORED)
    ]
    heard = tuple(
        FillReading(
            commune_insee=INSEE,
            device_id=devices[row],
            place_id=town.bins[row].place_id,
            measured_at=town.world.start + timedelta(seconds=int(at_s - known.start_s)),
            record_index=0,
            received_at=town.world.start + timedelta(seconds=int(at_s - known.start_s)),
            quality=Quality.OK,
            fill_fraction=float(fill),
        )
        for row, at_s, fill in zip(known.readings.bin_row, known.readings.at_s, known.readings.fill, strict=True)
    )
    batch = IntakeBatch(commune_insee=INSEE, collector="test", messages=len(heard), fill_readings=heard)
    readings.take_in(connection, batch)
    bins.declare(connection, town.world.declarations)
    forecast_commune(connection, INSEE, as_of=town.world.history_until)
    connection.commit()
    return database_url


def test_the_page_and_the_document_say_the_same_of_the_newest_run(served: str, tmp_path: Path):
    done = run_voirie(
        "report", "fill", "--commune", INSEE, "--out", "page.html", "--sensors", "3", "--quick", "--json",
        cwd=tmp_path, VOIRIE_DATABASE__URL=served,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    document = json.loads(done.stdout)
    assert document["commune"] == {"insee": INSEE, "name": "Noisy-le-Grand"}
    assert UUID(document["run"]["run_id"]) != UUID(document["run"]["model_id"])
    assert document["data"]["bins_with_sensor"] == SENSORED
    assert len(document["sensors"]["advised"]) == 3
    assert document["drivers"] == []
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    mae = f"{document['unsensored']['mae']:.1f}".replace(".", ",")
    assert f"{mae}\u00a0points" in page
    for one in document["sensors"]["advised"]:
        assert one["place_id"] in page


def test_a_person_gets_a_file_and_a_sentence(served: str, tmp_path: Path):
    done = run_voirie("report", "fill", "--quick", cwd=tmp_path, VOIRIE_DATABASE__URL=served)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"rapport-remplissage-{INSEE}.html: ")
    assert "points of error without a sensor" in done.stdout
    assert "essais sur des corbeilles cachées" in done.stderr
    assert (tmp_path / f"rapport-remplissage-{INSEE}.html").stat().st_size > 20_000


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        pytest.param(["--commune", "75056"], 1, "serves no commune", id="another commune"),
        pytest.param(["--out", "none/page.html"], 2, "there is no folder none", id="no folder"),
        pytest.param(["--sensors", "-1"], 2, "--sensors", id="fewer than no sensors"),
        pytest.param(["--places", "p.csv"], 2, "name one", id="places of no file"),
        pytest.param(["--streets", "none.pbf"], 2, "there is no file none.pbf", id="no streets"),
        pytest.param(["--data", "none.csv"], 2, "none.csv cannot be read", id="no data"),
        pytest.param([], 2, "has no bins", id="nothing to report on"),
    ],
)
def test_what_cannot_be_is_said(
    *, connection: Connection, database_url: str, tmp_path: Path, arguments: list[str], code: int, sentence: str
):
    communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand"))
    connection.commit()
    done = run_voirie("report", "fill", *arguments, cwd=tmp_path, VOIRIE_DATABASE__URL=database_url)
    assert done.returncode == code, done.stderr
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
    assert not list(tmp_path.iterdir())


def test_a_towns_own_file_needs_no_database(tmp_path: Path):
    known = commune(seed=35, bins=24, days=14).heard(range(24))
    rows = ["bin_id,measured_at,fill_percent,lon,lat,kind"]
    for row, at_s, fill in zip(known.readings.bin_row, known.readings.at_s, known.readings.fill, strict=True):
        item, at = known.bins[row], datetime.fromtimestamp(int(at_s), UTC).isoformat()
        rows.append(f"{item.place_id},{at},{100 * fill:.1f},{item.longitude_deg},{item.latitude_deg},{item.bin_kind}")
    (tmp_path / "town.csv").write_text("\n".join([*rows, "nobody,never,full,0,0,x"]), encoding="utf-8")
    done = run_voirie("report", "fill", "--data", "town.csv", "--out", "page.html", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["commune"], document["run"]) == (None, None)
    assert (document["data"]["bins"], document["rows"], document["refused"]) == (24, len(rows) - 1, 1)
    assert document["unsensored"]["mae"] > document["sensored"]["mae"] > 0
    assert [one["hours"] for one in document["sensored"]["ahead"]][:2] == [6, 24]
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "niveau à l'instant" in page
    assert "OpenStreetMap" not in page, "nothing of it was drawn"
    wrong = run_voirie("report", "fill", "--data", "town.csv", "--commune", INSEE, cwd=tmp_path)
    assert wrong.returncode == 2
    assert "name one of them" in wrong.stderr
