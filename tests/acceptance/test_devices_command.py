"""`voirie devices` and `voirie replay` as processes, and the worker's replay, on a real database."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.jobs import Jobs
from cli.worker import make_app
from config.settings import read_settings
from storage import bins, communes, readings
from storage.database import connect
from storage.model import Bin, Commune, IntakeBatch, RefusalReason, RefusedMessage
from tests.commanding import run_voirie

INSEE = "93051"
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=5)
HEADER = "eui,model,place_id,mounted_at,empty_distance_mm,full_distance_mm\n"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}

type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def town(database_url: str) -> str:
    """A database of a commune with two bins; its URL."""
    with connect(database_url) as connection:
        communes.save(connection, Commune(commune_insee=INSEE, name="Essai"))
        where = {"commune_insee": INSEE, "longitude_deg": 2.5, "latitude_deg": 48.8, "street": None}
        bins.save(connection, [Bin(**where, place_id=f"COR-{n}", bin_kind="street", volume_l=80) for n in (1, 2)])
    return database_url


@pytest.fixture
def voirie(town: str, tmp_path: Path) -> Run:
    """Runs the command on the town's database."""

    def run(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        return run_voirie(*arguments, cwd=tmp_path, given=given, VOIRIE_DATABASE__URL=town)

    return run


def document(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def refuse(url: str, eui: str, *, hours: int) -> None:
    """Keep hourly messages of a device that nobody knows, as a collector of the default networks does."""
    refused = tuple(
        RefusedMessage(
            commune_insee=INSEE,
            received_at=at,
            network="native",
            topic=f"voirie/v1/{INSEE}/{eui}/readings",
            payload=json.dumps({"readings": [{"measured_at": at.isoformat(), "distance_mm": 400}]}).encode(),
            reason=RefusalReason.UNKNOWN_DEVICE,
            detail="unknown",
            device_eui=eui,
        )
        for at in (START + timedelta(hours=n) for n in range(hours))
    )
    with connect(url) as connection:
        readings.take_in(connection, IntakeBatch(commune_insee=INSEE, collector="c", messages=hours, refused=refused))


def stored(url: str) -> list[tuple[Any, ...]]:
    with connect(url) as connection:
        return connection.execute(
            "SELECT place_id, count(*), round(min(fill_fraction)::numeric, 3)::float8 FROM fill_reading"
            " GROUP BY place_id ORDER BY place_id"
        ).fetchall()


def test_a_file_brings_in_devices_and_what_had_been_refused_of_them(voirie: Run, town: str, tmp_path: Path):
    refuse(town, "s", hours=6)
    file = tmp_path / "capteurs.csv"
    file.write_text(f"{HEADER}s,voirie-native,COR-1,{START.isoformat()},1000,0\n", encoding="utf-8")
    dry = document(voirie("devices", "import", str(file), "--dry-run", "--json"))
    assert (dry["imported"], dry["dry_run"], dry["replayed"]) == (1, True, None)
    assert stored(town) == []
    done = document(voirie("devices", "import", str(file), "--json"))
    replayed = {
        "messages": 6, "resolved": 6, "stored": 6, "duplicates": 0, "refused": {}, "without_network": 0,
    }  # fmt: skip
    assert done == {
        "imported": 1, "updated": 0, "unchanged": 0, "errors": [], "dry_run": False, "replayed": replayed,
    }  # fmt: skip
    assert stored(town) == [("COR-1", 6, 0.6)]
    again = document(voirie("devices", "import", "-", "--json", given=file.read_text(encoding="utf-8")))
    assert (again["unchanged"], again["replayed"]["messages"]) == (1, 0)


def test_a_file_with_faults_ends_with_2_and_names_every_line(voirie: Run, town: str):
    text = f"{HEADER}s,voirie-native,COR-1,,1000,0\nt,voirie-nativ,COR-2,,,\nu,voirie-native\n"
    report = document(voirie("devices", "import", "-", "--json", given=text), code=2)
    assert (report["imported"], report["updated"]) == (0, 0)
    assert report["errors"] == [
        {"line": 3, "column": "model", "reason": "no model 'voirie-nativ': did you mean voirie-native?"},
        {"line": 4, "reason": "expected 6 fields, got 2"},
    ]
    spoken = voirie("devices", "import", "-", given=text)
    assert (spoken.returncode, spoken.stdout) == (2, "")
    assert spoken.stderr.splitlines()[-3:] == [
        "line 3, model: no model 'voirie-nativ': did you mean voirie-native?",
        "line 4: expected 6 fields, got 2",
        "nothing was imported: 2 faults",
    ]
    assert document(voirie("devices", "list", "--json")) == {"devices": []}


def test_a_device_is_assigned_moved_replaced_and_put_away(voirie: Run, town: str):
    refuse(town, "s", hours=6)
    at = START.isoformat()
    metre = ("--empty-distance-mm", "1000", "--full-distance-mm", "0")
    told = ("--model", "voirie-native", "--at", at, *metre, "--by", "Ada")
    first = document(voirie("devices", "assign", "s", "COR-1", *told, "--json"))
    assert (first["eui"], first["changed"], first["replayed"]["stored"]) == ("s", ["s"], 6)
    late = (START + timedelta(hours=4)).isoformat()
    taken = voirie("devices", "assign", "t", "COR-1", "--model", "voirie-native", "--at", late)
    assert taken.returncode == 2
    assert taken.stderr.startswith("voirie: COR-1 has device s since")
    swap = document(
        voirie("devices", "assign", "t", "COR-1", "--model", "voirie-native", "--at", late, "--replace", "--json")
    )
    assert swap["replaced"] == "s"
    assert swap["readings"] == {"moved": 0, "displaced": 2, "restored": 0, "rejudged": 0}
    moved = voirie("devices", "assign", "s", "COR-2", "--at", late, *metre)
    assert moved.returncode == 0, moved.stderr
    assert "2 readings that had been set aside came back" in moved.stdout
    assert stored(town) == [("COR-1", 4, 0.6), ("COR-2", 2, 0.6)]
    assert document(voirie("devices", "unassign", "s", "--json"))["changed"] == ["s"]
    assert document(voirie("devices", "unassign", "s", "--json"))["changed"] == []
    assert document(voirie("devices", "retire", "s", "--json"))["changed"] == ["s"]
    listed = {device["eui"]: device for device in document(voirie("devices", "list", "--json"))["devices"]}
    assert (listed["s"]["status"], listed["t"]["status"], listed["t"]["place_id"]) == ("retired", "mounted", "COR-1")
    assert listed["t"]["geometry"]["empty_distance_mm"] == 1000, "the one that it replaced hung there the same way"
    assert listed["s"]["last_seen_at"] == (START + timedelta(hours=5)).isoformat().replace("+00:00", "Z")
    table = voirie("devices", "list", "--status", "retired").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["eui", "s"]


def test_the_list_can_be_imported_again(voirie: Run, town: str):
    text = f"{HEADER}s,voirie-native,COR-1,{START.isoformat()},1000,0\n-t,voirie-native,,,,\n"
    document(voirie("devices", "import", "-", "--json", given=text))
    printed = voirie("devices", "list", "--csv").stdout
    assert [row[0] for row in csv.reader(io.StringIO(printed))] == ["eui", "'-t", "s"]
    assert document(voirie("devices", "import", "-", "--json", given=printed))["unchanged"] == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["devices", "import", "none.csv"], "none.csv cannot be read"),
        (["devices", "list", "--status", "lost"], "--status: expected one of in_stock, mounted, retired"),
        (["devices", "list", "--csv", "--json"], "expected --csv or --json"),
        (["devices", "assign", "s", "COR-1", "--at", "soon"], "--at: expected a time like"),
        (["devices", "assign", "s", "COR-1", "--orientation", "sideways"], "--orientation: expected one of down"),
        (["devices", "assign", "s", "COR-1", "--retire-old"], "--retire-old needs --replace"),
        (["replay", "--reason", "boredom"], "--reason: expected one of unknown_topic"),
        (["replay", "--since", "29/03/2026 02:30"], "does not exist in Europe/Paris"),
    ],
    ids=" ".join,
)
def test_bad_usage_ends_with_2_and_a_sentence(voirie: Run, arguments: list[str], sentence: str):
    done = voirie(*arguments)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert sentence in done.stderr


