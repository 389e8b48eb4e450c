from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from simulators.faults import NO_FAULTS, FaultOptions
from simulators.ledger import LedgerWriter, read_ledger
from simulators.messages import Expect, Publication
from simulators.timeline import Timeline
from simulators.world import World
from tests.commune import build

FAULTS = FaultOptions(garbage_rate=0.01)


@cache
def town() -> World:
    return build()


@cache
def published(faults: FaultOptions) -> list[Publication]:
    return list(Timeline(town(), faults).publications(town().start, town().history_until))


def key(publication: Publication) -> tuple[str | None, object]:
    return publication.eui, publication.measured_at


def test_publications_come_in_order_of_arrival_and_within_the_time_asked_for():
    arrivals = [publication.arrives_at for publication in published(FAULTS)]
    assert arrivals == sorted(arrivals)
    assert town().start <= arrivals[0]
    assert arrivals[-1] < town().history_until


def test_splitting_the_time_changes_nothing():
    timeline = Timeline(town(), FAULTS)
    since, until = town().start + timedelta(hours=31), town().start + timedelta(hours=71)
    cut = since + timedelta(hours=17, minutes=7, seconds=3)
    whole = list(timeline.publications(since, until))
    assert len(whole) > 500
    parts = [*timeline.publications(since, cut), *Timeline(town(), FAULTS).publications(cut, until, look_ahead_s=60)]
    assert parts == whole


def test_timeline_without_end_goes_on_past_the_history():
    after = Timeline(town(), FAULTS).publications(town().history_until, look_ahead_s=60)
    first = [next(after) for _ in range(2000)]
    assert first[0].arrives_at >= town().history_until
    assert first[-1].arrives_at > town().history_until + timedelta(hours=12)


def test_every_sensor_speaks_in_its_rhythm():
    spoken = Counter(publication.eui for publication in published(NO_FAULTS))
    hours = 6 * 24
    for device in town().devices:
        if device.place_kind == "bin":
            assert hours - 1 <= spoken[device.eui] <= hours + 1
        else:
            assert spoken[device.eui] >= 5, "a heartbeat a day"


def test_without_faults_nothing_is_lost_repeated_or_refused():
    keys = Counter(key(publication) for publication in published(NO_FAULTS))
    assert max(keys.values()) == 1
    assert {publication.expect for publication in published(NO_FAULTS)} == {Expect.READING, Expect.EVENT}
    late = max(p.arrives_at - p.measured_at for p in published(NO_FAULTS) if p.measured_at is not None)
    assert late < timedelta(seconds=3)


def test_frame_counters_count_up_and_the_first_is_absent():
    counters: dict[str, list[tuple[object, int]]] = defaultdict(list)
    for publication in published(NO_FAULTS):
        if publication.topic.startswith("application/"):
            counters[str(publication.eui)].append(
                (publication.measured_at, json.loads(publication.payload).get("fCnt", 0))
            )
    assert len(counters) > 60
    for spoken in counters.values():
        in_time = [counter for _, counter in sorted(spoken, key=lambda item: str(item[0]))]
        assert in_time == list(range(len(in_time)))


def test_parking_sensors_report_each_change_and_never_contradict_the_truth():
    bay = next(device for device in town().devices if device.place_kind == "delivery_bay" and not device.is_native)
    told = []
    for publication in published(NO_FAULTS):
        event = json.loads(publication.payload) if publication.eui == bay.eui else {}
        if event.get("fPort") == 1:
            told.append((publication.measured_at, event["data"] == "AQ=="))
    sessions = town().bays_truth.sessions_until(int(town().history_until.timestamp()))
    mine = sessions.place == bay.place_index
    changes = sorted([(s, True) for s in sessions.arrive_s[mine]] + [(s, False) for s in sessions.depart_s[mine]])
    inside = [
        (second + bay.lag_s, state)
        for second, state in changes
        if town().start.timestamp() <= second + bay.lag_s < town().history_until.timestamp() - 3
    ]
    assert len(inside) > 50
    assert [(int(at.timestamp()), state) for at, state in told if at is not None] == inside


