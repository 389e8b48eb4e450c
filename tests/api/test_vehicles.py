"""Vehicles over HTTP: all of the commune's, whether a plan sends them out or not."""

from __future__ import annotations

from dataclasses import replace

import httpx

from storage import places
from storage.database import Connection
from tests.api.rows import INSEE

VEHICLES = f"/api/v1/communes/{INSEE}/vehicles"


def test_a_vehicle_that_no_plan_sends_out_is_listed_too(client: httpx.Client, rows: Connection):
    (out,) = places.vehicles(rows, INSEE)
    places.save_vehicles(rows, [replace(out, vehicle_id="BOM-2", name="Benne de réserve")])
    rows.commit()
    answer = client.get(VEHICLES)
    assert answer.status_code == 200
    assert [(one["vehicle_id"], one["name"]) for one in answer.json()["vehicles"]] == [
        ("BOM-1", "Benne 1"),
        ("BOM-2", "Benne de réserve"),
    ]
    assert answer.json()["vehicles"][0] == {
        "vehicle_id": "BOM-1",
        "name": "Benne 1",
        "capacity_l": 6000,
        "depot_id": "DEPOT-1",
        "shift_from": f"{out.shift_from:%H:%M:%S}",
        "shift_until": f"{out.shift_until:%H:%M:%S}",
    }


def test_a_commune_that_is_not_served_has_none(client: httpx.Client):
    assert client.get("/api/v1/communes/99999/vehicles").status_code == 404
