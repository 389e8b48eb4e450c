"""Messages that come many times, and messages that come in any order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cli.fault_matrix.fault import Fault
from cli.fault_matrix.scene import Outcome, Scene
from cli.fault_matrix.traffic import Publication, Reading
from storage import bins, occupancy
from storage.database import connect
from storage.model import PlaceKind

_COPIES = 6
_RECORDS = 20
# Within the history that traffic has, with a day to spare.
_SPAN = timedelta(days=18)


def play_storm(scene: Scene) -> Outcome:
    """Publish everything many times, byte for byte and otherwise, by several publishers, in any order."""
    count = scene.scaled(short=600, full=10_000)
    readings = list(scene.traffic.readings(count))
    kept = _kept_by_devices(scene, readings)
    once = [scene.traffic.publication(reading) for reading in readings]
    elsewhere = [scene.traffic.publication(replace(reading, padding=7)) for reading in readings]
    storm = [*(once * (_COPIES - 1)), *elsewhere, *kept]
    scene.traffic.random.shuffle(storm)
    scene.introduce()
    with ExitStack() as stack:
        collector = stack.enter_context(scene.collector())
        publishers = [stack.enter_context(scene.publisher(through_proxy=False)) for _ in range(2)]
        for index, publisher in enumerate(publishers):
            publisher.publish(storm[index :: len(publishers)])
        for publisher in publishers:
            publisher.settle()
        ended_s = time.monotonic()
        scene.wait_for_messages(len(storm), patience_s=300.0)
        outcome = scene.finish(collector, since_s=ended_s)
    scene.evidence |= {
        "readings": count,
        "copies_of_each": len(storm) / count,
        "histories_sent_again": len(kept),
        "offered_again": outcome.verdict.duplicates_offered,
    }
    scene.promise(outcome.verdict.stored == count, f"{outcome.verdict.stored} readings were made of {count}")
    scene.require(outcome.verdict.duplicates_offered >= count * (_COPIES - 1), "too few repetitions were offered")
    return outcome


def _kept_by_devices(scene: Scene, readings: Sequence[Reading]) -> list[Publication]:
    """Return messages in which native devices send what they kept, cut into parts in two ways."""
    histories = []
    for sensor in scene.stage.town.sensors:
        own = [reading for reading in readings if reading.sensor == sensor and sensor.envelope == "native"]
        for shift in (0, _RECORDS // 2):
            parts = [own[start : start + _RECORDS] for start in range(shift, len(own), _RECORDS)]
            histories += [scene.traffic.history(part) for part in parts]
    return histories


def play_shuffled(scene: Scene) -> Outcome:
    """Publish days of readings in any order; the present states must be those of the newest event times."""
    count = scene.scaled(short=3_000, full=50_000)
    step = _SPAN / count
    readings = [
        scene.traffic.later(reading, index * step) for index, reading in enumerate(scene.traffic.readings(count))
    ]
    ordered = [scene.traffic.publication(reading) for reading in readings]
    order = list(range(len(ordered)))
    scene.traffic.random.shuffle(order)
    scene.introduce()
    with scene.publisher(through_proxy=False) as publisher, scene.collector() as collector:
        publisher.publish(ordered[index] for index in order)
        publisher.settle()
        outcome = scene.finish(collector, since_s=time.monotonic())
    late = sum(order[position] < max(order[:position]) for position in range(1, min(len(order), 1000)))
    wrong = _wrong_states(scene, readings)
    scene.evidence |= {
        "late_of_the_first_thousand": late,
        "span_h": round((readings[-1].at - readings[0].at).total_seconds() / 3600),
        "states": len(scene.stage.town.sensors),
        "states_overwritten_by_late_readings": wrong,
    }
    scene.require(late > 0, "nothing came late")
    scene.promise(wrong == 0, f"{wrong} present states are not those of the newest event times")
    return outcome


def _wrong_states(scene: Scene, readings: Sequence[Reading]) -> int:
    """Count the places whose present state is not that of their newest reading."""
    newest = {reading.sensor.place_id: reading for reading in sorted(readings, key=lambda one: one.at)}
    with connect(scene.url) as connection:
        now = datetime.now(UTC)
        levels = {one.place_id: one.measured_at for one in bins.now(connection, scene.insee, at=now)}
        states = {one.place_id: one.heard_at for one in occupancy.spaces_now(connection, scene.insee)}
    return sum(
        (levels if reading.sensor.kind is PlaceKind.BIN else states).get(place_id) != reading.at
        for place_id, reading in newest.items()
    )


STORM = Fault(name="duplicates_storm", title="A storm of duplicates", play=play_storm)
SHUFFLED = Fault(name="shuffled_order", title="Messages in any order", play=play_shuffled)
