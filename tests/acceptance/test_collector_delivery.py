"""What a collector makes of what a real broker delivers, in a real database."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from storage import bins, communes, readings
from storage.database import connect
from storage.model import PlaceKind, RefusalReason, Simulation
from tests.acceptance.collecting import (
    INSEE,
    START,
    Publication,
    Town,
    bin_eui,
    collecting,
    make_session,
    publisher,
)
from tests.tools import free_port, wait_until


@pytest.fixture
def town(database_url: str, any_broker_url: str) -> Town:
    """A provisioned commune, on each kind of broker."""
    town = Town(database_url=database_url, broker_url=any_broker_url)
    town.provision()
    return town


@pytest.fixture
def town_of_the_demo(database_url: str, embedded_broker: str) -> Town:
    """Alone where the fault matrix says the same and more of Mosquitto and TimescaleDB."""
    town = Town(database_url=database_url, broker_url=embedded_broker)
    town.provision()
    return town


def test_messages_of_a_collector_s_absence_are_taken_in_at_its_return(town: Town):
    make_session(town)
    messages = town.stream(1500)
    with publisher(town) as sender:
        sender.publish(messages)
    assert town.stored() == 0
    with collecting(town.options()):
        town.wait_for_messages(len(messages))
    assert town.counters() == list(range(len(messages)))
    assert town.tally() == (len(messages), len(messages), 0, 0)


def test_the_same_message_twice_is_one_row(town_of_the_demo: Town):
    town = town_of_the_demo
    messages = town.stream(400)
    make_session(town)
    with publisher(town) as sender, collecting(town.options()):
        sender.publish([*messages, *messages[:50]])
        town.wait_for_messages(450)
        sender.publish(messages)
        town.wait_for_messages(850)
    assert town.counters() == list(range(400))
    assert town.tally() == (850, 400, 450, 0)


def test_flood_of_one_device_is_kept_and_costs_no_other_its_readings(town_of_the_demo: Town):
    town = town_of_the_demo
    flood = [town.level(0, at=START + timedelta(seconds=n), counter=n) for n in range(300)]
    others = [town.level(n, at=START, counter=n) for n in range(1, 6)]
    make_session(town)
    options = town.options(device_messages_at_once=100, device_messages_per_hour=1)
    with publisher(town) as sender, collecting(options):
        sender.publish([*flood, *others])
        town.wait_for_messages(305)
    assert town.tally() == (305, 105, 0, 200)
    with connect(town.database_url) as connection:
        kept = connection.execute("SELECT reason, device_eui, count(*) FROM refused_message GROUP BY 1, 2").fetchall()
    assert kept == [("too_many", bin_eui(0), 200)]


def garbage(town: Town) -> list[tuple[Publication, RefusalReason]]:
    topic = town.topic(bin_eui(0))
    whole_topic, whole = town.level(0, at=START)
    future = datetime.now(UTC) + timedelta(days=1)
    return [
        ((topic, b""), RefusalReason.MALFORMED_ENVELOPE),
        ((topic, b"\x00\xff not JSON \x00"), RefusalReason.MALFORMED_ENVELOPE),
        ((whole_topic, whole[:-9]), RefusalReason.MALFORMED_ENVELOPE),
        (town.uplink(bin_eui(0), b"\x03\x82\x01", at=START, port=85), RefusalReason.MALFORMED_PAYLOAD),
        (town.uplink("00000000000000ff", b"\x01", at=START, port=1), RefusalReason.UNKNOWN_DEVICE),
        (town.level(0, at=future), RefusalReason.IN_THE_FUTURE),
        (town.level(0, at=START - timedelta(days=200)), RefusalReason.TOO_OLD),
        (town.level(0, at=START - timedelta(days=5)), RefusalReason.NOT_MOUNTED),
        ((f"{town.name}/device/nobody/event/up", b"{}"), RefusalReason.UNKNOWN_TOPIC),
        ((topic, json.dumps({"x": "A" * 70_000}).encode()), RefusalReason.TOO_LARGE),
        ((topic, json.dumps({"deviceInfo": {"devEui": "\0" * 16}}).encode()), RefusalReason.MALFORMED_ENVELOPE),
    ]


def test_garbage_among_good_messages_is_kept_whole_with_its_reason(town_of_the_demo: Town):
    town = town_of_the_demo
    good, bad = town.stream(60), garbage(town)
    mixed = [*good[:30], *(publication for publication, _ in bad), *good[30:]]
    make_session(town)
    with publisher(town) as sender:
        sender.publish(mixed)
    with collecting(town.options(batch_messages=len(mixed))) as collector:
        town.wait_for_messages(len(mixed))
    assert town.counters() == list(range(60))
    kept = [
        (topic, bytes(payload), RefusalReason(reason))
        for topic, payload, reason in town.rows("SELECT topic, payload, reason FROM refused_message")
    ]
    assert Counter(kept) == Counter((topic, payload, reason) for (topic, payload), reason in bad)
    assert town.tally() == (len(mixed), 60, 0, len(bad))
    refused = Counter(reason for _, reason in bad)
    for reason, count in refused.items():
        labels = {"reason": reason.value}
        assert collector.metrics.registry.get_sample_value("voirie_messages_refused_total", labels) == count


def test_a_late_message_never_overwrites_a_newer_state(town_of_the_demo: Town):
    town = town_of_the_demo
    make_session(town)
    newer, older = START + timedelta(hours=2), START + timedelta(hours=1)
    with publisher(town) as sender, collecting(town.options()):
        sender.publish([town.level(0, at=newer, distance_mm=300), town.state(0, at=newer, occupied=False)])
        town.wait_for_rows(2)
        sender.publish([town.level(0, at=older, distance_mm=900), town.state(0, at=older, occupied=True)])
        town.wait_for_rows(4)
    with connect(town.database_url) as connection:
        state = bins.one_now(connection, INSEE, "COR-0000", at=datetime.now(UTC))
        assert (state.measured_at, state.measured_fill_fraction) == (newer, pytest.approx(0.875))
        (row,) = connection.execute("SELECT heard_at, occupied FROM occupancy_state WHERE place_id = 'STA-0000'")
        assert row == (newer, False)
        known = readings.reading_keys(connection, INSEE)
    assert (bin_eui(0), older.timestamp()) in known, "late is stored all the same"


def test_a_device_registered_while_the_collector_runs_is_not_refused(town: Town):
    eui = "24e124713dffffff"
    make_session(town)
    with publisher(town) as sender, collecting(town.options()):
        sender.publish(town.stream(10))
        town.wait_for_rows(10)
        sender.publish([town.uplink(eui, b"\x03\x82\x58\x02", at=START, port=85)])
        wait_until(lambda: town.tally()[3] == 1, what="the refusal")
        with connect(town.database_url) as connection:
            connection.execute(
                "INSERT INTO place SELECT commune_insee, 'COR-9999', kind, longitude_deg, latitude_deg, street"
                " FROM place WHERE place_id = 'COR-0019'"
            )
            town.register(connection, eui, "COR-9999", PlaceKind.BIN)
        # The change is followed with the next batch, whatever was read a moment ago.
        sender.publish([town.uplink(eui, b"\x03\x82\x58\x02", at=START + timedelta(seconds=1), port=85)])
        town.wait_for_messages(12)
    assert (town.stored(), town.tally()[3]) == (11, 1)


def test_a_simulated_commune_is_judged_by_its_own_clock(town: Town):
    then = datetime(2019, 6, 1, tzinfo=UTC)
    with connect(town.database_url) as connection:
        connection.execute("UPDATE mounting SET mounted_at = '2019-01-01'")
        communes.save_simulation(
            connection,
            Simulation(
                commune_insee=INSEE,
                seed=1,
                streets_source="none",
                started_at=then,
                history_until=then,
                wall_origin=datetime.now(UTC),
                simulated_origin=then,
                rate=60,
            ),
        )
    make_session(town)
    with publisher(town) as sender, collecting(town.options()):
        sender.publish([town.level(0, at=then - timedelta(days=1)), town.level(0, at=then + timedelta(days=30))])
        town.wait_for_messages(2)
    assert town.stored() == 1
    assert town.rows("SELECT reason FROM refused_message") == [("in_the_future",)]
    (row,) = town.rows("SELECT received_at FROM fill_reading")
    assert then <= row[0] < then + timedelta(days=1)


def test_metrics_are_served(town: Town):
    port = free_port()
    make_session(town)
    with publisher(town) as sender, collecting(town.options(metrics_port=port)):
        sender.publish([*town.stream(20), (town.topic(bin_eui(0)), b"")])
        town.wait_for_messages(21)

        def told() -> str:
            return httpx.get(f"http://127.0.0.1:{port}/metrics").text

        wait_until(lambda: "voirie_readings_stored_total 20.0" in told(), what="the count of readings")
        text = told()
    assert 'voirie_messages_refused_total{reason="malformed_envelope"} 1.0' in text
    assert 'voirie_messages_received_total{network="lora"} 21.0' in text
    assert "voirie_broker_connected 1.0" in text


def test_a_batch_larger_than_the_broker_s_window_does_not_wait_for_what_cannot_come(town: Town):
    # rumqttd sends 100 messages and no more; with a wait of 30 s each, 1,000 messages would take five minutes.
    make_session(town)
    with publisher(town) as sender:
        sender.publish(town.stream(1000))
    with collecting(town.options(batch_messages=5000, batch_wait_s=1.0)):
        town.wait_for_messages(1000)
    (row,) = town.rows("SELECT count(*), extract(epoch FROM max(committed_at) - min(committed_at)) FROM intake_batch")
    assert float(row[1]) < 6
    assert town.counters() == list(range(1000))
