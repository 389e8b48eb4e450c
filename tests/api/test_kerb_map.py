"""The kerb over HTTP: states with since, time left and the rule in words; sessions; places; tables taken in."""

from __future__ import annotations

import httpx
import pytest

from api.models.kerb import KerbModel, KerbRowsModel
from optimise.occupancy.job import make_sessions
from storage.database import Connection
from storage.model import PlaceKind
from tests.api.rows import INSEE, ago, mount, occupancy, take_in

KERB = f"/api/v1/communes/{INSEE}/kerb"
PLACES = f"/api/v1/communes/{INSEE}/places"
HEADER = "place_id,kind,longitude_deg,latitude_deg,part_of,hours,max_stay_min\n"


def by_id(answer: httpx.Response) -> dict[str, dict[str, object]]:
    assert answer.status_code == 200, answer.text
    return {place["place_id"]: place for place in answer.json()["places"]}


@pytest.mark.parametrize("made", [False, True])
def test_the_map_tells_states_since_when_and_by_which_rule(client: httpx.Client, rows: Connection, *, made: bool):
    take_in(
        rows,
        occupancy("ADL-01", occupied=False, at=ago(minutes=90)),
        occupancy("ADL-01", occupied=True, at=ago(minutes=50)),
        occupancy("ADL-02", occupied=True, at=ago(minutes=70), device_id=101),
        occupancy("ADL-02", occupied=False, at=ago(minutes=20), device_id=101),
        occupancy("STA-0001", occupied=False, at=ago(hours=31), device_id=102),
    )
    if made:
        make_sessions(rows, INSEE)
        rows.commit()
    answer = client.get(KERB)
    document = KerbModel.model_validate_json(answer.text)
    places = by_id(answer)
    over, free, silent = places["ADL-01"], places["ADL-02"], places["STA-0001"]
    assert (over["state"], over["overstay_s"], over["remaining_s"]) == ("over_limit", 20 * 60, 0)
    # Limit and grace, after the arrival.
    assert over["since"] == ago(minutes=15).isoformat().replace("+00:00", "Z")
    assert over["limit_at"] == ago(minutes=20).isoformat().replace("+00:00", "Z")
    assert ("certainty" in over) is made
    assert (free["state"], free["since"]) == ("free", ago(minutes=20).isoformat().replace("+00:00", "Z"))
    # No rule is known of spaces, and nothing is known of what stands there: nowhere is it called free.
    assert silent["state"] == "rule_not_in_force"
    assert not {"occupied", "rule"} & set(silent)
    assert document.rules[str(over["rule"])].words == (
        "Livraisons, 30 min au plus (tolérance 5 min), du lundi au samedi de 7 h à 20 h"
    )
    assert over["rule"] == free["rule"]
    assert sum(document.counts.values()) == len(places) == 5


def test_the_map_as_rows_says_the_same(client: httpx.Client, rows: Connection):
    take_in(rows, occupancy("ADL-01", occupied=True, at=ago(minutes=50)))
    plain, answer = client.get(KERB).json(), client.get(KERB, params={"as_rows": "true"})
    told = KerbRowsModel.model_validate_json(answer.text)
    assert len(answer.content) < len(client.get(KERB).content)
    again = [
        {name: value for name, value in zip(told.columns, row, strict=False) if value is not None}
        for row in answer.json()["places"]
    ]
    assert again == plain["places"]
    assert {name: answer.json()[name] for name in ("now", "counts", "rules")} == {
        name: plain[name] for name in ("now", "counts", "rules")
    }


def test_the_map_can_be_cut(client: httpx.Client, rows: Connection):
    take_in(rows, occupancy("ADL-01", occupied=True, at=ago(minutes=50)))
    assert set(by_id(client.get(KERB, params={"kind": "parking_space"}))) == {"STA-0001", "STA-0002", "STA-0003"}
    assert set(by_id(client.get(KERB, params={"state": ["over_limit", "free"]}))) == {"ADL-01"}
    assert set(by_id(client.get(KERB, params={"bbox": "2.565,48.83,2.575,48.85"}))) == {"STA-0002"}
    for wrong in ({"bbox": "1,2,3"}, {"bbox": "3,48,2,49"}, {"kind": "bin"}, {"kind": "zone"}):
        assert client.get(KERB, params=wrong).status_code == 422


@pytest.mark.parametrize(("habit_h", "state"), [(1, "unknown"), (3, "free")])
def test_silence_is_judged_by_the_sensors_own_habit(client: httpx.Client, rows: Connection, habit_h: int, state: str):
    device_id = mount(rows, "ADL-01", eui="70b3d5e75e000001", kind=PlaceKind.DELIVERY_BAY)
    rows.execute(
        "INSERT INTO device_health (commune_insee, device_id, heard_at, silent_after_s) VALUES (%s, %s, %s, %s)",
        [INSEE, device_id, ago(hours=2), habit_h * 3600],
    )
    take_in(rows, occupancy("ADL-01", occupied=False, at=ago(hours=2), device_id=device_id))
    for made in (False, True):
        if made:
            make_sessions(rows, INSEE)
            rows.commit()
        told = by_id(client.get(KERB))["ADL-01"]
        assert (told["state"], told["since"]) == (state, ago(hours=2).isoformat().replace("+00:00", "Z"))
        assert client.get(f"{KERB}/ADL-01").json()["state"] == state


