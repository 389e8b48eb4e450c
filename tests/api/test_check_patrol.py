"""A proposed patrol over HTTP: most justified checks within the minutes, none where a colleague goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from api.app import ApiOptions
from api.models.checks import HINT
from api.ports import Ports
from optimise.patrol.cpsat import SearchLimits
from optimise.patrol.planner import PatrolPlanner
from optimise.rounds.great_circle import GreatCircles
from storage.database import Connection
from storage.kerb.worth import WorthOptions
from tests.api.rows import INSEE, ago, occupancy, take_in
from tests.api.serving import client_of

CHECKS = f"/api/v1/communes/{INSEE}/checks"
PLACES = f"/api/v1/communes/{INSEE}/places"
HERE = {"lon": 2.55, "lat": 48.841}
PLANNER = PatrolPlanner(
    travel=GreatCircles(detour_factor=1.3, speed_kmh=4.5), limits=SearchLimits(seconds=None, work=0.2)
)


@pytest.fixture
def patrolling(database_url: str, rows: Connection) -> Iterator[httpx.Client]:
    """A client of a server that plans patrols, in a street with a bay each hundred metres: four are overstayed."""
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, heartbeat_s=0.5)
    with client_of(options, Ports(patrols=PLANNER)) as client:
        table = "place_id,longitude_deg,latitude_deg,hours,max_stay_min,grace_min\n" + "".join(
            f"B{number},{2.55 + number * 0.001367:.6f},48.841,Mo-Su 00:00-24:00,30,5\n" for number in range(1, 7)
        )
        assert client.post(PLACES, params={"format": "csv"}, content=table).status_code == 200
        for number, minutes in enumerate((60, 70, 1, 80, 34, 90), start=1):
            take_in(rows, occupancy(f"B{number}", occupied=True, at=ago(minutes=minutes), device_id=200 + number))
        yield client


def patrol(client: httpx.Client, **asked: object) -> dict[str, object]:
    answer = client.get(f"{CHECKS}/patrol", params=HERE | asked)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    assert (answer.json()["hint"], answer.headers["cache-control"]) == (HINT, "no-store")
    return answer.json()


def test_a_patrol_goes_along_the_street_and_foresees_what_will_be_over(patrolling: httpx.Client):
    told = patrol(patrolling, minutes=30)
    stops = told["stops"]
    # B3 is within its limit for half an hour more, B5 is over in one minute: it is on the way.
    assert [stop["place_id"] for stop in stops] == ["B1", "B2", "B4", "B5", "B6"]
    assert [stop["reason"] for stop in stops] == ["over_limit"] * 3 + ["soon_over", "over_limit"]
    now = datetime.fromisoformat(told["now"])
    at = now
    for stop in stops:
        at += timedelta(seconds=stop["walk_s"] + stop["wait_s"])
        assert datetime.fromisoformat(stop["arrival_at"]) == at
        assert datetime.fromisoformat(stop["over_since"]) <= at
        at = datetime.fromisoformat(stop["leave_at"])
    assert told["total_s"] == (at - now).total_seconds() <= 30 * 60
    assert told["expected_checks"] == pytest.approx(sum(stop["chance"] for stop in stops), abs=0.01)
    assert (told["travel_source"], told["geometry"]) == ("great_circle x 1.3", None)
    # 600 m there are 625 s of walk with the detour: with the way back and two minutes each fewer fit.
    back = patrol(patrolling, minutes=20, back=True)
    assert [stop["place_id"] for stop in back["stops"]] == ["B1", "B2", "B4"]


def test_nobody_is_sent_where_a_colleague_goes(patrolling: httpx.Client):
    ours = str(UUID(int=1))
    body = {"event_id": str(uuid4()), "holder_id": ours, "by": "Patrouille 1"}
    assert patrolling.post(f"{CHECKS}/B2/take", json=body).status_code == 200
    assert [stop["place_id"] for stop in patrol(patrolling, minutes=30)["stops"]] == ["B1", "B4", "B5", "B6"]
    mine = patrol(patrolling, minutes=30, holder_id=ours, aim="worth")
    assert {stop["place_id"] for stop in mine["stops"]} == {"B1", "B2", "B4", "B5", "B6"}


def test_where_nothing_is_to_check_nobody_walks(patrolling: httpx.Client):
    told = patrol(patrolling, minutes=30, kind="parking_space")
    assert (told["stops"], told["total_s"], told["expected_checks"]) == ([], 0, 0)
    for wrong in ({"minutes": 1}, {"aim": "fines"}, {"kind": "zone"}, {"lon": 200}):
        assert patrolling.get(f"{CHECKS}/patrol", params=HERE | wrong).status_code == 422


def test_a_towns_own_priorities_and_pace_order_its_checks(
    patrolling: httpx.Client, database_url: str, rows: Connection
):
    table = "place_id,longitude_deg,latitude_deg,use,hours,max_stay_min,grace_min\n"
    table += "S1,2.551,48.841,short_stay,Mo-Su 00:00-24:00,30,5\n"
    assert patrolling.post(PLACES, params={"format": "csv"}, content=table).status_code == 200
    take_in(rows, occupancy("S1", occupied=True, at=ago(minutes=60), device_id=300))
    usual = patrolling.get(CHECKS, params=HERE).json()["checks"]
    by_bicycle = WorthOptions(delivery_min=1, short_stay_min=30, walking_m_s=2.5)
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, worth=by_bicycle)
    with client_of(options, Ports(patrols=PLANNER)) as client:
        checks = client.get(CHECKS, params=HERE).json()["checks"]
        (first,) = patrol(client, minutes=5, aim="worth")["stops"][:1]
    (was,) = [one for one in usual if one["place_id"] == "S1"]
    assert (checks[0]["place_id"], first["place_id"]) == ("S1", "S1")
    assert checks[0]["walk_s"] == pytest.approx(was["walk_s"] / 2, abs=1)
    assert first["severity_min"] == pytest.approx(was["severity_min"] * 30 / 8, rel=0.05)


def test_a_server_without_a_planner_says_so(client: httpx.Client):
    answer = client.get(f"{CHECKS}/patrol", params=HERE)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:voirie:problem:service-unavailable")