def test_replay_on_demand_and_by_the_worker(voirie: Run, town: str):
    refuse(town, "s", hours=3)
    refuse(town, "t", hours=2)
    nothing = document(voirie("replay", "--json"))
    assert (nothing["messages"], nothing["refused"]) == (5, {"unknown_device": 5})
    with connect(town) as connection:
        for eui, place in (("s", "COR-1"), ("t", "COR-2")):
            connection.execute(
                "INSERT INTO device (commune_insee, eui, model, changed_in) VALUES (%s, %s, 'voirie-native',"
                " touch_registry(%s))",
                [INSEE, eui, INSEE],
            )
            connection.execute(
                "INSERT INTO mounting (commune_insee, device_id, place_id, mounted_at)"
                " SELECT commune_insee, device_id, %s, %s FROM device WHERE eui = %s",
                [place, START, eui],
            )
    dry = document(voirie("replay", "--device", "s", "--dry-run", "--json"))
    assert (dry["messages"], dry["stored"], dry["dry_run"]) == (3, 3, True)
    assert stored(town) == []
    some = document(voirie("replay", "--device", "s", "--reason", "unknown_device", "--network", "native", "--json"))
    assert (some["resolved"], some["stored"]) == (3, 3)
    assert [row[:2] for row in stored(town)] == [("COR-1", 3)]
    settings = read_settings(environment={"VOIRIE_DATABASE__URL": town})
    app = make_app(database_url=town, jobs=Jobs(settings=settings, database_url=town))
    app.tasks["replay"].func(timestamp=0)
    assert [row[:2] for row in stored(town)] == [("COR-1", 3), ("COR-2", 2)]
    assert voirie("replay").stdout.startswith("0 messages judged again")
