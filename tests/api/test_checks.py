"""What officers check: foreseen for the arrival, taken by one at a time, closed with a cause that is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.models.checks import HINT
from storage.database import Connection
from storage.model import PlaceKind
from tests.api.rows import INSEE, ago, mount, occupancy, take_in

CHECKS = f"/api/v1/communes/{INSEE}/checks"
PLACES = f"/api/v1/communes/{INSEE}/places"
HEADER = "place_id,kind,longitude_deg,latitude_deg,use,hours,max_stay_min,grace_min\n"
AT_THE_BAYS = {"lon": 2.55, "lat": 48.841}
OURS, THEIRS = str(UUID(int=1)), str(UUID(int=2))


def utc(moment: Any) -> str:
    return str(moment.isoformat()).replace("+00:00", "Z")


def listed(client: httpx.Client, **asked: Any) -> dict[str, dict[str, Any]]:
    answer = client.get(CHECKS, params=asked)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["hint"], answer.headers["cache-control"]) == (HINT, "no-store")
    return {check["place_id"]: check for check in answer.json()["checks"]}


def tell(client: httpx.Client, place_id: str, act: str, **body: Any) -> httpx.Response:
    told = {"event_id": str(uuid4()), "by": "Patrouille 1", "holder_id": OURS} | body
    return client.post(f"{CHECKS}/{place_id}/{act}", json=told)


def overstay(rows: Connection, place_id: str = "ADL-01", *, minutes: int = 50, device_id: int = 100) -> None:
    take_in(rows, occupancy(place_id, occupied=True, at=ago(minutes=minutes), device_id=device_id))


def test_an_overstay_is_listed_with_all_that_an_officer_asks(client: httpx.Client, rows: Connection):
    overstay(rows)
    take_in(rows, occupancy("ADL-02", occupied=True, at=ago(minutes=20), device_id=101))
    found = listed(client)
    assert set(found) == {"ADL-01"}
    check = found["ADL-01"]
    assert (check["reason"], check["state"], check["words"]) == (
        "over_limit", "over_limit", "En dépassement de 20 min",
    )  # fmt: skip
    assert check["rule"] == "Livraisons, 30 min au plus (tolérance 5 min), du lundi au samedi de 7 h à 20 h"
    in_english = "Deliveries, 30 min at most (5 min of grace), Monday to Saturday 7:00 to 20:00"
    assert listed(client, lang="en")["ADL-01"]["rule"] == in_english
    assert (check["occupied_since"], check["over_since"]) == (utc(ago(minutes=50)), utc(ago(minutes=15)))
    assert (check["overstay_s"], check["walk_s"], check["held"]) == (1200, 0, None)
    # Not judged yet by 0.9, the sensor never looked at by 0.95; nobody walks, so that it is certain to stand there.
    assert check["chance"] == pytest.approx(0.9 * 0.95, abs=1e-3)
    assert check["worth_min"] == pytest.approx(check["chance"] * check["severity_min"], abs=0.02)


def test_what_is_near_its_limit_is_foreseen_for_the_arrival_on_foot(client: httpx.Client, rows: Connection):
    overstay(rows, minutes=33)  # within its grace for two minutes more
    assert listed(client, **AT_THE_BAYS) == {}
    far = {"lon": 2.5532, "lat": 48.841}  # 234 m: four minutes by a way that is 1.3 times as long
    check = listed(client, **far)["ADL-01"]
    assert (check["reason"], check["state"]) == ("soon_over", "near_limit")
    assert check["walk_s"] == pytest.approx(244, abs=3)
    assert check["over_since"] == utc(ago(minutes=-2))
    assert check["overstay_s"] == pytest.approx(3 * 60 + 244, abs=3)
    # Two minutes nearer it is not over yet when one gets there.
    assert listed(client, lon=2.5512, lat=48.841) == {}


def test_the_list_is_in_the_order_of_worth_and_ends_where_it_is_told_to(client: httpx.Client, rows: Connection):
    table = HEADER + "".join(
        f"B{number},delivery_bay,{2.55 + number / 500},48.841,delivery,Mo-Su 00:00-24:00,30,5\n" for number in range(4)
    )
    assert client.post(PLACES, params={"format": "csv"}, content=table).status_code == 200
    for number in range(4):
        overstay(rows, f"B{number}", minutes=60, device_id=200 + number)
    walked = client.get(CHECKS, params=AT_THE_BAYS).json()
    assert [check["place_id"] for check in walked["checks"]] == ["B0", "B1", "B2", "B3"]
    worth = [check["worth_min"] for check in walked["checks"]]
    assert worth == sorted(worth, reverse=True)
    for check in walked["checks"]:
        expected = check["chance"] * check["severity_min"] - check["walk_s"] / 60
        assert check["worth_min"] == pytest.approx(expected, abs=0.03)
    assert set(listed(client, **AT_THE_BAYS, within_m=200)) == {"B0", "B1"}
    cut = client.get(CHECKS, params=AT_THE_BAYS | {"limit": 1}).json()
    assert ([check["place_id"] for check in cut["checks"]], cut["total"]) == (["B0"], 4)
    assert listed(client, kind="parking_space") == {}
    for wrong in ({"lon": 2.55}, {"kind": "zone"}, {"kind": "bin"}, {"limit": 0}):
        assert client.get(CHECKS, params=wrong).status_code == 422


def test_where_nobody_may_stop_everybody_is_worth_a_look_and_unknown_is_not(client: httpx.Client, rows: Connection):
    table = HEADER + "N1,delivery_bay,2.56,48.84,no_stopping,Mo-Su 00:00-24:00,,\n"
    answer = client.post(PLACES, params={"format": "csv"}, content=table)
    assert answer.status_code == 200, answer.text
    overstay(rows, "N1", minutes=1, device_id=200)
    take_in(rows, occupancy("ADL-01", occupied=True, at=ago(hours=31)))  # silent since
    (check,) = listed(client).values()
    assert (check["place_id"], check["reason"], check["overstay_s"]) == ("N1", "no_stopping", 60)


def test_a_position_is_rounded(client: httpx.Client, rows: Connection):
    answer = client.get(CHECKS, params={"lon": 2.5512345678, "lat": 48.8412345678}).json()
    assert answer["position"] == {"longitude_deg": 2.5512, "latitude_deg": 48.8412}


def test_the_map_says_what_the_list_says(client: httpx.Client, rows: Connection):
    overstay(rows)
    answer = client.get(f"{CHECKS}.geojson", params=AT_THE_BAYS).json()
    assert (answer["type"], answer["hint"]) == ("FeatureCollection", HINT)
    (feature,) = answer["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [2.55, 48.841]}
    assert feature["properties"] == listed(client, **AT_THE_BAYS)[feature["id"]]


def test_a_check_is_taken_by_one_and_the_other_is_told_who_and_since_when(client: httpx.Client, rows: Connection):
    overstay(rows)
    taken = tell(client, "ADL-01", "take").json()
    assert (taken["changed"], taken["held"]["mine"], taken["held"]["by"]) == (True, True, "Patrouille 1")
    refused = tell(client, "ADL-01", "take", holder_id=THEIRS, by="Patrouille 2")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:voirie:problem:check-taken")
    assert refused.json()["held"] == {
        "by": "Patrouille 1", "since": utc(ago()), "expires_at": utc(ago(minutes=-15)),
    }  # fmt: skip
    # Everybody sees it on the list, and the holder's own phone that it is theirs.
    assert listed(client, holder_id=THEIRS)["ADL-01"]["held"]["mine"] is False
    assert listed(client, holder_id=OURS)["ADL-01"]["held"]["mine"] is True
    # The other one's release lets nothing go; the holder's does.
    assert tell(client, "ADL-01", "release", holder_id=THEIRS).json()["held"]["by"] == "Patrouille 1"
    assert tell(client, "ADL-01", "release").json() | {"now": None} == {
        "now": None, "hint": HINT, "place_id": "ADL-01", "changed": True, "held": None,
    }  # fmt: skip
    assert tell(client, "ADL-01", "take", holder_id=THEIRS, by="Patrouille 2").status_code == 200


def test_of_many_who_take_at_once_one_has_it(client: httpx.Client, rows: Connection):
    overstay(rows)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda number: tell(client, "ADL-01", "take", holder_id=str(UUID(int=100 + number))), range(8))
        )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


def test_a_take_ends_by_itself(client: httpx.Client, rows: Connection):
    overstay(rows)
    assert tell(client, "ADL-01", "take", hold_s=60).status_code == 200
    rows.execute("UPDATE simulation SET simulated_origin = %s", [ago(seconds=-61)])
    rows.commit()
    assert listed(client)["ADL-01"]["held"] is None
    assert tell(client, "ADL-01", "take", holder_id=THEIRS, by="Patrouille 2").json()["held"]["by"] == "Patrouille 2"


def test_a_closed_stay_is_not_proposed_again_and_the_next_one_is(client: httpx.Client, rows: Connection):
    overstay(rows)
    tell(client, "ADL-01", "take")
    closed = tell(client, "ADL-01", "close", cause="tolerated").json()
    assert (closed["changed"], closed["held"]) == (True, None)
    assert listed(client) == {}
    rows.execute("UPDATE simulation SET simulated_origin = %s", [ago(hours=-2)])
    rows.commit()
    assert listed(client) == {}
    take_in(
        rows,
        occupancy("ADL-01", occupied=False, at=ago(minutes=-10)),
        occupancy("ADL-01", occupied=True, at=ago(minutes=-11)),
    )
    assert set(listed(client)) == {"ADL-01"}


def test_a_tap_that_is_sent_again_changes_nothing(client: httpx.Client, rows: Connection):
    overstay(rows)
    for act, body in (("take", {}), ("close", {"cause": "gone"}), ("release", {})):
        event_id = str(uuid4())
        answers = [tell(client, "ADL-01", act, event_id=event_id, **body).json() for _ in range(3)]
        assert [answer["changed"] for answer in answers] == [act != "release", False, False]
    log = client.get(f"{CHECKS}/log").json()
    assert [event["act"] for event in log["events"]] == ["closed", "taken"]
    assert (log["hint"], log["events"][0]["by"]) == (HINT, "Patrouille 1")
    # One id is one tap.
    again = tell(client, "ADL-02", "take", event_id=log["events"][0]["event_id"])
    assert (again.status_code, again.json()["type"]) == (409, "urn:voirie:problem:conflict")


def test_a_closing_that_is_told_late_counts_when_it_happened(client: httpx.Client, rows: Connection):
    overstay(rows)
    # Another one stood there by then: this one is still to be checked.
    assert tell(client, "ADL-01", "close", cause="gone", happened_at=utc(ago(minutes=55))).status_code == 200
    assert set(listed(client)) == {"ADL-01"}
    assert tell(client, "ADL-01", "close", cause="gone", happened_at=utc(ago(minutes=45))).status_code == 200
    assert listed(client) == {}
    for wrong in (ago(minutes=-30), ago(days=8)):
        assert tell(client, "ADL-01", "close", cause="gone", happened_at=utc(wrong)).status_code == 422


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"cause": "other"}, "comment"),
        ({"cause": "fined"}, "Input should be"),
        ({"cause": "other", "comment": "camion AB-123-CD"}, "plate"),
        ({"cause": "gone", "comment": "x" * 201}, "200"),
        ({"cause": "gone", "by": "AB 123 CD"}, "plate"),
        ({"cause": "gone", "plate": "AB-123-CD"}, "Extra"),
        ({"cause": "gone", "image": "data:"}, "Extra"),
    ],
)
def test_nothing_that_identifies_a_vehicle_is_taken(
    client: httpx.Client, rows: Connection, body: dict[str, str], word: str
):
    answer = tell(client, "ADL-01", "close", **body)
    assert answer.status_code == 422
    assert word in answer.text
    assert client.get(f"{CHECKS}/log").json()["events"] == []


def test_only_bays_and_spaces_are_checked(client: httpx.Client, rows: Connection):
    for place_id in ("COR-0001", "NOWHERE"):
        assert tell(client, place_id, "take").status_code == 404
        assert tell(client, place_id, "close", cause="gone").status_code == 404


def test_a_sensor_that_officers_find_wrong_is_believed_less(client: httpx.Client, rows: Connection):
    device_id = mount(rows, "ADL-01", eui="70b3d5e75e000001", kind=PlaceKind.DELIVERY_BAY)
    overstay(rows, device_id=device_id)
    before = listed(client)["ADL-01"]
    for _ in range(2):
        assert tell(client, "ADL-01", "close", cause="sensor_wrong").status_code == 200
    rows.execute("UPDATE simulation SET simulated_origin = %s", [ago(hours=-1)])
    rows.commit()
    take_in(
        rows,
        occupancy("ADL-01", occupied=False, at=ago(minutes=-1), device_id=device_id),
        occupancy("ADL-01", occupied=True, at=ago(minutes=-10), device_id=device_id),
    )
    after = listed(client)["ADL-01"]
    assert (before["sensor_trust"], after["sensor_trust"]) == (0.95, pytest.approx(3.8 / 6, abs=1e-3))
    assert after["chance"] == pytest.approx(before["chance"] * (3.8 / 6) / 0.95, abs=2e-3)


def test_takes_and_closings_are_counted(client: httpx.Client, rows: Connection):
    tell(client, "ADL-01", "take")
    tell(client, "ADL-02", "close", cause="gone")
    told = client.get("/metrics").text
    assert f'voirie_checks_held{{commune_insee="{INSEE}"}} 1.0' in told
    assert f'voirie_checks_closed{{cause="gone",commune_insee="{INSEE}"}} 1.0' in told
    assert f'voirie_checks_closed{{cause="sensor_wrong",commune_insee="{INSEE}"}} 0.0' in told


def test_where_officers_go_is_told_even_when_nobody_stands_there_any_more(client: httpx.Client, rows: Connection):
    overstay(rows)
    assert client.get(f"{CHECKS}/held").json()["places"] == []
    tell(client, "ADL-01", "take")
    tell(client, "ADL-02", "take", holder_id=THEIRS, by="Patrouille 2")
    take_in(rows, occupancy("ADL-01", occupied=False, at=ago(minutes=1)))
    assert listed(client) == {}
    answer = client.get(f"{CHECKS}/held", params={"holder_id": OURS})
    assert (answer.json()["hint"], answer.headers["cache-control"]) == (HINT, "no-store")
    first, second = answer.json()["places"]
    assert (first["place_id"], first["street"], first["kind"]) == ("ADL-01", "Avenue Émile Cossonneau", "delivery_bay")
    assert first["held"] == {
        "by": "Patrouille 1", "since": utc(ago()), "expires_at": utc(ago(minutes=-15)), "mine": True,
    }  # fmt: skip
    assert (second["place_id"], second["held"]["by"], second["held"]["mine"]) == ("ADL-02", "Patrouille 2", False)
    tell(client, "ADL-01", "close", cause="gone")
    assert [place["place_id"] for place in client.get(f"{CHECKS}/held").json()["places"]] == ["ADL-02"]
    log = client.get(f"{CHECKS}/log")
    assert log.headers["cache-control"] == "no-store"
    assert {event["street"] for event in log.json()["events"]} == {"Avenue Émile Cossonneau"}
