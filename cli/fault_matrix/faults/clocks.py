"""Clocks that are ahead or behind: what cannot be believed is refused with its reason and kept."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cli.fault_matrix.envelopes import encoded
from cli.fault_matrix.fault import Fault
from cli.fault_matrix.scene import Outcome, Scene
from cli.fault_matrix.town import MOUNTED_BEFORE
from cli.fault_matrix.traffic import Publication, document
from storage import readings
from storage.database import connect
from storage.model import RefusalReason

_MAX_FUTURE_S, _MAX_AGE_DAYS = 600.0, 90.0
_SKEWS: Mapping[timedelta, RefusalReason | None] = {
    timedelta(seconds=_MAX_FUTURE_S / 2): None,
    timedelta(0): None,
    timedelta(hours=-1): None,
    timedelta(days=-10): None,
    -MOUNTED_BEFORE + timedelta(days=1): None,
    -MOUNTED_BEFORE - timedelta(days=1): RefusalReason.NOT_MOUNTED,
    timedelta(days=-_MAX_AGE_DAYS + 1): RefusalReason.NOT_MOUNTED,
    timedelta(days=-_MAX_AGE_DAYS - 1): RefusalReason.TOO_OLD,
    # A clock that never was set: the first second of its epoch, or of GPS time.
    datetime(1970, 1, 1, tzinfo=UTC) - datetime(2026, 1, 1, tzinfo=UTC): RefusalReason.TOO_OLD,
    datetime(1980, 1, 6, tzinfo=UTC) - datetime(2026, 1, 1, tzinfo=UTC): RefusalReason.TOO_OLD,
    timedelta(seconds=_MAX_FUTURE_S * 2): RefusalReason.IN_THE_FUTURE,
    timedelta(days=1): RefusalReason.IN_THE_FUTURE,
    timedelta(days=3650): RefusalReason.IN_THE_FUTURE,
}


def play(scene: Scene) -> Outcome:
    """Let every sensor speak with every skew, and some send a history of which a part cannot be believed."""
    expected: Counter[RefusalReason] = Counter()
    publications: list[Publication] = []
    now = datetime.now(UTC)
    for _ in range(scene.scaled(short=1, full=20)):
        for skew, reason in _SKEWS.items():
            for reading in scene.traffic.readings(len(scene.stage.town.sensors)):
                # Traffic gives each reading a second of its own: the skews must not bring two together.
                skewed = replace(reading, at=now + skew - timedelta(milliseconds=reading.counter))
                good = scene.traffic.publication(skewed)
                expected.update([] if reason is None else [reason])
                publications.append(good if reason is None else replace_keys(scene, good))
    histories = [_half_believable(scene, now) for _ in range(scene.scaled(short=12, full=120))]
    expected[RefusalReason.IN_THE_FUTURE] += len(histories)
    publications += histories
    scene.traffic.random.shuffle(publications)
    settings = scene.settings(max_future_s=_MAX_FUTURE_S, max_age_days=_MAX_AGE_DAYS)
    scene.introduce(settings)
    with scene.publisher(through_proxy=False) as publisher, scene.collector(settings) as collector:
        publisher.publish(publications)
        publisher.settle()
        outcome = scene.finish(collector, since_s=time.monotonic())
    with connect(scene.url) as connection:
        found = {one.reason: one.messages for one in readings.refusals_by_reason(connection, scene.insee)}
    scene.evidence |= {
        "skews": len(_SKEWS),
        "refused": {reason.value: found[reason] for reason in sorted(found)},
        "histories_refused_in_part": len(histories),
    }
    scene.promise(found == expected, f"expected refusals {dict(expected)}, found {found}")
    return outcome


def replace_keys(scene: Scene, publication: Publication) -> Publication:
    """Return the same message as one that has to be refused."""
    return scene.traffic.refused(publication.topic, publication.payload)


def _half_believable(scene: Scene, now: datetime) -> Publication:
    """Return a native message with one reading of an hour ago and one of tomorrow: the first is stored."""
    native = [one for one in scene.traffic.readings(len(scene.stage.town.sensors)) if one.sensor.envelope == "native"]
    reading = replace(native[0], at=now - timedelta(hours=2, milliseconds=native[0].counter))
    tomorrow = replace(reading, at=now + timedelta(days=1))
    body, future = document(reading), document(tomorrow)
    assert isinstance(body["readings"], list)
    assert isinstance(future["readings"], list)
    body["readings"] += future["readings"]
    return Publication(topic=scene.stage.town.topic(reading.sensor), payload=encoded(body), keys=(reading.key,))


FAULT = Fault(name="clocks_skewed", title="Clocks ahead and behind", play=play)
