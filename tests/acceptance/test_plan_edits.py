"""A plan edited over HTTP as the chef does it: the server asks, a real worker answers, the draft is published."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.app import ApiOptions
from api.ports import Ports
from cli.at_once import WorkerAtOnce
from optimise.rounds.planner import plan_day
from storage.database import Connection
from storage.model import Plan
from tests.api.serving import client_of
from tests.commanding import run_voirie
from tests.storage.test_plan_editing import rounds, stand_still
from tests.storage.test_planner import DAY, EVENING, INSEE, foresee, options, provision
from tests.tools import wait_until
from tests.working import running_worker

POINTS = [(2.50 + number % 6 / 300, 48.80 + number // 6 / 400) for number in range(32)]


@pytest.fixture
def base(connection: Connection, tmp_path: Path) -> Plan:
    """A published plan, measured on great circles."""
    provision(connection, POINTS)
    foresee(connection)
    stand_still(connection, EVENING)
    made = plan_day(connection, INSEE, service_date=DAY, as_of=EVENING, options=options(tmp_path / "streets"))
    connection.commit()
    return made


@pytest.fixture
def client(database_url: str, base: Plan) -> Iterator[httpx.Client]:
    assert base.routes
    told = ApiOptions(database_url=database_url, commune_insee=INSEE)
    with client_of(told, Ports(at_once=WorkerAtOnce(database_url))) as opened:
        yield opened


@pytest.fixture
def worker(database_url: str, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    settings = {
        "VOIRIE_DATABASE__URL": database_url,
        "VOIRIE_COMMUNE__INSEE_CODE": INSEE,
        "VOIRIE_ROUNDS__EDIT_S": "1.5",
    }
    with running_worker(tmp_path, settings) as process:
        yield process


def test_an_edit_is_asked_answered_and_published(client: httpx.Client, base: Plan, worker: subprocess.Popen[bytes]):
    plans = f"/api/v1/communes/{INSEE}/plans"
    vehicle, names = next(iter(rounds(base).items()))
    body: dict[str, Any] = {
        "request_id": str(uuid4()),
        "by": "Chef",
        "edits": [{"kind": "drop", "place_id": names[0]}, {"kind": "lock", "place_id": names[1], "hold": "first"}],
    }
    url = f"{plans}/{base.plan_id}/edits"
    # Before a worker is up the request waits, and is kept.
    wait_until(lambda: client.post(url, json=body, params={"wait_s": 5}).status_code == 200, what="the worker's answer")
    assert worker.poll() is None
    done = client.post(url, json=body).json()
    assert (done["state"], done["asked_by"], done["plan_id"]) == ("done", "Chef", str(base.plan_id))
    assert names[0] in [item["place_id"] for item in done["difference"]["dropped"]]
    assert done == client.get(f"/api/v1/communes/{INSEE}/plan-requests/{body['request_id']}").json()

    draft = client.get(f"{plans}/{done['made_plan_id']}").json()
    assert draft["checker"]["accepted"] is True
    (route,) = [route for route in draft["routes"] if route["vehicle_id"] == vehicle]
    assert next(stop["place_id"] for stop in route["stops"] if stop["kind"] == "bin") == names[1]
    assert client.get(f"{plans}/latest").json()["plan_id"] == str(base.plan_id)

    refused = client.post(
        url,
        json={"request_id": str(uuid4()), "by": "Chef", "edits": [{"kind": "add", "place_id": "COR-9001"}]},
        params={"wait_s": 20},
    )
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:voirie:problem:edit-refused"
    assert "must_be_served (COR-9001): Aucune prévision" in refused.json()["detail"]
    other = client.post(url, json=body | {"edits": [{"kind": "drop", "place_id": names[2]}]})
    assert other.status_code == 409

    published = client.post(f"{plans}/{done['made_plan_id']}/publish", json={"by": "Chef"}).json()
    assert (published["status"], published["version"]) == ("published", 2)
    assert client.get(f"{plans}/latest").json()["plan_id"] == done["made_plan_id"]


def test_without_a_worker_the_request_is_kept_and_says_so(client: httpx.Client, base: Plan):
    url = f"/api/v1/communes/{INSEE}/plans/{base.plan_id}/edits"
    body = {"request_id": str(uuid4()), "by": "Chef", "edits": [{"kind": "drop", "place_id": "COR-0001"}]}
    asked = client.post(url, json=body, params={"wait_s": 0})
    assert (asked.status_code, asked.json().get("state")) == (202, "waiting"), asked.text
    assert client.get(f"/api/v1/communes/{INSEE}/plan-requests/{body['request_id']}").json() == asked.json()
    for hostile in ("\x00", "\ud800"):
        edits = [{"kind": "drop", "place_id": hostile}]
        content = json.dumps(body | {"request_id": str(uuid4()), "edits": edits})
        refused = client.post(url, content=content, headers={"Content-Type": "application/json"})
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:voirie:problem:invalid-request")
    unknown = client.post(url.replace(str(base.plan_id), str(uuid4())), json=body)
    assert unknown.status_code == 404


def test_a_town_without_the_screen_edits_and_explains(database_url: str, base: Plan, tmp_path: Path):
    def voirie(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_voirie(
            "plan", *arguments, cwd=tmp_path, VOIRIE_DATABASE__URL=database_url, VOIRIE_COMMUNE__INSEE_CODE=INSEE,
            VOIRIE_ROUNDS__EDIT_S="1.5",
        )  # fmt: skip

    name = next(iter(rounds(base).values()))[0]
    edited = voirie("edit", "latest", "--drop", name, "--by", "Chef", "--publish", "--json")
    assert edited.returncode == 0, edited.stderr
    version = json.loads(edited.stdout)
    assert (version["status"], version["version"], version["based_on"]) == ("published", 2, str(base.plan_id))
    assert name in [item["place_id"] for item in version["difference"]["dropped"]]
    shown = json.loads(voirie("show", "latest", "--json").stdout)
    assert shown["plan_id"] == version["plan_id"]
    assert {left["place_id"]: left["reason"]["code"] for left in shown["left_out"]}[name] == "must_not"
    assert all(stop["reason"]["text"] for route in shown["routes"] for stop in route["stops"] if stop["kind"] == "bin")
    made_from = shown["made_from"]
    assert made_from["forecast_run_id"] == str(base.forecast_run_id)
    assert {"policy", "prices", "wishes", "rules", "closed_ways", "forecast_model", "fleet", "edits"} <= set(
        made_from["inputs"]
    )
    refused = voirie("edit", "latest", "--add", "COR-9001")
    assert refused.returncode == 1
    assert "must_be_served (COR-9001)" in refused.stderr
    assert voirie("edit", "latest", "--drop", "COR-0").returncode == 2


def test_the_worker_repairs_what_is_declared_on_the_road(
    client: httpx.Client, connection: Connection, base: Plan, worker: subprocess.Popen[bytes]
):
    (vehicle, names), *_ = rounds(base).items()
    route = next(route for route in base.routes if route.vehicle_id == vehicle)
    now = route.start_at + timedelta(minutes=2)
    stand_still(connection, now)
    connection.commit()
    url = f"/api/v1/communes/{INSEE}"
    before = client.get(f"{url}/rounds/{vehicle}").json()
    assert (before["version"], before["plan_id"]) == (1, str(base.plan_id))
    event = {"event_id": str(uuid4()), "place_id": names[4], "kind": "blocked", "happened_at": now.isoformat()}
    assert client.post(f"{url}/service-events", json={"events": [event]}).json()["new"] == 1

    def known() -> dict[str, Any]:
        answer: dict[str, Any] = client.get(f"{url}/rounds/{vehicle}", params={"known_version": 1}).json()
        return answer

    wait_until(lambda: known()["changed"], what="the repaired round", timeout_s=60)
    assert worker.poll() is None
    after = known()
    assert (after["version"], after["changes"]["removed"]) == (2, [names[4]])
    assert next(stop["place_id"] for stop in after["route"]["stops"] if stop["kind"] == "bin") == names[0]
    version = client.get(f"{url}/plans/{after['plan_id']}/version").json()
    assert (version["origin"], version["edits"][0]["kind"]) == ("repaired", "blocked")
    left = client.get(f"{url}/plans/{after['plan_id']}/left-out").json()["left_out"]
    assert {item["place_id"]: item["reason"]["code"] for item in left}[names[4]] == "blocked"
    # Sent again, it is the same.
    assert client.post(f"{url}/service-events", json={"events": [event]}).json()["new"] == 0
