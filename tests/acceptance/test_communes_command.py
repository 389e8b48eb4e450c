"""`voirie communes` as a process, on a real database: a town's first command, checked and harmless when repeated."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.database import connect
from tests.commanding import run_voirie

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def voirie(database_url: str, tmp_path: Path) -> Run:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_voirie(*arguments, cwd=tmp_path, VOIRIE_DATABASE__URL=database_url)

    return run


def test_a_town_is_entered_once_corrected_and_shown(voirie: Run):
    refused = voirie("devices", "list")
    assert refused.returncode == 1
    assert "`voirie communes add INSEE NAME` enters it" in refused.stderr

    changes = []
    for name in ("Noisy", "Noisy-le-Grand", "Noisy-le-Grand"):
        done = voirie("communes", "add", "93051", name, "--json")
        assert done.returncode == 0, done.stderr
        changes.append(json.loads(done.stdout))
    assert [document["change"] for document in changes] == ["added", "updated", "unchanged"]
    entered = {"commune_insee": "93051", "name": "Noisy-le-Grand", "time_zone": "Europe/Paris", "school_zone": "C"}
    assert changes[-1] == entered | {"change": "unchanged"}

    shown = json.loads(voirie("communes", "show", "93051", "--json").stdout)
    assert entered.items() <= shown.items()
    assert (shown["simulated"], shown["devices"], shown["vehicles"]) == (False, 0, 0)
    assert json.loads(voirie("communes", "list", "--json").stdout) == {"communes": [entered]}
    assert voirie("devices", "list").returncode == 0


def test_what_is_not_told_stays_as_it_is_known(voirie: Run):
    voirie("communes", "add", "98735", "Papeete")
    told = voirie("communes", "add", "98735", "Taiohae", "--time-zone", "Pacific/Marquesas", "--json")
    assert json.loads(told.stdout)["time_zone"] == "Pacific/Marquesas"
    assert "Pacific/Marquesas, no school zone" in voirie("communes", "add", "98735", "Taiohae").stdout
    voirie("communes", "add", "93051", "Noisy-le-Grand", "--school-zone", "none")
    assert "no school zone): unchanged" in voirie("communes", "add", "93051", "Noisy-le-Grand").stdout


def test_a_table_of_places_makes_the_communes_of_its_lines_when_asked(voirie: Run, tmp_path: Path):
    table = tmp_path / "places.csv"
    table.write_text(
        "commune_insee,place_id,kind,longitude_deg,latitude_deg\n97411,AIRE-1,delivery_bay,55.45,-20.88\n",
        encoding="utf-8",
    )
    arguments = ("places", "import", str(table), "--format", "csv", "--max-stay-min", "30", "--json")
    refused = voirie(*arguments)
    assert refused.returncode == 1, refused.stdout
    assert "`voirie communes add INSEE NAME` enters it" in refused.stderr
    made = voirie(*arguments, "--commune", "all")
    assert json.loads(made.stdout)["communes"] == ["97411"], made.stdout + made.stderr
    (commune,) = json.loads(voirie("communes", "list", "--json").stdout)["communes"]
    assert (commune["time_zone"], commune["school_zone"]) == ("Indian/Reunion", None)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["93160", "Noisy", "--school-zone", "A"], "lies in zone C", id="another zone"),
        pytest.param(["9316", "Noisy"], "expected the INSEE code", id="no code"),
        pytest.param(["93051", " "], "name: expected", id="no name"),
        pytest.param(["93051", "Noisy", "--time-zone", "Paris"], "expected an IANA name", id="no time zone"),
    ],
)
def test_nonsense_is_refused_and_nothing_entered(voirie: Run, arguments: list[str], sentence: str):
    done = voirie("communes", "add", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert voirie("communes", "list", "--json").stdout == '{"communes": []}\n'


def test_files_of_the_town_are_noted_once_each_in_the_audit(voirie: Run, database_url: str, tmp_path: Path):
    files = {
        "bins": b"place_id,kind,longitude_deg,latitude_deg\nCOR-1,bin,2.5,48.8\nD,depot,2.5,48.8\n",
        "vehicles": b"vehicle_id,depot_id,capacity_l\nBOM-1,D,3500\n",
    }
    voirie("communes", "add", "93051", "Noisy-le-Grand")
    for what, content in files.items():
        (tmp_path / what).write_bytes(content)
        for options in (["--dry-run"], []):
            done = voirie(what, "import", what, *options, "--json")
            assert done.returncode == 0, done.stderr
    with connect(database_url) as connection:
        notes = connection.execute(
            "SELECT act, details FROM audit_note WHERE act LIKE '%.imported' ORDER BY note_id"
        ).fetchall()
    assert notes == [
        (f"{what}.imported", {"sha256": hashlib.sha256(content).hexdigest(), "imported": count, "updated": 0})
        for (what, content), count in zip(files.items(), (2, 1), strict=True)
    ]
