"""Alerts on a real database: they open once, close themselves, are kept, and late data does not reopen the past."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import numpy as np
import psycopg
import pytest

from ingest.reviewer import review_commune
from storage import alerts, bins, checks, devices, health, levels, readings
from storage.database import connect
from storage.model import (
    Alert,
    AlertKind,
    CheckAct,
    CheckCause,
    CheckEvent,
    ClosedBy,
    FillReading,
    PlaceKind,
    Quality,
    ServiceEvent,
    ServiceEventKind,
    Severity,
    Verdict,
)
from tests.storage.town import BINS, INSEE, NOON, Town, add_device, batch, fill, occupancy

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _without_the_bays_sensor(town: Town) -> None:
    """The town's bay sensor never speaks, which is an alert of its own."""
    devices.unmount(town.connection, INSEE, town.bay_device, at=NOON - HOUR)
    town.connection.commit()


def at(town: Town, hour: float, level: float | None = 0.3, **changes: object) -> FillReading:
    return fill(town.bin_device, NOON + hour * HOUR, None if level is None else level + 0.002 * (hour % 5), **changes)


def take(town: Town, *taken: FillReading) -> None:
    readings.take_in(town.connection, batch(fill_readings=taken))


def review(town: Town, hour: float) -> None:
    review_commune(town.connection, INSEE, now=NOON + hour * HOUR)
    town.connection.commit()


def told(town: Town, *kinds: AlertKind) -> list[tuple[AlertKind, float, float | None]]:
    found = alerts.since(town.connection, INSEE, NOON - 1000 * HOUR, kinds=kinds or None)
    return sorted((one.kind, hours(one.opened_at), hours(one.closed_at)) for one in found)


def hours(moment: datetime | None) -> float | None:
    return None if moment is None else round((moment - NOON) / HOUR, 2)


def test_a_fire_opens_once_closes_itself_and_is_kept(town: Town):
    for hour in range(4):
        take(town, at(town, hour))
    review(town, 3)
    assert told(town) == []
    take(town, at(town, 4, temperature_c=75.0))
    review(town, 4)
    take(town, at(town, 5, temperature_c=72.0))
    review(town, 5)
    review(town, 5)
    assert told(town, AlertKind.FIRE) == [(AlertKind.FIRE, 4.0, None)]
    (fire,) = [one for one in alerts.open_now(town.connection, INSEE) if one.kind is AlertKind.FIRE]
    assert (fire.place_id, fire.severity) == ("COR-0001", Severity.URGENT)
    assert fire.evidence["highest"] == 75.0
    take(town, at(town, 6, temperature_c=30.0))
    review(town, 6)
    assert told(town, AlertKind.FIRE) == [(AlertKind.FIRE, 4.0, 6.0)]
    take(town, at(town, 7, temperature_c=80.0))
    review(town, 7)
    assert told(town, AlertKind.FIRE) == [(AlertKind.FIRE, 4.0, 6.0), (AlertKind.FIRE, 7.0, None)]


def test_late_data_does_not_reopen_the_past(town: Town):
    take(town, *(at(town, hour, temperature_c=20.0) for hour in range(12) if hour != 5))
    review(town, 11)
    take(town, at(town, 5, temperature_c=90.0))
    review(town, 12)
    assert alerts.open_now(town.connection, INSEE) == []
    (kept,) = alerts.since(town.connection, INSEE, NOON, kinds=[AlertKind.FIRE])
    assert (hours(kept.opened_at), hours(kept.closed_at), kept.closed_by) == (5.0, 6.0, ClosedBy.RECOVERED)
    assert hours(kept.noticed_at) == 12.0
    take(town, at(town, 12, temperature_c=20.0))
    review(town, 13)
    assert told(town, AlertKind.FIRE) == [(AlertKind.FIRE, 5.0, 6.0)]


