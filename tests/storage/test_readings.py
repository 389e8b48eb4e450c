"""Taking readings in: once, whole, in one transaction, and with a ledger that adds up."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import timedelta

import psycopg
import pytest
from msgspec import structs

from storage import bins, readings
from storage.database import connect
from storage.model import DeviceEvent, IntakeResult, Quality, RefusalReason, RefusedMessage
from tests.storage.town import INSEE, NOON, Town, batch, fill, occupancy

HOUR = timedelta(hours=1)


def everything(town: Town) -> dict[str, tuple]:
    """One batch's content: readings of both kinds and an event."""
    return {
        "fill_readings": tuple(fill(town.bin_device, NOON + n * HOUR, n / 10, record_index=n % 2) for n in range(8)),
        "occupancy_readings": tuple(occupancy(town.bay_device, NOON + n * HOUR, occupied=n % 2 == 0) for n in range(5)),
        "device_events": (
            DeviceEvent(
                commune_insee=INSEE,
                device_id=town.bin_device,
                measured_at=NOON,
                received_at=NOON,
                kind="start_up",
                detail={"version": "1.0"},
                payload=b"\xff\x0b",
            ),
        ),
    }


def test_redelivered_batch_stores_nothing_twice(town: Town):
    content = everything(town)
    assert readings.take_in(town.connection, batch(**content)) == IntakeResult(stored=14, duplicates=0, refused=0)
    town.connection.commit()
    assert readings.take_in(town.connection, batch(**content)) == IntakeResult(stored=0, duplicates=14, refused=0)
    town.connection.commit()
    counts = [
        town.connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[arg-type] # constants
        for table in ("fill_reading", "occupancy_reading", "device_event")
    ]
    assert counts == [(8,), (5,), (1,)]


def test_repeat_inside_one_batch_is_stored_once(town: Town):
    reading = fill(town.bin_device, NOON, 0.5)
    result = readings.take_in(town.connection, batch(fill_readings=(reading, reading, reading)))
    assert result == IntakeResult(stored=1, duplicates=2, refused=0)


def test_two_batches_of_one_transaction_are_counted_apart(town: Town):
    first = readings.take_in(town.connection, batch(fill_readings=(fill(town.bin_device, NOON, 0.5),)))
    second = readings.take_in(town.connection, batch(fill_readings=(fill(town.bin_device, NOON + HOUR, 0.6),)))
    assert (first.stored, first.duplicates, second.stored, second.duplicates) == (1, 0, 1, 0)


def test_reading_keeps_everything_that_was_measured(town: Town):
    reading = fill(
        town.bin_device,
        NOON,
        0.25,
        distance_mm=700,
        temperature_c=-3.5,
        battery_percent=88.0,
        tilted=False,
        frame_counter=2**40,
        payload=bytes(range(256)),
        network_time=NOON + timedelta(seconds=2),
        battery_v=3.5,
        fire=False,
        full=True,
        rssi_dbm=-97.0,
        snr_db=-4.5,
    )
    readings.take_in(town.connection, batch(fill_readings=(reading,)))
    row = town.connection.execute(
        "SELECT commune_insee, device_id, place_id, measured_at, record_index, received_at, quality, fill_fraction, "
        "distance_mm, temperature_c, battery_percent, tilted, frame_counter, payload, network_time, battery_v, "
        "fire, device_full, rssi_dbm, snr_db FROM fill_reading"
    ).fetchone()
    # The network is not the reading's: it is known of the device.
    assert row == tuple(getattr(reading, name) for name in reading.__struct_fields__ if name != "network")


@pytest.mark.parametrize("seed", range(4))
def test_present_state_is_by_event_time_whatever_the_order_of_arrival(town: Town, seed: int):
    arriving = [fill(town.bin_device, NOON + n * HOUR, n / 10) for n in range(10)]
    random.Random(seed).shuffle(arriving)
    for n, reading in enumerate(arriving):
        received = structs.replace(reading, received_at=NOON + (20 + n) * HOUR)
        readings.take_in(town.connection, batch(fill_readings=(received,)))
        town.connection.commit()
    now = bins.one_now(town.connection, INSEE, "COR-0001", at=NOON + 10 * HOUR)
    assert (now.measured_at, now.measured_fill_fraction) == (NOON + 9 * HOUR, pytest.approx(0.9))
    history = readings.history_of_bin(
        town.connection, INSEE, "COR-0001", since=NOON + HOUR, until=NOON + 9 * HOUR
    )  # fmt: skip
    assert [level.measured_at for level in history] == [NOON + n * HOUR for n in range(1, 9)]


