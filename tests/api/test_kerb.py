"""Delivery bays and parking spaces: unknown is never free, an overstay starts exactly after limit and grace."""

from __future__ import annotations

import httpx
import pytest

from storage.database import Connection
from tests.api.rows import INSEE, ago, occupancy, take_in

BAYS = f"/api/v1/communes/{INSEE}/delivery-bays"
PARKING = f"/api/v1/communes/{INSEE}/parking"


def test_silence_is_unknown_never_free(client: httpx.Client, rows: Connection):
    # STA-0001 was never heard, STA-0002 was free 31 h ago, STA-0003 is free. Only the last one counts.
    take_in(
        rows,
        occupancy("STA-0002", occupied=False, at=ago(hours=31)),
        occupancy("STA-0003", occupied=False, at=ago(hours=29), device_id=101),
        occupancy("ADL-01", occupied=False, at=ago(hours=31), device_id=102),
    )
    parking = client.get(PARKING).json()
    assert (parking["total"], parking["free"], parking["occupied"], parking["unknown"]) == (3, 1, 0, 2)
    free = client.get(PARKING, params={"state": "free"}).json()
    assert [item["place_id"] for item in free["spaces"]] == ["STA-0003"]
    assert free["unknown"] == 2
    bays = client.get(BAYS).json()
    assert [bay["state"] for bay in bays["delivery_bays"]] == ["unknown", "unknown"]
    assert [bay["occupied"] for bay in bays["delivery_bays"]] == [None, None]
    assert bays["counts"]["free"] == 0


@pytest.mark.parametrize(
    ("minutes", "seconds", "state"),
    [
        (10, 0, "within_limit"),
        (25, 0, "near_limit"),  # the last five minutes
        (30, 0, "near_limit"),  # grace
        (34, 59, "near_limit"),
        (35, 0, "over_limit"),
        (50, 0, "over_limit"),
    ],
)
def test_overstay_starts_after_limit_and_grace(
    client: httpx.Client, rows: Connection, minutes: int, seconds: int, state: str
):
    # The clock stands within a microsecond of NOW, so an arrival one millisecond earlier is at the limit.
    arrived = ago(minutes=minutes, seconds=seconds, milliseconds=1)
    take_in(rows, occupancy("ADL-01", occupied=True, at=arrived))
    bay = next(item for item in client.get(BAYS).json()["delivery_bays"] if item["place_id"] == "ADL-01")
    assert bay["state"] == state
    stay_s = minutes * 60 + seconds
    assert bay["overstay_s"] == (stay_s - 1800 if state == "over_limit" else None)
    assert bay["remaining_s"] == pytest.approx(max(0, 1800 - stay_s), abs=1)


def test_overstays_come_first_and_can_be_asked_for_alone(client: httpx.Client, rows: Connection):
    take_in(
        rows,
        occupancy("ADL-01", occupied=True, at=ago(minutes=40)),
        occupancy("ADL-02", occupied=True, at=ago(minutes=90), device_id=101),
    )
    bays = client.get(BAYS).json()["delivery_bays"]
    assert [bay["place_id"] for bay in bays] == ["ADL-02", "ADL-01"]
    take_in(rows, occupancy("ADL-02", occupied=False, at=ago(minutes=1), device_id=101))
    answer = client.get(BAYS, params={"state": "over_limit"}).json()
    assert [bay["place_id"] for bay in answer["delivery_bays"]] == ["ADL-01"]
    assert answer["counts"] == {
        "rule_not_in_force": 0, "free": 1, "within_limit": 0, "near_limit": 0, "over_limit": 1, "unknown": 0,
    }  # fmt: skip


def test_late_and_repeated_readings_move_nothing(client: httpx.Client, rows: Connection):
    take_in(
        rows,
        occupancy("ADL-01", occupied=False, at=ago(minutes=60)),
        occupancy("ADL-01", occupied=True, at=ago(minutes=40)),
    )
    before = client.get(BAYS).json()
    take_in(
        rows,
        occupancy("ADL-01", occupied=True, at=ago(minutes=5)),  # a heartbeat
        occupancy("ADL-01", occupied=True, at=ago(minutes=90)),  # late, of the vehicle before
        occupancy("ADL-01", occupied=False, at=ago(minutes=80)),  # late
        occupancy("ADL-01", occupied=True, at=ago(minutes=40)),  # repeated
    )
    after = client.get(BAYS).json()
    assert after["delivery_bays"][0]["occupied_since"] == before["delivery_bays"][0]["occupied_since"]
    assert after["counts"] == before["counts"]


def test_places_near_a_destination_come_nearest_first(client: httpx.Client, rows: Connection):
    take_in(
        rows,
        occupancy("STA-0001", occupied=False, at=ago(minutes=1)),
        occupancy("STA-0002", occupied=True, at=ago(minutes=1), device_id=101),
    )
    near = client.get(PARKING, params={"lon": 2.57, "lat": 48.84, "radius_m": 800}).json()
    # STA-0002 stands there, STA-0001 and STA-0003 732 m away on either side.
    assert [item["place_id"] for item in near["spaces"]] == ["STA-0002", "STA-0001", "STA-0003"]
    assert near["spaces"][1]["distance_m"] == pytest.approx(731.8, abs=0.5)
    assert (near["free"], near["occupied"], near["unknown"]) == (1, 1, 1)
    assert client.get(PARKING, params={"lon": 2.57, "lat": 48.84, "radius_m": 100}).json()["total"] == 1
    assert client.get(PARKING, params={"lon": 2.57}).status_code == 422
