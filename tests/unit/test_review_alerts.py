"""Alerts: spans with hysteresis, and how they meet what is known already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ingest.review.alarm_options import AlarmOptions
from ingest.review.alerting import Judged, reconcile
from ingest.review.conditions import Span, find_spans
from ingest.review.declared import NONE_DECLARED, DeclaredTable
from ingest.review.habits import Habits
from ingest.review.levels import review_levels
from ingest.review.messages import SEVERITIES, message_of
from ingest.review.options import ReviewOptions
from storage.model import Alert, AlertKind, ClosedBy, Quality, Severity
from storage.signal_table import CODES, SignalTable
from tests.unit.test_review_devices import HOUR_S, table_of

T0 = datetime(2026, 3, 10, tzinfo=UTC)
HABITS = Habits(
    period_s=np.array([HOUR_S]),
    noise_fraction=np.array([0.012]),
    step_fraction=np.array([0.001]),
    repeat_share=np.array([0.04]),
)


def spans(table: SignalTable, declared: DeclaredTable = NONE_DECLARED, **already: list[int]) -> list[Span]:
    findings = review_levels(table, HABITS, declared, until_s=float(table.at_s[-1]))
    return find_spans(
        table,
        findings,
        declared,
        already={AlertKind(kind): np.array(series) for kind, series in already.items()},
        options=ReviewOptions(),
        alarms=AlarmOptions(),
    )


def hourly(**columns: list[float]) -> SignalTable:
    size = len(next(iter(columns.values())))
    return table_of([(0, float(hour)) for hour in range(size)], **columns)


def hours(found: list[Span], kind: AlertKind) -> list[tuple[float, float | None]]:
    return [
        (span.opened_s / HOUR_S, None if span.closed_s is None else span.closed_s / HOUR_S)
        for span in found
        if span.kind is kind
    ]


def noisy(levels: list[float]) -> list[float]:
    random = np.random.default_rng(1)
    return (np.array(levels) + random.normal(0, 0.004, len(levels))).clip(0).tolist()


def test_temperature_between_the_thresholds_changes_nothing():
    heat = [20, 56, 50, 56, 50, 46, 44, 46, 50.0]
    assert hours(spans(hourly(temperature_c=heat)), AlertKind.HOT) == [(1.0, 6.0)]


def test_fire_by_the_devices_alarm_by_heat_and_by_rise():
    alarm = hourly(temperature_c=[20.0] * 4, fire=[False, True, False, False])
    assert hours(spans(alarm), AlertKind.FIRE) == [(1.0, 2.0)]
    assert hours(spans(hourly(temperature_c=[20, 71, 60, 49.0])), AlertKind.FIRE) == [(1.0, 3.0)]
    assert hours(spans(hourly(temperature_c=[30, 56, 40.0])), AlertKind.FIRE) == [(1.0, 2.0)]
    # A hot afternoon is not.
    assert hours(spans(hourly(temperature_c=[38, 45, 52, 56, 50.0])), AlertKind.FIRE) == []


def test_one_tilted_reading_is_a_lid_and_two_are_a_bin():
    quality = [CODES[Quality.IMPLAUSIBLE]] * 8
    tilted = [False, True, False, False, True, True, False, False]
    found = spans(hourly(tilted=tilted, quality=quality))
    assert hours(found, AlertKind.TILTED) == [(5.0, 7.0)]


def test_overflow_opens_full_and_closes_well_below():
    levels = noisy([0.7, 0.8, 0.9, 1.0, 0.97, 0.99, 1.02, 0.94, 0.9, 0.05, 0.06])
    assert hours(spans(hourly(fill_fraction=levels)), AlertKind.OVERFLOW) == [(3.0, 9.0)]


def test_a_spike_opens_no_overflow():
    levels = noisy([0.3, 0.3, 0.31, 1.0, 0.3, 0.31, 0.3])
    assert hours(spans(hourly(fill_fraction=levels)), AlertKind.OVERFLOW) == []
    assert hours(spans(hourly(fill_fraction=levels[:4])), AlertKind.OVERFLOW) == []


def test_a_device_that_says_full_without_measuring_is_believed():
    full = [False, True, True, False]
    assert hours(spans(hourly(full=full)), AlertKind.OVERFLOW) == [(1.0, 3.0)]


def test_a_heap_in_the_blind_zone_is_an_overflow_and_not_a_blocked_view():
    blind, ok = CODES[Quality.BLIND_ZONE], CODES[Quality.OK]
    levels = [*noisy([0.7, 0.8, 0.9]), *[np.nan] * 40]
    found = spans(hourly(fill_fraction=levels, quality=[ok] * 3 + [blind] * 40))
    assert hours(found, AlertKind.OVERFLOW) == [(3.0, None)]
    assert hours(found, AlertKind.BLOCKED) == []


def test_nothing_but_blind_zone_in_a_bin_that_was_not_full_is_a_blocked_view():
    blind, ok = CODES[Quality.BLIND_ZONE], CODES[Quality.OK]
    levels = [*noisy([0.1, 0.12, 0.13]), *[np.nan] * 40]
    found = spans(hourly(fill_fraction=levels, quality=[ok] * 3 + [blind] * 40))
    assert hours(found, AlertKind.BLOCKED) == [(3.0, None)]
    assert hours(found, AlertKind.OVERFLOW) == []


def test_a_fault_is_what_lasts():
    fault, ok = CODES[Quality.SENSOR_FAULT], CODES[Quality.OK]
    quality = [ok, fault, fault, ok, *[fault] * 8, ok, fault, ok, ok]
    assert hours(spans(hourly(quality=quality)), AlertKind.SENSOR_FAULT) == [(9.0, 15.0)]


def test_a_missed_emptying_lasts_until_one_is_seen():
    levels = noisy([0.5, 0.52, 0.53, 0.55, 0.56, 0.58, 0.6, 0.61, 0.02, 0.03, 0.04])
    declared = DeclaredTable(series=np.array([0]), at_s=np.array([3.5 * HOUR_S]), found=np.array([np.nan]))
    assert hours(spans(hourly(fill_fraction=levels), declared), AlertKind.MISSED_EMPTYING) == [(3.5, 8.0)]
    found = spans(hourly(fill_fraction=levels[:7]), declared)
    assert hours(found, AlertKind.MISSED_EMPTYING) == [(3.5, None)]


def test_what_was_open_before_the_readings_begin_stays_open_until_one_ends_it():
    heat = [50, 50, 44, 50.0]
    assert hours(spans(hourly(temperature_c=heat)), AlertKind.HOT) == []
    assert hours(spans(hourly(temperature_c=heat), hot=[0]), AlertKind.HOT) == [(0.0, 2.0)]


# --- meeting what is known ---


def alert(opened: float, closed: float | None = None, *, alert_id: int = 0) -> Alert:
    return Alert(
        kind=AlertKind.FIRE,
        subject="place:COR-1",
        severity=Severity.URGENT,
        opened_at=T0 + timedelta(hours=opened),
        noticed_at=T0 + timedelta(hours=24),
        closed_at=None if closed is None else T0 + timedelta(hours=closed),
        closed_by=None if closed is None else ClosedBy.RECOVERED,
        message="Feu.",
        alert_id=alert_id,
    )


def meet(found: list[Alert], known: list[Alert], *, since: float = 0.0, until: float = 24.0):
    judged = Judged(since=T0 + timedelta(hours=since), until=T0 + timedelta(hours=until))
    changes = reconcile(found, known, {(AlertKind.FIRE, "place:COR-1"): judged})

    def hour(moment: datetime | None) -> float | None:
        return None if moment is None else (moment - T0).total_seconds() / 3600

    return (
        [(hour(one.opened_at), hour(one.closed_at)) for one in changes.opens],
        [(alert_id, hour(when), why) for alert_id, when, why in changes.closes],
    )


@pytest.mark.parametrize(
    ("found", "known", "opens", "closes"),
    [
        pytest.param([alert(20)], [], [(20, None)], [], id="new"),
        pytest.param([alert(20)], [alert(20, alert_id=1)], [], [], id="known"),
        pytest.param([alert(18)], [alert(20, alert_id=1)], [], [], id="known, and began earlier as told late"),
        pytest.param([alert(20, 22)], [alert(20, alert_id=1)], [], [(1, 22, ClosedBy.RECOVERED)], id="over"),
        pytest.param([], [alert(20, alert_id=1)], [], [(1, 24, ClosedBy.WITHDRAWN)], id="not borne out any more"),
        pytest.param([alert(3, 4)], [], [(3, 4)], [], id="told late: kept with its end"),
        pytest.param([alert(3, 4)], [alert(3, 4, alert_id=1)], [], [], id="and told once"),
        pytest.param([alert(3, 5)], [alert(3, 4, alert_id=1)], [], [], id="a closed one stays as it is"),
        pytest.param(
            [alert(3, 4), alert(20)], [alert(3, 4, alert_id=1)], [(20, None)], [], id="coming back is a new one"
        ),
        pytest.param(
            [alert(18, 19), alert(22)],
            [alert(18, alert_id=1)],
            [(22, None)],
            [(1, 19, ClosedBy.RECOVERED)],
            id="over, and back",
        ),
        pytest.param([alert(3)], [alert(3, 4, alert_id=1)], [(4, None)], [], id="what goes on begins where it ended"),
    ],
)
def test_found_meets_known(found: list[Alert], known: list[Alert], opens: list, closes: list):
    assert meet(found, known) == (opens, closes)


def test_what_ended_before_what_was_looked_at_is_nobodys_business():
    assert meet([alert(3, 4)], [], since=10) == ([], [])


def test_reconciling_again_changes_nothing():
    found = [alert(3, 4), alert(20)]
    opens, _ = meet(found, [])
    known = [alert(opened, closed, alert_id=index) for index, (opened, closed) in enumerate(opens)]
    assert meet(found, known) == ([], [])


def test_every_kind_has_its_words_and_its_severity():
    for kind in AlertKind:
        assert SEVERITIES[kind] in Severity
        assert message_of(kind, {}).endswith(".")
    assert message_of(AlertKind.BATTERY_LOW, {"battery_percent": None, "battery_v": 3.1}) == "Pile faible : 3.10 V."
