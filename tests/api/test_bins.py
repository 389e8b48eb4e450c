"""Bins: measured, declared and predicted stay apart, and the best of them is named."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from storage import bins
from storage.database import Connection
from storage.model import Quality, ServiceEvent, ServiceEventKind
from tests.api.rows import INSEE, NOW, RUN_ID, ago, fill, mount, save_forecast, take_in

BINS = f"/api/v1/communes/{INSEE}/bins"
ALL = ["COR-0001", "COR-0002", "COR-0003"]


def _emptied(connection: Connection, place_id: str, *, hours_ago: float) -> None:
    event = ServiceEvent(
        commune_insee=INSEE, event_id=uuid4(), place_id=place_id, kind=ServiceEventKind.EMPTIED,
        happened_at=ago(hours=hours_ago), found_fraction=0.75,
    )  # fmt: skip
    bins.declare(connection, [event])
    connection.commit()


def test_nothing_known_is_said_as_unknown(client: httpx.Client):
    answer = client.get(BINS).json()
    assert answer["forecast_run"] is None
    assert [item["place_id"] for item in answer["bins"]] == ALL
    for item in answer["bins"]:
        assert (item["measured"], item["declared"], item["predicted"]) == (None, None, None)
        assert item["best_source"] == "unknown"
        assert item["has_sensor"] is False


def test_measured_and_predicted_never_share_a_field(client: httpx.Client, rows: Connection):
    device_id = mount(rows, "COR-0001", eui="a1")
    take_in(rows, fill("COR-0001", 0.62, at=ago(minutes=20), device_id=device_id))
    save_forecast(rows, ALL)
    measured, predicted, _ = client.get(BINS).json()["bins"]
    assert measured["has_sensor"] is True
    assert measured["measured"]["fill_fraction"] == pytest.approx(0.62)
    assert measured["predicted"]["fill_fraction_p50"] == pytest.approx(0.5)
    assert measured["best_source"] == "measured"
    assert predicted["measured"] is None
    assert predicted["predicted"]["probability_full"] == pytest.approx(0.1)
    assert predicted["best_source"] == "predicted"


def test_late_reading_changes_nothing(client: httpx.Client, rows: Connection):
    take_in(rows, fill("COR-0001", 0.8, at=ago(minutes=10)))
    before = client.get(f"{BINS}/COR-0001").json()
    take_in(rows, fill("COR-0001", 0.1, at=ago(hours=5)))
    assert client.get(f"{BINS}/COR-0001").json() == before


@pytest.mark.parametrize(
    ("hours_ago", "quality", "source"),
    [
        (5.9, Quality.OK, "measured"),
        (6.1, Quality.OK, "predicted"),  # stale
        (0.1, Quality.BLIND_ZONE, "predicted"),  # nothing was measured
    ],
)
def test_only_a_fresh_and_good_measurement_is_best(
    client: httpx.Client, rows: Connection, hours_ago: float, quality: Quality, source: str
):
    mount(rows, "COR-0001", eui="s")
    save_forecast(rows, ALL)
    fraction = 0.9 if quality is Quality.OK else None
    take_in(rows, fill("COR-0001", fraction, at=ago(hours=hours_ago), quality=quality))
    assert client.get(f"{BINS}/COR-0001").json()["best_source"] == source


def test_an_emptying_outdates_what_was_known_before_it(client: httpx.Client, rows: Connection):
    mount(rows, "COR-0001", eui="s")
    take_in(rows, fill("COR-0001", 0.9, at=ago(hours=2)))
    save_forecast(rows, ALL, as_of=ago(hours=3))
    _emptied(rows, "COR-0001", hours_ago=1)
    item = client.get(f"{BINS}/COR-0001").json()
    assert item["best_source"] == "declared"
    assert item["measured"]["fill_fraction"] == pytest.approx(0.9)
    take_in(rows, fill("COR-0001", 0.05, at=ago(minutes=30)))
    assert client.get(f"{BINS}/COR-0001").json()["best_source"] == "measured"


def test_history_has_past_and_future(client: httpx.Client, rows: Connection):
    levels = [fill("COR-0001", level, at=ago(hours=hours)) for hours, level in ((200, 0.9), (3, 0.2), (1, 0.4))]
    take_in(rows, *levels)
    _emptied(rows, "COR-0001", hours_ago=4)
    save_forecast(rows, ALL)
    history = client.get(f"{BINS}/COR-0001/history", params={"days": 7}).json()
    assert [round(item["fill_fraction"], 3) for item in history["measured"]] == [0.2, 0.4]
    assert [item["found_fraction"] for item in history["declared"]] == [0.75]
    assert history["forecast_run"]["run_id"] == str(RUN_ID)
    assert len(history["predicted"]) == 48
    assert history["predicted"][0]["valid_at"] == (NOW + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert all(point["p10"] <= point["p50"] <= point["p90"] for point in history["predicted"])
    assert client.get(f"{BINS}/COR-0001/history", params={"days": 30}).json()["measured"][0]["fill_fraction"] > 0.8
