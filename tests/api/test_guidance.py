"""Guidance over HTTP: nearest likely free places, a number for a sign, what may be kept; unknown is never free."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from api.app import ApiOptions
from api.models.guidance import BayForecastsModel, GuidanceModel, NumberModel
from optimise.occupancy.job import make_sessions
from storage.database import Connection
from tests.api.rows import INSEE, NOW, save_commune
from tests.api.serving import client_of
from tests.storage import bay_town

ROOT = f"/api/v1/communes/{INSEE}"
GUIDANCE, NUMBER, FORECAST = f"{ROOT}/guidance", f"{ROOT}/guidance/number", f"{ROOT}/occupancy-forecast"
NEAR = {"lon": 2.5503, "lat": 48.84}


@pytest.fixture
def streets(connection: Connection) -> Connection:
    """Two streets with the same clock as the other routes' tests; nothing is forecast yet."""
    save_commune(connection)
    bay_town.provision(connection, days=2)
    save_commune(connection)
    make_sessions(connection, INSEE)
    connection.commit()
    return connection


@pytest.fixture
def phone(database_url: str, streets: Connection) -> Iterator[httpx.Client]:
    with client_of(ApiOptions(database_url=database_url, commune_insee=INSEE, heartbeat_s=0.5)) as opened:
        yield opened


def test_the_nearest_likely_free_places_are_told_with_walk_and_chance(phone: httpx.Client, streets: Connection):
    bay_town.set_free(streets, free={0, 1, 8, 9, 10, 11, 12, 13})
    bay_town.forecast(streets)
    answer = phone.get(GUIDANCE, params={**NEAR, "at": 20})
    told = GuidanceModel.model_validate_json(answer.text)
    assert len(answer.content) < 1500
    assert [place.name for place in told.places] == ["Rue Haute", "Rue Basse"]
    near, far = told.places
    # 0.002 degrees of latitude, by detours.
    assert near.walk_m < 30 < far.walk_m == pytest.approx(1.3 * 222.4, abs=3)
    assert far.walk_s == pytest.approx(far.walk_m / 1.25, abs=1)
    assert (near.measured.free, near.measured.occupied, near.measured.unknown) == (2, 4, 2)
    assert far.chance >= near.chance > 0.5
    assert near.low <= near.expected <= near.high <= near.places == 8
    assert (told.around, told.unknown) == (16, 0)
    single = phone.get(GUIDANCE, params={**NEAR, "unit": "place", "least_chance": 0.9}).json()
    nearest = [place["id"] for place in single["places"]]
    assert nearest[:2] == ["STA-0001", "STA-0000"]
    assert set(nearest[2:]) < {f"STA-{number:04d}" for number in range(8, 14)}
    assert phone.get(GUIDANCE, params={**NEAR, "vehicle": "delivery"}).json()["places"] == []
    assert phone.get(GUIDANCE, params={**NEAR, "radius_m": 100, "least_chance": 0}).json()["around"] == 8


def test_what_a_sensor_told_since_the_forecast_turns_it(phone: httpx.Client, streets: Connection):
    bay_town.set_free(streets, free={0})
    bay_town.forecast(streets)
    before = phone.get(GUIDANCE, params={**NEAR, "unit": "place", "at": 5, "least_chance": 0, "limit": 50}).json()
    bay_town.set_free(streets, free={5}, at_min=1)
    after = phone.get(GUIDANCE, params={**NEAR, "unit": "place", "at": 5, "least_chance": 0, "limit": 50}).json()
    chance = [{place["id"]: place["chance"] for place in each["places"]} for each in (before, after)]
    assert chance[0]["STA-0000"] > 0.8
    assert chance[1]["STA-0000"] < 0.3
    assert chance[0]["STA-0005"] < 0.3
    assert chance[1]["STA-0005"] > 0.8


