"""Devices over HTTP: told, listed, exchanged as a file, with the problems that every route has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.app import ApiOptions
from storage import readings
from storage.database import Connection
from storage.model import IntakeBatch, KnownModel, RefusalReason, RefusedMessage
from tests.api.rows import INSEE, NOW, ago, fill, take_in
from tests.api.serving import client_of

COMMUNE = f"/api/v1/communes/{INSEE}"
DEVICES = f"{COMMUNE}/devices"
EUI = "24e124713b0000aa"
CATALOGUE = {
    "milesight-em310-udl": KnownModel(name="milesight-em310-udl", title="Milesight EM310-UDL", measures="level"),
    "bosch-tps110": KnownModel(name="bosch-tps110", title="Bosch TPS110", measures="occupancy"),
    "voirie-native": KnownModel(name="voirie-native", title="Native", measures="either", lorawan=False),
}
METRE = {"empty_distance_mm": 1000, "full_distance_mm": 0}


@pytest.fixture
def client(database_url: str, rows: Connection) -> Iterator[httpx.Client]:
    """A client of an application that knows models."""
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, heartbeat_s=0.5, catalogue=CATALOGUE)
    with client_of(options) as opened:
        yield opened


def ok(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def register(client: httpx.Client, eui: str = EUI, model: str = "milesight-em310-udl") -> dict[str, Any]:
    return ok(client.put(f"{DEVICES}/{eui}", json={"model": model, "author": "Ada"}))


def mount(client: httpx.Client, eui: str = EUI, place_id: str = "COR-0001", **told: Any) -> httpx.Response:
    body = {"place_id": place_id, "at": ago(hours=2).isoformat(), "author": "Ada"} | told
    return client.put(f"{DEVICES}/{eui}/mounting", json=body)


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"urn:voirie:problem:{kind}"
    return document


def test_a_device_s_life_is_told_and_shown(client: httpx.Client, rows: Connection):
    assert register(client)["changed"] == [EUI]
    assert register(client)["changed"] == [], "repeating it changes nothing"
    assert ok(client.get(f"{DEVICES}/{EUI}"))["status"] == "in_stock"
    assert ok(mount(client, geometry=METRE, comment="posé au couvercle"))["changed"] == [EUI]
    assert ok(mount(client, geometry=METRE))["changed"] == []
    device_id = rows.execute("SELECT device_id FROM device").fetchall()[0][0]
    rows.commit()
    take_in(
        rows,
        fill("COR-0001", 0.5, at=ago(minutes=90), device_id=device_id),
        fill("COR-0001", 0.5, at=ago(minutes=30), device_id=device_id),
    )
    rows.commit()
    shown = ok(client.get(f"{DEVICES}/{EUI.upper()}"))
    assert (shown["place_id"], shown["place_kind"], shown["status"]) == ("COR-0001", "bin", "mounted")
    assert (shown["last_seen_at"], shown["battery_percent"]) == ("2026-03-10T09:30:00Z", 90.0)
    assert shown["geometry"] | METRE == shown["geometry"]
    moved = ok(mount(client, place_id="COR-0002", at=ago(hours=1).isoformat(), geometry=METRE))
    assert moved["readings"] == {"moved": 1, "displaced": 0, "restored": 0, "rejudged": 0}
    away = ok(client.put(f"{DEVICES}/{EUI}/status", json={"status": "retired", "at": ago(minutes=45).isoformat()}))
    assert away["readings"]["displaced"] == 1
    shown = ok(client.get(f"{DEVICES}/{EUI}"))
    assert (shown["status"], shown["place_id"], shown["geometry"]) == ("retired", None, None)
    assert [(item["place_id"], item["unmounted_at"]) for item in shown["mountings"]] == [
        ("COR-0002", "2026-03-10T09:15:00Z"), ("COR-0001", "2026-03-10T09:00:00Z"),
    ]  # fmt: skip
    assert [item["kind"] for item in shown["changes"]] == [
        "registered", "mounted", "mounted", "unmounted", "retired",
    ]  # fmt: skip
    assert (shown["changes"][1]["author"], shown["changes"][1]["comment"]) == ("Ada", "posé au couvercle")
    ok(client.put(f"{DEVICES}/{EUI}/status", json={"status": "in_stock"}))
    assert ok(client.get(f"{DEVICES}/{EUI}"))["status"] == "in_stock"


def test_a_taken_place_is_a_conflict_unless_its_device_is_replaced(client: httpx.Client):
    for eui in ("old", "new"):
        register(client, eui, "voirie-native")
    ok(mount(client, "old", geometry=METRE))
    refused = problem(mount(client, "new", at=ago(hours=1).isoformat()), 409, "conflict")
    assert "COR-0001 has device old since 2026-03-10T08:00:00" in refused["detail"]
    assert ok(client.get(f"{DEVICES}/new"))["status"] == "in_stock", "nothing was changed"
    told = ok(mount(client, "new", at=ago(hours=1).isoformat(), replace="in_stock"))
    assert (told["replaced"], told["changed"]) == ("old", ["new", "old"])
    assert ok(client.get(f"{DEVICES}/new"))["geometry"]["empty_distance_mm"] == 1000


def test_refused_messages_of_a_device_are_counted(client: httpx.Client, rows: Connection):
    refused = RefusedMessage(
        commune_insee=INSEE, received_at=NOW, network="n", topic="t", payload=b"{}",
        reason=RefusalReason.UNKNOWN_DEVICE, detail="unknown", device_eui=EUI,
    )  # fmt: skip
    readings.take_in(rows, IntakeBatch(commune_insee=INSEE, collector="c", messages=1, refused=(refused,)))
    rows.commit()
    register(client)
    assert ok(client.get(f"{DEVICES}/{EUI}"))["refused_messages"] == 1


def test_devices_are_listed_page_by_page(client: httpx.Client):
    for number in range(5):
        register(client, f"d{number}", "voirie-native")
    register(client)
    ok(mount(client, "d3", "COR-0003"))
    names, after = [], None
    while True:
        page = ok(client.get(DEVICES, params={"limit": 2} | ({"after": after} if after else {})))
        assert page["counts"] == {"in_stock": 5, "mounted": 1}
        names += [device["eui"] for device in page["devices"]]
        after = page["next"]
        if after is None:
            break
    assert names == sorted([EUI, *(f"d{number}" for number in range(5))])

    def listed(**query: Any) -> list[str]:
        return [device["eui"] for device in ok(client.get(DEVICES, params=query))["devices"]]

    assert listed(status="mounted") == listed(place_id="COR-0003") == ["d3"]
    assert listed(model="milesight-em310-udl") == [EUI]
    assert listed(status="retired") == []


def test_a_file_goes_in_and_comes_out(client: httpx.Client):
    text = f"eui;model;place_id;mounted_at;comment\n{EUI};milesight-em310-udl;COR-0001;10/03/2026 09:00;'=1+1\n"
    headers = {"content-type": "text/csv; charset=utf-8"}

    def post(body: str | bytes, **query: Any) -> httpx.Response:
        return client.post(f"{COMMUNE}/devices.csv", content=body, headers=headers, params=query)

    dry = ok(post(text, dry_run=True))
    assert dry == {"imported": 1, "updated": 0, "unchanged": 0, "errors": [], "dry_run": True}
    assert ok(client.get(DEVICES))["devices"] == []
    assert ok(post(text, author="Ada"))["imported"] == 1
    shown = ok(client.get(f"{DEVICES}/{EUI}"))
    assert (shown["mounted_at"], shown["comment"]) == ("2026-03-10T08:00:00Z", "=1+1")
    assert shown["changes"][0]["author"] == "Ada"
    exported = client.get(f"{COMMUNE}/devices.csv")
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    assert "'=1+1" in exported.text
    assert ok(post(exported.content)) == {
        "imported": 0, "updated": 0, "unchanged": 1, "errors": [], "dry_run": False,
    }  # fmt: skip
    bad = problem(post("eui,model\na,b\nx,milesight-em310-ud\n"), 422, "invalid-file")
    assert [error["location"] for error in bad["errors"]] == [
        ["body", "line", 2, "model"], ["body", "line", 3, "model"],
    ]  # fmt: skip
    assert "did you mean milesight-em310-udl?" in bad["errors"][1]["detail"]
    whole = problem(post("eui,model\na\n"), 422, "invalid-file")
    assert whole["errors"][0]["location"] == ["body", "line", 2]
    problem(post(b""), 422, "invalid-request")


@pytest.mark.parametrize(
    ("answered", "status", "kind"),
    [
        pytest.param(lambda client: client.get(f"{DEVICES}/nobody"), 404, "not-found", id="no such device"),
        pytest.param(lambda client: mount(client, "nobody"), 404, "not-found", id="nobody is mounted"),
        pytest.param(
            lambda client: client.get("/api/v1/communes/75056/devices"), 404, "not-found", id="no such commune"
        ),
        pytest.param(
            lambda client: client.put(f"{DEVICES}/s", json={"model": "of-nobody"}), 422, "invalid-request", id="model"
        ),
        pytest.param(
            lambda client: client.put(f"{DEVICES}/s", json={"model": "bosch-tps110"}), 422, "invalid-request",
            id="no DevEUI",
        ),
        pytest.param(lambda client: client.get(f"{DEVICES}?limit=0"), 422, "invalid-request", id="an empty page"),
        pytest.param(
            lambda client: mount(client, at="2026-03-10T10:00:00"), 422, "invalid-request", id="no offset"
        ),
        pytest.param(lambda client: mount(client, place_id="COR-9999"), 422, "invalid-request", id="no such place"),
        pytest.param(
            lambda client: mount(client, at=(NOW + timedelta(days=1)).isoformat()), 422, "invalid-request", id="not yet"
        ),
        pytest.param(
            lambda client: mount(client, geometry={"empty_distance_mm": 5}), 422, "invalid-request", id="half known"
        ),
        pytest.param(
            lambda client: mount(client, geometry={"bin_shape": "round"}), 422, "invalid-request", id="no such shape"
        ),
        pytest.param(
            lambda client: client.put(f"{DEVICES}/{EUI}/status", json={"status": "mounted"}), 422, "invalid-request",
            id="mounted nowhere",
        ),
        pytest.param(
            lambda client: client.put(
                f"{DEVICES}/{EUI}/status", json={"status": "in_stock", "at": ago(days=1).isoformat()}
            ),
            409, "conflict", id="taken down from nowhere",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_problem_and_changes_nothing(
    client: httpx.Client, rows: Connection, answered: Any, status: int, kind: str
):
    register(client)
    rows.commit()
    before = rows.execute("SELECT * FROM device_change").fetchall()
    problem(answered(client), status, kind)
    rows.commit()
    assert rows.execute("SELECT * FROM device_change").fetchall() == before