def test_one_place_tells_everything_in_words(client: httpx.Client, rows: Connection):
    mount(rows, "ADL-01", eui="70b3d5e75e000001", kind=PlaceKind.DELIVERY_BAY)
    take_in(rows, occupancy("ADL-01", occupied=True, at=ago(minutes=50), device_id=1))
    place = client.get(f"{KERB}/ADL-01").json()
    assert (place["state"], place["words"]) == ("over_limit", "En dépassement de 20 min")
    assert place["rule"]["words"] == "Livraisons, 30 min au plus (tolérance 5 min), du lundi au samedi de 7 h à 20 h"
    assert place["rule_until"] == "2026-03-10T19:00:00Z"
    assert place["sensor"]["mounted"] is True
    assert (place["next_rule"], place["parts"]) == (None, {})
    never = client.get(f"{KERB}/ADL-02").json()
    assert (never["state"], never["words"]) == ("unknown", "Inconnu : aucun capteur n'en a rien dit")
    assert client.get(f"{KERB}/COR-0001").status_code == 404
    assert client.get(f"{KERB}/NOWHERE").status_code == 404


def test_an_area_tells_what_its_bays_are_up_to(client: httpx.Client, rows: Connection):
    table = (
        HEADER
        + "A1,delivery_area,2.55,48.84,,Mo-Sa 06:00-21:00,45\n"
        + "".join(f"{bay},delivery_bay,2.55,48.841,A1,,\n" for bay in ("ADL-01", "ADL-02"))
    )
    assert client.post(PLACES, params={"format": "csv"}, content=table).status_code == 200
    take_in(rows, occupancy("ADL-01", occupied=True, at=ago(minutes=50)))
    area = client.get(f"{KERB}/A1").json()
    assert area["parts"] == {"over_limit": 1, "unknown": 1}
    # The bays have no rules of their own any more: the area's hold.
    assert by_id(client.get(KERB))["ADL-01"]["overstay_s"] == 300


def test_sessions_are_told_and_no_vehicle_with_them(client: httpx.Client, rows: Connection):
    take_in(
        rows,
        occupancy("ADL-01", occupied=False, at=ago(minutes=200)),
        occupancy("ADL-01", occupied=True, at=ago(minutes=150)),
        occupancy("ADL-01", occupied=False, at=ago(minutes=90)),
        occupancy("ADL-01", occupied=True, at=ago(minutes=5)),
    )
    make_sessions(rows, INSEE)
    rows.commit()
    here, gone = client.get(f"{KERB}/ADL-01/sessions").json()["sessions"]
    assert (here["ended_by"], here["ended_at"], here["dwell_s"]) == ("open", None, None)
    assert (gone["ended_by"], gone["dwell_s"], gone["overstay_s"]) == ("freed", 3600, 1800)
    assert len(client.get(f"{KERB}/ADL-01/sessions", params={"limit": 1}).json()["sessions"]) == 1
    assert client.get(f"{KERB}/NOWHERE/sessions").status_code == 404


def test_places_are_listed_page_by_page_with_their_rules(client: httpx.Client):
    first = client.get(PLACES, params={"limit": 3}).json()
    rest = client.get(PLACES, params={"after": first["next"]}).json()
    ids = [place["place_id"] for page in (first, rest) for place in page["places"]]
    assert ids == ["ADL-01", "ADL-02", "STA-0001", "STA-0002", "STA-0003"]
    assert rest["next"] is None
    assert first["places"][0]["rules"][0]["max_stay_s"] == 1800
    assert len(client.get(PLACES, params={"kind": "delivery_bay"}).json()["places"]) == 2
    assert client.get(PLACES, params={"kind": "bin"}).status_code == 422


def test_a_table_is_taken_in_or_every_fault_is_told(client: httpx.Client):
    good = HEADER + "N1,delivery_bay,2.56,48.84,,du lundi au samedi 7h-19h,20\n"
    dry = client.post(PLACES, params={"format": "csv", "dry_run": "true"}, content=good).json()
    assert (dry["imported"], dry["dry_run"]) == (1, True)
    assert client.get(f"{KERB}/N1").status_code == 404
    assert client.post(PLACES, params={"format": "csv"}, content=good).json()["imported"] == 1
    assert client.post(PLACES, params={"format": "csv"}, content=good).json()["unchanged"] == 1
    assert client.get(f"{KERB}/N1").json()["state"] == "unknown"
    bad = client.post(PLACES, params={"format": "csv"}, content=good + "N2,bin,2.56,48.84,,,\nN3,,,48.84,,,\n")
    assert (bad.status_code, bad.json()["type"]) == (422, "urn:voirie:problem:invalid-file")
    assert [error["location"] for error in bad.json()["errors"]] == [
        ["body", "line", 3, "kind"], ["body", "line", 4, "longitude_deg"],
    ]  # fmt: skip
    assert client.post(PLACES, params={"format": "gpx"}, content=good).status_code == 422


def test_a_place_whose_life_is_over_is_on_no_map(client: httpx.Client):
    table = "place_id,longitude_deg,latitude_deg,valid_until\nOLD,2.56,48.84,2026-03-09\nLAST,2.56,48.84,2026-03-10\n"
    assert client.post(PLACES, params={"format": "csv"}, content=table).json()["imported"] == 2
    places = by_id(client.get(KERB))
    assert "LAST" in places
    assert "OLD" not in places
    assert client.get(f"{KERB}/OLD").status_code == 404
    listed = client.get(PLACES, params={"living": "true"}).json()["places"]
    assert "OLD" not in {place["place_id"] for place in listed}
    assert "OLD" in {place["place_id"] for place in client.get(PLACES).json()["places"]}
