"""Plans: the newest, one, its left-out bins, and a driver's whole round in one answer."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import httpx

from storage import plans
from storage.database import Connection
from storage.model import PlanOrigin, PlanSource
from tests.api.rows import INSEE, NOW, PLAN_ID, save_plan

PLANS = f"/api/v1/communes/{INSEE}/plans"


def test_before_the_first_plan_there_is_none(client: httpx.Client):
    assert client.get(f"{PLANS}/latest").status_code == 404


def test_latest_plan_carries_every_round(client: httpx.Client, rows: Connection):
    save_plan(rows)
    plan = client.get(f"{PLANS}/latest").json()
    assert plan["plan_id"] == str(PLAN_ID)
    assert (plan["service_date"], plan["bin_count"], plan["left_out_count"]) == ("2026-03-11", 1, 2)
    (route,) = plan["routes"]
    assert route["vehicle_name"] == "Benne 1"
    assert [stop["kind"] for stop in route["stops"]] == ["depot", "bin", "depot"]
    assert route["stops"][1]["reason"]["text"] == "Sera pleine avant midi."
    assert route["geometry"]["coordinates"][1] == [2.551, 48.84]
    assert plan == client.get(f"{PLANS}/{PLAN_ID}").json()
    assert plan == client.get(f"{PLANS}/latest", params={"service_date": "2026-03-11"}).json()
    assert client.get(f"{PLANS}/latest", params={"service_date": "2026-03-12"}).status_code == 404


def test_on_the_evening_before_the_driver_hears_of_tomorrow(client: httpx.Client, rows: Connection):
    page = f"/{INSEE}/tournee"
    assert "Celles de demain sont prêtes" not in client.get(page).text
    save_plan(rows)
    assert "publiée pour le mardi 10 mars. Celles de demain sont prêtes" in client.get(page).text


def test_driver_gets_the_whole_round_at_once(client: httpx.Client, rows: Connection):
    save_plan(rows)
    route = client.get(f"{PLANS}/{PLAN_ID}/routes/0").json()
    planned = client.get(f"{PLANS}/latest").json()["routes"][0]
    assert all(stop["steps"] is None for stop in planned["stops"])
    assert route | {"stops": [stop | {"steps": None} for stop in route["stops"]]} == planned
    assert client.get(f"{PLANS}/{PLAN_ID}/routes/1").status_code == 404


def test_driver_is_told_turn_by_turn_in_french_or_english(client: httpx.Client, rows: Connection):
    save_plan(rows)
    told = {
        lang: client.get(f"{PLANS}/{PLAN_ID}/routes/0", params={"lang": lang} if lang else {}).json()["stops"]
        for lang in ("", "fr", "en")
    }
    assert told[""] == told["fr"]
    assert [step["sentence"] for step in told["fr"][1]["steps"]] == [
        "Partez vers l'est sur Rue de Paris",
        "Au rond-point, prenez la 2e sortie sur Avenue Émile Cossonneau",
        "Arrivée, à droite\N{NO-BREAK SPACE}: corbeille COR-0001",
    ]
    assert [step["sentence"] for step in told["en"][1]["steps"]] == [
        "Head east onto Rue de Paris",
        "At the roundabout, take the no. 2 exit onto Avenue Émile Cossonneau",
        "Arrive, on the right: bin COR-0001",
    ]
    assert (told["fr"][1]["load_l"], told["fr"][1]["load_kg"], told["fr"][1]["point_index"]) == (60, 9, 1)
    assert told["fr"][0]["steps"] == []
    assert client.get(f"{PLANS}/{PLAN_ID}/routes/0", params={"lang": "xx"}).status_code == 422


def test_each_left_out_bin_has_its_reason(client: httpx.Client, rows: Connection):
    save_plan(rows)
    left_out = client.get(f"{PLANS}/{PLAN_ID}/left-out").json()["left_out"]
    assert [item["place_id"] for item in left_out] == ["COR-0002", "COR-0003"]
    assert all(item["reason"]["text"] and item["reason"]["code"] == "safe" for item in left_out)


def test_unknown_plan_is_not_found(client: httpx.Client):
    assert client.get(f"{PLANS}/{uuid4()}").status_code == 404


def test_a_draft_is_seen_and_published_by_name(client: httpx.Client, rows: Connection):
    save_plan(rows)
    base = plans.one(rows, INSEE, PLAN_ID)
    draft = replace(base, plan_id=uuid4())
    source = PlanSource(origin=PlanOrigin.EDITED, based_on=PLAN_ID, made_by="Chef", difference={"km": -1.5})
    plans.save(rows, draft, source=source, publish=False)
    rows.commit()
    assert client.get(f"{PLANS}/latest").json()["plan_id"] == str(PLAN_ID)
    seen = client.get(f"{PLANS}/{draft.plan_id}/version").json()
    assert (seen["status"], seen["version"], seen["difference"]) == ("draft", None, {"km": -1.5})
    assert client.post(f"{PLANS}/{draft.plan_id}/publish", json={}).status_code == 422
    published = client.post(f"{PLANS}/{draft.plan_id}/publish", json={"by": "Chef"}).json()
    assert (published["status"], published["version"], published["published_by"]) == ("published", 2, "Chef")
    assert client.get(f"{PLANS}/latest").json()["plan_id"] == str(draft.plan_id)
    refused = client.post(f"{PLANS}/{PLAN_ID}/discard", json={"by": "Chef"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:voirie:problem:conflict")
    day = client.get(f"{PLANS}/days/2026-03-11").json()
    assert [version["status"] for version in day["versions"]] == ["superseded", "published"]
    assert [deed["action"] for deed in day["audit"]][-2:] == ["superseded", "published"]


def test_a_driver_who_knows_a_version_gets_what_changed(client: httpx.Client, rows: Connection):
    url = f"/api/v1/communes/{INSEE}/rounds/BOM-1"
    day = {"service_date": "2026-03-11"}
    assert client.get(url, params=day).status_code == 404
    save_plan(rows)
    first = client.get(url, params=day).json()
    assert (first["version"], first["changed"], first["changes"]) == (1, True, None)
    assert first["route"] == client.get(f"{PLANS}/{PLAN_ID}/routes/0").json()
    same = client.get(url, params=day | {"known_version": "1"}).json()
    assert (same["changed"], same["route"]) == (False, None)
    assert same["changes"] == {"added": [], "removed": [], "reordered": []}

    base = plans.one(rows, INSEE, PLAN_ID)
    depot, served, home = base.routes[0].stops
    other = replace(served, place_id="COR-0002")
    more = replace(served, stop_index=2, place_id="COR-0003")
    route = replace(base.routes[0], stops=(depot, other, more, replace(home, stop_index=3)))
    source = PlanSource(origin=PlanOrigin.REPAIRED, based_on=PLAN_ID)
    plans.save(rows, replace(base, plan_id=uuid4(), routes=(route,), left_out=()), source=source)
    rows.commit()
    now = client.get(url, params=day | {"known_version": "1"}).json()
    assert (now["version"], now["changed"]) == (2, True)
    assert now["changes"] == {"added": ["COR-0002", "COR-0003"], "removed": ["COR-0001"], "reordered": []}
    assert now["route"]["bin_count"] == 2
    gone = client.get(f"/api/v1/communes/{INSEE}/rounds/BOM-9", params=day).json()
    assert gone["route"] is None


def test_a_tablet_that_comes_new_learns_what_was_declared_at_the_rounds_bins(client: httpx.Client, rows: Connection):
    save_plan(rows)
    today = replace(plans.one(rows, INSEE, PLAN_ID), plan_id=uuid4(), service_date=NOW.date())
    plans.save(rows, today)
    rows.commit()
    told = {"kind": "emptied", "happened_at": NOW.isoformat(), "found_fraction": 0.5}
    here, elsewhere = ({"event_id": str(uuid4()), "place_id": place} | told for place in ("COR-0001", "COR-0003"))
    events = f"/api/v1/communes/{INSEE}/service-events"
    client.post(events, json={"events": [here, elsewhere]}).raise_for_status()
    url = f"/api/v1/communes/{INSEE}/rounds/BOM-1"
    answer = client.get(url).json()
    assert [(event["event_id"], event["found_fraction"]) for event in answer["declared"]] == [(here["event_id"], 0.5)]
    assert set(answer["streets"]) <= {stop["place_id"] for stop in answer["route"]["stops"]}
    assert answer["streets"]["COR-0001"]
    withdrawal = {"event_id": here["event_id"], "withdrawn_at": NOW.isoformat()}
    client.post(f"{events}/withdrawals", json={"withdrawals": [withdrawal]}).raise_for_status()
    assert client.get(url, params={"known_version": "1"}).json()["declared"] == []