@pytest.mark.parametrize("order", [(2, 0, 1), (0, 1, 2), (1, 2, 0)], ids=str)
def test_last_record_of_a_message_is_the_newest_of_its_moment(town: Town, order: tuple[int, ...]):
    records = tuple(fill(town.bin_device, NOON, index / 10, record_index=index) for index in order)
    readings.take_in(town.connection, batch(fill_readings=records))
    assert bins.one_now(town.connection, INSEE, "COR-0001", at=NOON).measured_fill_fraction == pytest.approx(0.2)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00", id="a NUL byte"),
        pytest.param(bytes(range(256)) * 300, id="every byte, 75 kB"),
        pytest.param('{"é": "\u0000"}'.encode(), id="text with a NUL"),
        pytest.param(b"\xff\xfe\x80", id="not UTF-8"),
    ],
)
def test_refused_message_is_kept_byte_for_byte(town: Town, payload: bytes):
    refused = RefusedMessage(
        commune_insee=INSEE,
        received_at=NOON,
        network="native",
        topic="voirie/v1/93051/é-capteur/readings",
        payload=payload,
        reason=RefusalReason.MALFORMED_PAYLOAD,
        detail="expected 2 bytes, got 3",
        device_eui="24e124713b000001",
    )
    # The same message again is one row that counts: nothing tells a redelivery from a repetition.
    taken = readings.take_in(town.connection, batch(refused=(refused, refused)))
    assert (taken.refused, taken.duplicates) == (1, 1)
    town.connection.commit()
    row = town.connection.execute(
        "SELECT commune_insee, received_at, network, topic, payload, reason, detail, device_eui FROM refused_message"
    ).fetchone()
    assert row == tuple(getattr(refused, name) for name in refused.__dataclass_fields__)
    digest = hashlib.sha256(refused.topic.encode() + payload).hexdigest()
    assert readings.refused_digests(town.connection, INSEE) == {digest: 2}
    (count,) = readings.refusals_by_reason(town.connection, INSEE)
    assert (count.reason, count.messages, count.last_received_at) == (RefusalReason.MALFORMED_PAYLOAD, 1, NOON)


def test_ledger_adds_up_and_is_of_the_same_transaction(town: Town, any_database_url: str):
    content = everything(town)
    with connect(any_database_url) as other:
        readings.take_in(town.connection, batch(**content))
        assert readings.tally(other, INSEE).messages == 0
        town.connection.rollback()
        assert readings.tally(town.connection, INSEE).last_committed_at is None
        readings.take_in(town.connection, batch(**content))
        readings.take_in(town.connection, batch(**content))
        town.connection.commit()
        tally = readings.tally(other, INSEE)
    assert (tally.messages, tally.stored, tally.duplicates, tally.refused) == (28, 14, 14, 0)
    assert readings.tally(town.connection, "75056").messages == 0


def test_listeners_hear_of_a_batch_when_it_is_committed_and_not_before(town: Town, any_database_url: str):
    with connect(any_database_url, autocommit=True) as listener:
        listener.execute("LISTEN voirie_live")
        readings.take_in(town.connection, batch(fill_readings=(fill(town.bin_device, NOON, 0.5),)))
        assert list(listener.notifies(timeout=0.2)) == []
        town.connection.commit()
        (heard,) = listener.notifies(timeout=10, stop_after=1)
    assert json.loads(heard.payload) == {"kind": "readings", "commune_insee": INSEE, "stored": 1}


@pytest.mark.parametrize("quality", [quality for quality in Quality if quality is not Quality.OK])
def test_what_measured_nothing_carries_no_level(town: Town, quality: Quality):
    readings.take_in(town.connection, batch(fill_readings=(fill(town.bin_device, NOON, None, quality=quality),)))
    town.connection.commit()
    assert len(readings.levels(town.connection, INSEE, since=NOON - HOUR, until=NOON + HOUR)) == 0
    wrong = fill(town.bin_device, NOON + HOUR, 0.5, quality=quality)
    with pytest.raises(psycopg.errors.CheckViolation):
        readings.take_in(town.connection, batch(fill_readings=(wrong,)))


def test_levels_are_columns_by_place_and_event_time(town: Town):
    taken = [fill(town.bin_device, NOON + n * HOUR, n / 10, place_id=f"COR-000{1 + n % 2}") for n in (5, 3, 4, 0, 2, 1)]
    readings.take_in(town.connection, batch(fill_readings=tuple(taken)))
    levels = readings.levels(town.connection, INSEE, since=NOON, until=NOON + 5 * HOUR)
    expected = [("COR-0001", 0), ("COR-0001", 2), ("COR-0001", 4), ("COR-0002", 1), ("COR-0002", 3)]
    assert list(levels.place_id) == [place for place, _ in expected]
    assert list(levels.measured_at_s) == [int((NOON + n * HOUR).timestamp()) for _, n in expected]
    assert levels.fill_fraction == pytest.approx([n / 10 for _, n in expected])
    assert readings.last_measured_at(town.connection, INSEE) == NOON + 5 * HOUR


def test_keys_name_everything_stored(town: Town):
    readings.take_in(town.connection, batch(**everything(town)))
    keys = readings.reading_keys(town.connection, INSEE)
    assert keys == {("24e124713b000001", (NOON + n * HOUR).timestamp()) for n in range(8)} | {
        ("24e124713b000002", (NOON + n * HOUR).timestamp()) for n in range(5)
    }