def test_faults_come_at_their_rates():
    faults = FaultOptions(
        drop_rate=0.1, repeat_rate=0.05, delay_rate=0.08, garbage_rate=0.03, death_share=0.0, freeze_share=0.0
    )
    sound = {key(publication) for publication in published(NO_FAULTS)}
    keys = Counter(key(publication) for publication in published(faults) if publication.eui is not None)
    assert set(keys) <= sound
    assert 0.08 < 1 - len(keys) / len(sound) < 0.13
    assert 0.03 < sum(count > 1 for count in keys.values()) / len(keys) < 0.07
    late = [p for p in published(faults) if p.measured_at and p.arrives_at - p.measured_at > timedelta(seconds=59)]
    assert 0.09 < len(late) / len(sound) < 0.16, "the delayed and most of the repeated"
    assert max(p.arrives_at - p.measured_at for p in late if p.measured_at) <= timedelta(hours=7, seconds=3)
    garbage = [publication for publication in published(faults) if publication.expect is Expect.REFUSED]
    assert 0.02 < len(garbage) / len(sound) < 0.04


def test_repeats_are_the_same_message():
    by_key: dict[object, set[bytes]] = defaultdict(set)
    for publication in published(FAULTS):
        if publication.eui is not None:
            by_key[key(publication)].add(publication.payload)
    assert all(len(payloads) == 1 for payloads in by_key.values())


def test_each_garbage_message_is_its_own_and_all_kinds_come():
    garbage = [publication for publication in published(FAULTS) if publication.expect is Expect.REFUSED]
    assert len(garbage) > 80
    assert len({(publication.topic, publication.payload) for publication in garbage}) == len(garbage)
    assert all(key(publication) == (None, None) for publication in garbage)
    assert any(publication.payload == b"" for publication in garbage)
    assert any(len(publication.payload) > 65_536 for publication in garbage)
    assert any(publication.payload.startswith(b'{"readings": 812') for publication in garbage)


def test_sensors_die_and_freeze():
    ailing = FaultOptions(
        drop_rate=0.0, repeat_rate=0.0, delay_rate=0.0, garbage_rate=0.0, death_share=1.0, freeze_share=1.0
    )
    world = build(days=60, bins=40, bays=2, spaces=2, native_share=1.0)
    timeline = Timeline(world, ailing)
    until = world.start + timedelta(days=95)
    native_bins = {device.eui for device in world.devices if device.is_native and device.place_kind == "bin"}
    assert native_bins
    told: dict[str, list[int]] = defaultdict(list)
    last: dict[str, object] = {}
    for publication in timeline.publications(world.start, until):
        last[str(publication.eui)] = publication.measured_at
        if publication.eui in native_bins:
            told[publication.eui].append(json.loads(publication.payload)["readings"][0]["distance_mm"])
    assert all(str(moment) < str(until - timedelta(days=4)) for moment in last.values()), "all are dead by day 91"
    longest = 0
    for distances in told.values():
        run = 1
        for before, now in pairwise(distances):
            run = run + 1 if now == before else 1
            longest = max(longest, run)
    assert longest >= 24


def test_estimate_is_near_the_truth():
    for faults in (NO_FAULTS, FAULTS):
        estimate = Timeline(town(), faults).estimate(town().start, town().history_until)
        assert estimate == pytest.approx(len(published(faults)), rel=0.03)


def test_ledger_gives_back_what_was_recorded(tmp_path: Path):
    path = tmp_path / "ledger"
    some = published(FAULTS)[:500] + [p for p in published(FAULTS) if p.expect is Expect.REFUSED][:5]
    with LedgerWriter(path) as ledger:
        for publication in some[:300]:
            ledger.record(publication)
    with LedgerWriter(path) as ledger:
        for publication in some[300:]:
            ledger.record(publication)
    entries = list(read_ledger(path))
    assert [(e.kind, e.eui, e.measured_at) for e in entries] == [(p.expect, p.eui, p.measured_at) for p in some]
    moments = [(e.measured_at, e.measured_at_s) for e in entries if e.measured_at is not None]
    assert all(seconds == pytest.approx(moment.timestamp(), abs=1e-6) for moment, seconds in moments)
    path.write_bytes(path.read_bytes()[:-3])
    assert len(list(read_ledger(path))) == len(some) - 1, "an entry cut short by a crash ends the ledger"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"drop_rate": 1.2}, "expected drop_rate within 0..1, got 1.2"),
        ({"freeze_share": -0.1}, "expected freeze_share within 0..1, got -0.1"),
        ({"longest_delay_s": 1}, "expected longest_delay_s >= 60, got 1"),
    ],
)
def test_nonsense_is_refused(changes: dict[str, float], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        FaultOptions(**changes)  # type: ignore[arg-type]  # the point
