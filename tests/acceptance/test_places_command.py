"""`voirie places` as a process, on a real database: exit codes, one JSON document, every fault with its line."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from storage import communes
from storage.database import connect
from storage.model import Commune
from tests.commanding import run_voirie
from tests.tools import REPOSITORY

INSEE = "93051"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}
(EXAMPLE,) = re.findall(r"```csv\n(.*?)```", (REPOSITORY / "docs" / "kerb.md").read_text(encoding="utf-8"), re.DOTALL)

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def voirie(database_url: str, tmp_path: Path) -> Run:
    """Runs the command on the database of a commune."""
    with connect(database_url) as connection:
        communes.save(connection, Commune(commune_insee=INSEE, name="Essai"))

    def run(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        return run_voirie("places", *arguments, cwd=tmp_path, given=given, VOIRIE_DATABASE__URL=database_url)

    return run


def test_the_documented_table_is_taken_in_once_and_listed(voirie: Run):
    for imported, unchanged in ((2, 0), (0, 2)):
        done = voirie("import", "-", "--format", "csv", "--grace-min", "5", "--json", given=EXAMPLE)
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert (document["imported"], document["unchanged"], document["errors"]) == (imported, unchanged, [])
    listed = json.loads(voirie("list", "--json").stdout)["places"]
    assert [place["place_id"] for place in listed] == ["AIRE-7", "AIRE-7-A"]
    assert listed[1]["words"].startswith(
        "Livraisons, 30 min au plus (tolérance 5 min), du lundi au samedi de 7 h à 10 h, sauf jours fériés ; "
    )
    assert "AIRE-7-A" in voirie("list").stdout


def test_faults_are_told_by_line_and_nothing_is_written(voirie: Run):
    wrong = EXAMPLE.replace("dimanche 6h-14h", "selon affichage")
    told = voirie("import", "-", "--format", "csv", given=wrong)
    assert (told.returncode, told.stdout) == (2, "")
    assert "line 4, hours: hours 'selon affichage' cannot be read" in told.stderr
    document = json.loads(voirie("import", "-", "--format", "csv", "--json", given=wrong).stdout)
    assert [(error["line"], error["column"]) for error in document["errors"]] == [(4, "hours")]
    assert json.loads(voirie("list", "--json").stdout)["places"] == []
    dry = voirie("import", "-", "--format", "csv", "--dry-run", given=EXAMPLE)
    assert (dry.returncode, "2 places would be imported" in dry.stdout) == (0, True)
    assert json.loads(voirie("list", "--json").stdout)["places"] == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("import", "-", "--format", "gpx"), "--format: expected cerema"),
        (("import", "nowhere.csv", "--format", "csv"), "cannot be read"),
        (("import", "-", "--format", "csv", "--max-stay-min", "0"), "--max-stay-min"),
        (("import", "-"), "--format"),
    ],
)
def test_wrong_usage_is_told(voirie: Run, arguments: tuple[str, ...], complaint: str):
    told = voirie(*arguments, given=EXAMPLE)
    assert told.returncode == 2
    assert complaint in told.stderr