def test_two_workers_open_an_alert_once(town: Town, any_database_url: str):
    alert = Alert(
        kind=AlertKind.FIRE, subject="place:COR-0001", severity=Severity.URGENT, opened_at=NOON, noticed_at=NOON,
        message="Feu.",
    )  # fmt: skip
    with connect(any_database_url) as other:
        assert alerts.open_once(town.connection, INSEE, [alert]) == 1
        town.connection.commit()
        assert alerts.open_once(other, INSEE, [alert]) == 0
        later = Alert(
            kind=AlertKind.FIRE, subject="place:COR-0001", severity=Severity.URGENT, opened_at=NOON + HOUR,
            noticed_at=NOON + HOUR, message="Feu.",
        )  # fmt: skip
        assert alerts.open_once(other, INSEE, [later]) == 0
    with pytest.raises(psycopg.errors.UniqueViolation):
        town.connection.execute(
            "INSERT INTO alert (commune_insee, kind, subject, severity, opened_at, noticed_at, message) "
            "VALUES (%s, 'fire', 'place:COR-0001', 'urgent', now(), now(), 'Feu.')",
            [INSEE],
        )


def test_listeners_hear_that_alerts_changed(town: Town, any_database_url: str):
    with connect(any_database_url, autocommit=True) as listener:
        listener.execute("LISTEN voirie_live")
        take(town, at(town, 0, fire=True))
        review(town, 0)
        kinds = [json.loads(notice.payload)["kind"] for notice in listener.notifies(timeout=5, stop_after=2)]
    assert kinds == ["readings", "alerts"]


def test_a_missed_emptying_is_told_and_withdrawn_when_a_late_reading_shows_the_fall(town: Town):
    event = ServiceEvent(
        commune_insee=INSEE, event_id=uuid4(), place_id="COR-0001", kind=ServiceEventKind.EMPTIED,
        happened_at=NOON + 5.5 * HOUR,
    )  # fmt: skip
    take(town, *(at(town, hour, 0.6 + 0.01 * hour) for hour in range(10)))
    review(town, 9)
    bins.declare(town.connection, [event])
    review(town, 9)
    assert told(town) == [(AlertKind.MISSED_EMPTYING, 5.5, None)]
    (check,) = levels.checks(town.connection, INSEE, since=NOON, until=NOON + 24 * HOUR)
    assert check.verdict is Verdict.NOT_SEEN
    take(town, *(at(town, hour, 0.02 + 0.01 * (hour - 10)) for hour in range(10, 14)))
    review(town, 14)
    assert told(town) == [(AlertKind.MISSED_EMPTYING, 5.5, 10.0)]


def test_an_overflow_closes_when_the_bin_is_emptied(town: Town):
    take(town, *(at(town, hour, 0.5 + 0.1 * hour) for hour in range(6)))
    review(town, 5)
    assert told(town) == [(AlertKind.OVERFLOW, 5.0, None)]
    take(town, at(town, 6, 0.02), at(town, 7, 0.03))
    review(town, 7)
    assert told(town) == [(AlertKind.OVERFLOW, 5.0, 6.0)]


def test_a_frozen_sensor_is_told_and_recovers(town: Town):
    draw = np.random.default_rng(5)

    def honest(hour: int) -> FillReading:
        level = 0.2 + 0.004 * hour + draw.normal(0, 0.01)
        return fill(town.bin_device, NOON + hour * HOUR, level, distance_mm=round(900 - 800 * level))

    take(town, *(honest(hour) for hour in range(48)))
    frozen = honest(48)
    take(town, *(fill(town.bin_device, NOON + h * HOUR, frozen.fill_fraction, distance_mm=frozen.distance_mm)
                 for h in range(48, 72)))  # fmt: skip
    review(town, 71)
    assert told(town, AlertKind.STUCK) == [(AlertKind.STUCK, 49.0, None)]
    now = bins.one_now(town.connection, INSEE, "COR-0001", at=NOON + 71 * HOUR)
    assert (hours(now.measured_at), now.newest_quality) == (48.0, Quality.STUCK)
    take(town, *(honest(hour) for hour in range(72, 75)))
    review(town, 74)
    assert told(town, AlertKind.STUCK) == [(AlertKind.STUCK, 49.0, 72.0)]


