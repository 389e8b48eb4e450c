"""The collector's measurement: its messages are good ones, its publisher speaks MQTT, its rates are honest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cli.ingest_bench.commits import Commit, rate_per_s
from cli.ingest_bench.messages import BINS, COMMUNE_INSEE, DEVICES, Stream, envelope_of, eui_of, filters, model_of
from cli.ingest_bench.options import BenchOptions
from cli.ingest_bench.wire import publish_packet
from ingest.intake import IntakeRules, take_in_message
from ingest.message import Message
from ingest.packets import PacketReader, Publication
from ingest.topics import Network
from storage.model import Device, Mounting, PlaceKind, Quality, RegisteredDevice

STREAM = Stream.of("bench-test", 3 * DEVICES)
NETWORKS = tuple(
    Network(name=name, commune_insee=COMMUNE_INSEE, envelope=name, topic_filter=topic_filter)
    for name, topic_filter in filters("bench-test").items()
)


def registered(device: int) -> RegisteredDevice:
    is_bin = device < BINS
    return RegisteredDevice(
        device=Device(commune_insee=COMMUNE_INSEE, eui=eui_of(device), model=model_of(device), device_id=device),
        mountings=(
            Mounting(
                commune_insee=COMMUNE_INSEE,
                device_id=device,
                place_id=f"P-{device}",
                place_kind=PlaceKind.BIN if is_bin else PlaceKind.PARKING_SPACE,
                mounted_at=STREAM.began_at - timedelta(days=1),
                empty_distance_mm=900 if is_bin else None,
                full_distance_mm=200 if is_bin else None,
            ),
        ),
    )


def test_every_message_is_one_good_reading_with_its_number():
    registry = {(COMMUNE_INSEE, eui_of(device)): registered(device) for device in range(DEVICES)}
    rules = IntakeRules(networks=NETWORKS)
    moments = set()
    for number in [*range(200), *range(BINS - 100, BINS + 100), *range(3 * DEVICES - 100, 3 * DEVICES)]:
        topic, payload = STREAM.publication(number)
        network = rules.network_of(topic)
        assert network.envelope == envelope_of(number % DEVICES)
        taken = take_in_message(Message(network, topic, payload, datetime.now(UTC)), registry, rules)
        assert not taken.refused, taken.refused
        (reading,) = [*taken.fill_readings, *taken.occupancy_readings]
        assert (reading.frame_counter, reading.quality) == (number, Quality.OK)
        moments.add((reading.device_id, reading.measured_at))
    assert len(moments) == len({*range(200), *range(BINS - 100, BINS + 100), *range(3 * DEVICES - 100, 3 * DEVICES)})


def test_every_network_is_half_of_them_chirpstack_s():
    share = [envelope_of(device) for device in range(DEVICES)]
    assert set(share) == set(filters("x"))
    assert share.count("chirpstack") == DEVICES // 2


def test_a_long_stream_is_still_young_enough_to_be_taken():
    stream = Stream.of("x", 10_000_000)
    assert datetime.now(UTC) - stream.began_at < timedelta(days=30)


def test_the_publisher_writes_what_a_reader_reads():
    packets = publish_packet("a/b", b"x" * 300, 513) + publish_packet("c", b"", 1)
    assert PacketReader().feed(packets)[0] == [Publication("a/b", b"x" * 300, 513, 1), Publication("c", b"", 1, 1)]


@pytest.mark.parametrize(
    ("commits", "rate"),
    [
        pytest.param([(0, 100, 1), (1, 50, 1), (2, 50, 1)], 50, id="the first commit only starts the clock"),
        pytest.param([(0, 50, 1), (1, 100, 2), (2, 100, 1), (3, 100, 2), (9, 10, 1)], 100, id="while both are at work"),
        pytest.param(
            [(0, 100, 1), (1, 100, 1), (2, 5, 2), (3, 100, 2)], 205 / 3, id="hardly together: from first to last"
        ),
        pytest.param([(5, 100, 1)], 0, id="one commit has no rate"),
    ],
)
def test_rates_count_what_was_stored_while_all_were_at_work(commits: list[tuple[float, int, int]], rate: float):
    assert rate_per_s([Commit(*one) for one in commits]) == pytest.approx(rate)


def test_options_refuse_nonsense():
    with pytest.raises(ValueError, match="expected seconds > 0, got 0"):
        BenchOptions(seconds=0)
    with pytest.raises(ValueError, match="expected collectors >= 1, got 0"):
        BenchOptions(collectors=0)
    assert BenchOptions(seconds=0.001, batch_messages=10).backlog == 60
    assert BenchOptions().backlog == 20 * BenchOptions().small_backlog
