"""`voirie train` and `voirie models`: one document each, and a commune that is not served is one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storage.database import Connection
from tests.commanding import run_voirie
from tests.storage import test_forecast_job

town = test_forecast_job.town


@pytest.mark.usefixtures("town")
def test_a_model_is_trained_on_demand_and_listed(any_database_url: str, tmp_path: Path):
    database = {"VOIRIE_DATABASE__URL": any_database_url}
    done = run_voirie("train", "--json", cwd=tmp_path, **database)
    assert done.returncode == 0, done.stderr
    model = json.loads(done.stdout)
    assert (model["status"], model["reason"]) == ("in_service", "the first model of the commune")
    assert model["saw"]["bins"] == test_forecast_job.BINS
    assert model["data_quality"]["bins"] == test_forecast_job.BINS
    assert "Training" in done.stderr
    listed = json.loads(run_voirie("models", "list", "--json", cwd=tmp_path, **database).stdout)["models"]
    assert listed == [model]
    again = run_voirie("train", cwd=tmp_path, **database)
    assert again.returncode == 0, again.stderr
    statuses = [
        one["status"]
        for one in json.loads(run_voirie("models", "list", "--json", cwd=tmp_path, **database).stdout)["models"]
    ]
    assert statuses == ["in_service", "retired"]
    unknown = run_voirie("train", "--commune", "75056", "--json", cwd=tmp_path, **database)
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "75056" in unknown.stderr


def test_events_are_taken_from_a_file(town: Connection, any_database_url: str, tmp_path: Path):
    town.commit()
    database = {"VOIRIE_DATABASE__URL": any_database_url}
    file = tmp_path / "marches.csv"
    file.write_text(
        "kind;name;starts_at;ends_at;weekly_until\nmarket;Marché;2026-03-04 08:00;2026-03-04 13:00;2026-12-31\n"
    )
    done = run_voirie("events", "import", str(file), "--json", cwd=tmp_path, **database)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"imported": 1, "updated": 0, "unchanged": 0, "errors": [], "dry_run": False}
    (event,) = json.loads(run_voirie("events", "list", "--json", cwd=tmp_path, **database).stdout)["events"]
    assert (event["name"], event["weekly_until"]) == ("Marché", "2026-12-31")
    assert run_voirie("events", "remove", event["event_id"], cwd=tmp_path, **database).returncode == 0
    assert run_voirie("events", "remove", event["event_id"], cwd=tmp_path, **database).returncode == 1
    file.write_text("kind,name\nfair,Foire\n")
    refused = run_voirie("events", "import", str(file), "--json", cwd=tmp_path, **database)
    assert refused.returncode == 2
    assert {error["line"] for error in json.loads(refused.stdout)["errors"]} == {1}
