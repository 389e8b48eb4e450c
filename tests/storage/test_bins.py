"""Bins and what agents declare at them: measured, declared and predicted never share a field."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from storage import bins, forecasts, readings
from storage.database import connect
from storage.errors import NotFoundError
from storage.model import FillForecast, ServiceEvent, ServiceEventKind
from tests.storage.town import BINS, INSEE, NOON, Town, batch, fill, forecast_run

HOUR = timedelta(hours=1)


def emptied(hours: float = 0.0, *, place_id: str = "COR-0002", found: float | None = 0.75) -> ServiceEvent:
    return ServiceEvent(
        commune_insee=INSEE,
        event_id=uuid4(),
        place_id=place_id,
        kind=ServiceEventKind.EMPTIED,
        happened_at=NOON + hours * HOUR,
        found_fraction=found,
    )


def quantiles(hours: float, level: float, *, place_id: str = "COR-0003") -> FillForecast:
    return FillForecast(
        place_id=place_id,
        valid_at=NOON + hours * HOUR,
        p05=level - 0.2,
        p10=level - 0.1,
        p50=level,
        p90=level + 0.1,
        p95=level + 0.2,
        probability_full=level / 2,
    )


def test_bins_are_kept_as_given_and_updated_in_place(town: Town):
    assert bins.every(town.connection, INSEE) == list(BINS)
    changed = replace(BINS[0], volume_l=120.0, street=None, longitude_deg=2.6, sector="Nord", surroundings={})
    bins.save(town.connection, [changed])
    assert bins.every(town.connection, INSEE) == [changed, *BINS[1:]]
    assert bins.every(town.connection, "75056") == []


def test_measured_declared_and_predicted_are_told_apart(town: Town):
    readings.take_in(town.connection, batch(fill_readings=(fill(town.bin_device, NOON, 0.4),)))
    bins.declare(town.connection, [emptied()])
    forecasts.save(town.connection, forecast_run(), [quantiles(1, 0.5)])
    measured, declared, predicted = bins.now(town.connection, INSEE, at=NOON)
    assert (measured.measured_fill_fraction, measured.last_emptied_at, measured.forecast_p50) == (
        pytest.approx(0.4),
        None,
        None,
    )
    assert (declared.measured_fill_fraction, declared.last_emptied_at, declared.forecast_p50) == (None, NOON, None)
    assert (predicted.measured_fill_fraction, predicted.last_emptied_at) == (None, None)
    assert (predicted.forecast_p10, predicted.forecast_p50, predicted.forecast_p90, predicted.probability_full) == (
        pytest.approx(0.4),
        pytest.approx(0.5),
        pytest.approx(0.6),
        pytest.approx(0.25),
    )
    assert [item.has_sensor for item in (measured, declared, predicted)] == [True, False, False]


def test_forecast_shown_is_the_newest_runs_for_the_first_hour_to_come(town: Town):
    forecasts.save(town.connection, forecast_run(as_of=NOON - HOUR), [quantiles(hours, 0.3) for hours in range(4)])
    forecasts.save(town.connection, forecast_run(as_of=NOON), [quantiles(hours, hours / 10) for hours in (1, 2)])
    forecasts.save(town.connection, forecast_run(as_of=NOON + 9 * HOUR), [quantiles(10, 0.9)])

    def shown(hours: float) -> tuple[object, object]:
        now = bins.one_now(town.connection, INSEE, "COR-0003", at=NOON + hours * HOUR)
        return now.forecast_valid_at, now.forecast_p50

    assert shown(0.5) == (NOON + HOUR, pytest.approx(0.1))
    assert shown(1) == (NOON + HOUR, pytest.approx(0.1))
    assert shown(1.1) == (NOON + 2 * HOUR, pytest.approx(0.2))
    assert shown(2.1) == (None, None), "after its horizon a run says nothing, and an older run does not either"


def test_declaration_sent_twice_is_one(town: Town):
    first, second = emptied(), emptied(1, found=None)
    assert bins.declare(town.connection, [first, first]) == 1
    assert bins.declare(town.connection, [first, second]) == 1
    found = bins.emptyings(town.connection, INSEE, since=NOON, until=NOON + 2 * HOUR)
    assert [(item.emptied_at, item.found_fraction) for item in found] == [(NOON, 0.75), (NOON + HOUR, None)]
    assert bins.declare(town.connection, []) == 0


def test_emptyings_are_of_a_window_and_a_bin(town: Town):
    bins.declare(town.connection, [emptied(0), emptied(1), emptied(2), emptied(1, place_id="COR-0001")])
    blocked = replace(emptied(1), kind=ServiceEventKind.BLOCKED)
    bins.declare(town.connection, [blocked])
    window = {"since": NOON, "until": NOON + 2 * HOUR}
    found = bins.emptyings(town.connection, INSEE, **window)
    assert [(item.place_id, item.emptied_at) for item in found] == [
        ("COR-0001", NOON + HOUR),
        ("COR-0002", NOON),
        ("COR-0002", NOON + HOUR),
    ]
    only = bins.emptyings(town.connection, INSEE, place_id="COR-0001", **window)
    assert [item.place_id for item in only] == ["COR-0001"]


def test_late_declaration_does_not_overwrite_a_newer_one(town: Town):
    bins.declare(town.connection, [emptied(5)])
    bins.declare(town.connection, [emptied(2)])
    assert bins.one_now(town.connection, INSEE, "COR-0002", at=NOON + 6 * HOUR).last_emptied_at == NOON + 5 * HOUR


def test_events_of_a_plan_are_its_own(town: Town):
    plan_id = uuid4()
    of_plan = [replace(emptied(hours), plan_id=plan_id, comment="sac déchiré") for hours in (2, 1)]
    bins.declare(town.connection, [*of_plan, emptied(3)])
    assert bins.events_of_plan(town.connection, INSEE, plan_id) == of_plan[::-1]


def test_listeners_hear_of_new_declarations_only(town: Town, any_database_url: str):
    event = emptied()
    with connect(any_database_url, autocommit=True) as listener:
        listener.execute("LISTEN voirie_live")
        bins.declare(town.connection, [event])
        town.connection.commit()
        (heard,) = listener.notifies(timeout=10, stop_after=1)
        assert json.loads(heard.payload) == {"kind": "service_events", "commune_insee": INSEE}
        bins.declare(town.connection, [event])
        town.connection.commit()
        assert list(listener.notifies(timeout=0.2)) == []


def test_unknown_bins_are_said_to_be_unknown(town: Town):
    assert bins.known_ids(town.connection, INSEE, ["COR-0001", "COR-9999", "ADL-01"]) == {"COR-0001"}
    with pytest.raises(NotFoundError, match="commune 93051 has no bin 'COR-9999'"):
        bins.one_now(town.connection, INSEE, "COR-9999", at=NOON)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        bins.declare(town.connection, [emptied(place_id="COR-9999")])
