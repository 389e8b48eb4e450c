"""`voirie round export` as a process, on a real database."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from storage.database import connect
from tests.api.rows import PLAN_ID, save_commune, save_places, save_plan
from tests.commanding import run_voirie

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def voirie(database_url: str, tmp_path: Path) -> Run:
    """Runs the command on the database of a commune with one plan."""
    with connect(database_url) as connection:
        save_commune(connection)
        save_places(connection)
        save_plan(connection)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_voirie("round", "export", *arguments, cwd=tmp_path, VOIRIE_DATABASE__URL=database_url)

    return run


def test_rounds_are_written_in_each_form(voirie: Run, tmp_path: Path):
    track = voirie(str(PLAN_ID))
    assert track.returncode == 0, track.stderr
    assert ET.fromstring(track.stdout).tag.endswith("gpx")
    lines = voirie("latest", "--format", "geojson", "--route", "0")
    assert json.loads(lines.stdout)["features"][0]["properties"]["vehicle_id"] == "BOM-1"
    sheet = tmp_path / "feuille.html"
    told = json.loads(voirie("latest", "--format", "sheet", "--output", str(sheet), "--json").stdout)
    assert told == {
        "plan_id": str(PLAN_ID), "format": "sheet", "rounds": 1, "file": str(sheet), "bytes": sheet.stat().st_size,
    }  # fmt: skip
    assert "Benne 1" in sheet.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["nonsense"], 2, "expected the id of a plan or `latest`, got 'nonsense'"),
        (["latest", "--format", "pdf"], 2, "--format: expected one of gpx, geojson, sheet, got 'pdf'"),
        (["latest", "--json"], 2, "--json needs --output"),
        (["latest", "--route", "9"], 1, "has no round 9"),
    ],
)
def test_what_cannot_be_written_is_said(voirie: Run, arguments: list[str], code: int, sentence: str):
    done = voirie(*arguments)
    assert done.returncode == code
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