def test_a_sign_gets_one_number_and_what_is_not_known_is_no_number(phone: httpx.Client, streets: Connection):
    bay_town.set_free(streets, free={0, 1, 2})
    before = phone.get(NUMBER, params={**NEAR, "radius_m": 100})
    assert (before.text, before.headers["content-type"]) == ("3", "text/plain; charset=utf-8")
    assert phone.get(NUMBER, params={**NEAR, "radius_m": 100, "at": 20}).text == "?"
    bay_town.forecast(streets)
    groups = BayForecastsModel.model_validate_json(phone.get(FORECAST).text)
    (high_street,) = (group for group in groups.groups if group.name == "Rue Haute")
    sign = {"group_id": high_street.group_id}
    assert phone.get(NUMBER, params=sign).text == "3"
    told = NumberModel.model_validate_json(phone.get(NUMBER, params={**sign, "at": 30, "as_json": "true"}).text)
    assert told.kind == "predicted"
    assert told.number is not None
    assert 1 <= told.number <= high_street.places
    streets.execute("TRUNCATE occupancy_reading, occupancy_present, bay_usual")
    bay_town.forecast(streets)
    assert phone.get(NUMBER, params=sign).text == "?"
    assert phone.get(NUMBER, params={**sign, "at": 30}).text == "?"
    nothing = phone.get(GUIDANCE, params={**NEAR, "least_chance": 0}).json()
    assert (nothing["places"], nothing["around"], nothing["unknown"]) == ([], 16, 16)
    for wrong in ({}, {"lon": 2.5}, {**sign, **NEAR}):
        assert phone.get(NUMBER, params=wrong).status_code == 422
    assert phone.get(NUMBER, params={"group_id": "street:car:Nowhere"}).status_code == 404


def test_answers_may_be_kept_and_neighbours_ask_the_same(phone: httpx.Client, streets: Connection):
    bay_town.set_free(streets, free={0})
    bay_town.forecast(streets)
    first = phone.get(GUIDANCE, params={"lon": 2.550312, "lat": 48.840004})
    assert "max-age=15" in first.headers["cache-control"]
    assert first.headers["access-control-allow-origin"] == "*"
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    neighbour = phone.get(GUIDANCE, params={"lon": 2.550339, "lat": 48.839961})
    assert neighbour.content == first.content
    held = {"If-None-Match": first.headers["etag"]}
    again = phone.get(GUIDANCE, params=NEAR, headers=held)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    bay_town.set_free(streets, free={1, 2}, at_min=1)
    assert phone.get(GUIDANCE, params=NEAR, headers=held).status_code == 200


def test_a_forecast_that_is_too_old_is_not_used(phone: httpx.Client, streets: Connection):
    bay_town.forecast(streets)
    streets.execute("UPDATE bay_forecast_run SET as_of = %s", [NOW - timedelta(hours=2)])
    streets.commit()
    told = phone.get(GUIDANCE, params={**NEAR, "at": 20, "least_chance": 0}).json()
    assert (told["places"], told["unknown"]) == ([], 16)


def test_the_forecast_itself_is_told_by_bay_and_group(phone: httpx.Client, streets: Connection):
    empty = phone.get(FORECAST).json()
    assert (empty["as_of"], empty["groups"]) == (None, [])
    assert phone.get(f"{FORECAST}/places/STA-0000").status_code == 404
    bay_town.forecast(streets)
    bay = phone.get(f"{FORECAST}/places/STA-0007").json()
    assert (bay["evidence"], len(bay["chance"])) == ("street", len(bay["ahead_min"]))
    assert bay["chance_low"][0] < bay["chance"][0] < bay["chance_high"][0]
    stretches = phone.get(FORECAST, params={"scope": "stretch", "use": "car"}).json()
    assert {group["places"] for group in stretches["groups"]} == {8}
    assert phone.get(f"{ROOT}/occupancy-models").json() == {"models": []}
    assert f'voirie_bay_forecast_age_seconds{{commune_insee="{INSEE}"}}' in phone.get("/metrics").text