def test_a_sensor_that_only_reports_faults_is_told(town: Town):
    take(town, *(at(town, hour, None) for hour in range(8)))
    review(town, 7)
    assert told(town) == [(AlertKind.SENSOR_FAULT, 5.0, None)]
    take(town, at(town, 8), at(town, 9))
    review(town, 9)
    assert told(town) == [(AlertKind.SENSOR_FAULT, 5.0, 9.0)]


def test_a_device_is_silent_by_its_own_habit_and_back_when_heard_twice(town: Town):
    take(town, *(at(town, hour) for hour in range(49)))
    review(town, 50)
    (known,) = health.of_commune(town.connection, INSEE)
    assert known.period_s == pytest.approx(3600)
    assert known.silent_after_s == pytest.approx(3 * 3600)
    assert told(town) == []
    review(town, 52)
    assert told(town) == [(AlertKind.SILENT, 51.0, None)]
    # What it stored meanwhile does not make it heard: it comes with the frame of now.
    take(town, at(town, 60))
    review(town, 60)
    assert told(town) == [(AlertKind.SILENT, 51.0, None)]
    take(town, at(town, 61))
    review(town, 61)
    assert told(town) == [(AlertKind.SILENT, 51.0, 61.0)]


def test_a_device_that_never_spoke_is_silent(town: Town):
    review(town, 0)
    (alert,) = alerts.open_now(town.connection, INSEE)
    assert (alert.kind, alert.device_id) == (AlertKind.SILENT, town.bin_device)


def test_a_silent_network_is_one_alert(town: Town):
    every = [(town.bin_device, "COR-0001"), *(_on_a_place_of_its_own(town, number) for number in range(1, 7))]

    def hour_of_all(hour: float, devices_heard: list[tuple[int, str]]) -> None:
        taken = [
            fill(device, NOON + (hour + number / 10) * HOUR, 0.3, place_id=place_id, network="lora")
            for number, (device, place_id) in enumerate(devices_heard)
        ]
        take(town, *taken)

    for hour in range(30):
        hour_of_all(hour, every)
    review(town, 30)
    assert told(town) == []
    for quarter in range(120, 160):
        review(town, quarter / 4)
    assert told(town) == [(AlertKind.NETWORK_SILENT, 29.6, None)]
    hour_of_all(40, every)
    review(town, 41)
    assert told(town) == [(AlertKind.NETWORK_SILENT, 29.6, 40.6)]
    # One of them stays away: that is its own silence, counted from when the network was back.
    for hour in range(41, 47):
        hour_of_all(hour, every[1:])
        review(town, hour + 0.9)
    assert [row[0] for row in told(town)] == [AlertKind.NETWORK_SILENT, AlertKind.SILENT]
    assert alerts.open_now(town.connection, INSEE)[0].device_id == town.bin_device


def _on_a_place_of_its_own(town: Town, number: int) -> tuple[int, str]:
    place_id = f"COR-{200 + number}"
    bins.save(town.connection, [replace(BINS[0], place_id=place_id)])
    return add_device(
        town.connection, eui=f"24e124713b0001{number:02d}", place_id=place_id, kind=PlaceKind.BIN
    ), place_id


def test_a_low_battery_closes_higher_than_it_opens(town: Town):
    for day, percent in enumerate((40, 21, 19, 25, 29, 60)):
        take(town, *(at(town, 24 * day + hour, battery_percent=float(percent)) for hour in range(24)))
        review(town, 24 * day + 23)
        open_now = [one.kind for one in alerts.open_now(town.connection, INSEE)]
        assert open_now == ([AlertKind.BATTERY_LOW] if percent in {19, 25, 29} else []), percent
    (kept,) = alerts.since(town.connection, INSEE, NOON)
    assert kept.message == "Pile faible : 19 %."


