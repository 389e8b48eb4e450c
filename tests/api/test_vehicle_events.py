"""What crews tell of their vehicle: once is enough, the last position alone is kept, and a repair is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.app import ApiOptions
from api.ports import Ports
from storage import vehicle_events
from storage.database import Connection
from storage.errors import UnavailableError
from tests.api.rows import INSEE, NOW, ago
from tests.api.serving import client_of
from tests.tools import wait_until

URL = f"/api/v1/communes/{INSEE}"


class Asked:
    """A worker's ear."""

    def __init__(self) -> None:
        self.repairs: list[str] = []
        self.deaf = False

    def edit(self, commune_insee: str, request_id: UUID) -> None:
        raise AssertionError((commune_insee, request_id))

    def repair(self, commune_insee: str) -> None:
        if self.deaf:
            raise UnavailableError("deaf")
        self.repairs.append(commune_insee)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def heard(database_url: str, rows: Connection, asked: Asked) -> Iterator[httpx.Client]:
    assert rows
    with client_of(ApiOptions(database_url=database_url, commune_insee=INSEE), Ports(at_once=asked)) as opened:
        yield opened


def broken(**changes: Any) -> dict[str, Any]:
    event = {
        "event_id": str(uuid4()), "vehicle_id": "BOM-1", "kind": "broken", "happened_at": ago(minutes=5).isoformat(),
    }  # fmt: skip
    return {"vehicle_events": [event | changes]}


def test_a_breakdown_is_stored_once_and_a_repair_asked_for(heard: httpx.Client, rows: Connection, asked: Asked):
    body = broken()
    assert heard.post(f"{URL}/vehicle-events", json=body).json() == {"accepted": 1, "new": 1}
    assert heard.post(f"{URL}/vehicle-events", json=body).json() == {"accepted": 1, "new": 0}
    wait_until(lambda: bool(asked.repairs), what="the question for a repair")
    assert asked.repairs == [INSEE]
    (kept,) = vehicle_events.between(rows, INSEE, since=ago(hours=1), until=NOW)
    assert (kept.vehicle_id, kept.kind.value) == ("BOM-1", "broken")


def test_what_bins_tell_asks_for_a_repair_too_and_a_deaf_worker_loses_nothing(heard: httpx.Client, asked: Asked):
    event = {
        "event_id": str(uuid4()), "place_id": "COR-0001", "kind": "overflowing",
        "happened_at": ago(minutes=5).isoformat(),
    }  # fmt: skip
    assert heard.post(f"{URL}/service-events", json={"events": [event]}).json()["new"] == 1
    wait_until(lambda: bool(asked.repairs), what="the question for a repair")
    asked.deaf = True
    again = event | {"event_id": str(uuid4())}
    assert heard.post(f"{URL}/service-events", json={"events": [again]}).json()["new"] == 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"vehicle_id": "BOM-9"}, "has no vehicle 'BOM-9'", id="stranger"),
        pytest.param({"happened_at": ago(hours=-1).isoformat()}, "in the future", id="future"),
        pytest.param({"kind": "tired"}, "Input should be", id="unknown kind"),
    ],
)
def test_nonsense_is_refused(heard: httpx.Client, asked: Asked, changes: dict[str, Any], told: str):
    answer = heard.post(f"{URL}/vehicle-events", json=broken(**changes))
    assert answer.status_code == 422
    assert told in answer.text
    assert asked.repairs == []


def test_the_last_position_alone_is_kept(heard: httpx.Client, rows: Connection):
    url = f"{URL}/vehicles/BOM-1/position"
    here = {"told_at": ago(minutes=1).isoformat(), "longitude_deg": 2.55, "latitude_deg": 48.84}
    assert heard.put(url, json=here | {"next_place_id": "COR-0002"}).json() == {"kept": True}
    late = here | {"told_at": ago(minutes=3).isoformat(), "longitude_deg": 2.5}
    assert heard.put(url, json=late).json() == {"kept": False}
    (kept,) = vehicle_events.positions(rows, INSEE)
    assert (kept.longitude_deg, kept.next_place_id, kept.told_at) == (2.55, "COR-0002", ago(minutes=1))
    assert heard.put(url.replace("BOM-1", "BOM-9"), json=here).status_code == 422