def test_lost_frames_are_counted_and_told(town: Town):
    heard = [hour for hour in range(72) if hour % 3]
    take(town, *(at(town, hour, frame_counter=65500 + hour if hour < 36 else hour - 36) for hour in heard))
    review(town, 71)
    (known,) = health.of_commune(town.connection, INSEE)
    assert known.loss_fraction == pytest.approx(1 / 3, abs=0.05)
    assert told(town) == [(AlertKind.RADIO_WEAK, 71.0, None)]


def test_bays_sensors_have_habits_too(town: Town):
    device = add_device(town.connection, eui="0004a30b001a0001", place_id="ADL-02", kind=PlaceKind.DELIVERY_BAY)
    states = [occupancy(device, NOON + n * HOUR / 2, occupied=n % 2 == 0, place_id="ADL-02") for n in range(60)]
    readings.take_in(town.connection, batch(occupancy_readings=tuple(states)))
    take(town, *(at(town, hour) for hour in range(31)))
    review(town, 30)
    known = {one.device_id: one for one in health.of_commune(town.connection, INSEE)}
    assert known[device].period_s == pytest.approx(1800)
    assert told(town) == []
    review(town, 32)
    assert [one.device_id for one in alerts.open_now(town.connection, INSEE)] == [device]


def test_who_is_taken_down_leaves_no_alert_open(town: Town):
    take(town, *(at(town, hour) for hour in range(49)))
    review(town, 49)
    review(town, 60)
    assert [row[0] for row in told(town)] == [AlertKind.SILENT]
    devices.unmount(town.connection, INSEE, town.bin_device, at=NOON + 61 * HOUR)
    review(town, 62)
    (alert,) = alerts.since(town.connection, INSEE, NOON)
    assert alert.closed_by is ClosedBy.WITHDRAWN


def test_a_sensor_that_officers_contradict_is_told_until_they_agree(town: Town):
    def look(minutes: int, cause: CheckCause) -> None:
        event = CheckEvent(
            event_id=uuid4(), place_id="STA-0001", act=CheckAct.CLOSED, told_by="Patrouille 1", cause=cause,
            happened_at=NOON + minutes * HOUR / 60,
        )  # fmt: skip
        checks.close(town.connection, INSEE, event, now=NOON + HOUR)

    device_id = add_device(town.connection, eui="24e124713b000077", place_id="STA-0001", kind=PlaceKind.PARKING_SPACE)
    readings.take_in(
        town.connection,
        batch(occupancy_readings=(occupancy(device_id, NOON, occupied=True, place_id="STA-0001"),)),
    )
    look(10, CheckCause.SENSOR_WRONG)
    look(11, CheckCause.GONE)
    review(town, 1)
    assert told(town, AlertKind.CONTRADICTED) == []
    look(20, CheckCause.SENSOR_WRONG)
    review(town, 1)
    (alert,) = [one for one in alerts.open_now(town.connection, INSEE) if one.kind is AlertKind.CONTRADICTED]
    assert (alert.device_id, alert.evidence["checks_wrong"], alert.severity) == (device_id, 2, Severity.MINOR)
    assert alert.message == "Capteur contredit par les agents : 2 constats en 90 jours."
    (watched,) = [one for one in health.watched(town.connection, INSEE, at=NOON + HOUR) if one.device_id == device_id]
    assert (watched.checks_right, watched.checks_wrong) == (0, 2)
    look(30, CheckCause.TOLERATED)
    look(31, CheckCause.BOOKED)
    review(town, 1)
    assert AlertKind.CONTRADICTED not in {one.kind for one in alerts.open_now(town.connection, INSEE)}
