"""Thousands of malformed, truncated, oversized and hostile payloads among good ones, on all five envelopes."""

from __future__ import annotations

import time

from cli.fault_matrix.fault import Fault
from cli.fault_matrix.hostility import Hostility
from cli.fault_matrix.scene import Outcome, Scene
from cli.fault_matrix.waiting import wait
from storage import readings
from storage.database import connect
from storage.model import RefusalReason

_HOSTILE, _GOOD = 10_000, 3_000
_BEYOND_BROKER_BYTES = 400_000
_ANSWER_S = 10.0


def play(scene: Scene) -> Outcome:
    """Mix them; every good one is stored, every other one is kept whole, and what the broker refuses it refuses."""
    hostility = Hostility(scene.stage.town, scene.traffic)
    hostile = hostility.publications(_HOSTILE)
    mixed = [*hostile, *scene.traffic.publications(_GOOD)]
    scene.traffic.random.shuffle(mixed)
    settings = scene.settings(batch_messages=500)
    scene.introduce(settings)
    with scene.publisher(through_proxy=False) as publisher, scene.collector(settings) as collector:
        publisher.publish(mixed)
        publisher.settle()
        refused_by_broker = _beyond_the_broker(scene)
        outcome = scene.finish(collector, since_s=time.monotonic())
    with connect(scene.url) as connection:
        found = {one.reason: one.messages for one in readings.refusals_by_reason(connection, scene.insee)}
    scene.evidence |= {
        "hostile": len(hostile),
        "good": _GOOD,
        "kinds": hostility.kinds,
        "envelopes": len({network["envelope"] for network in scene.stage.town.networks()}),
        "refused": {reason.value: found[reason] for reason in sorted(found)},
        "beyond_the_broker": "not acknowledged" if refused_by_broker else "acknowledged",
    }
    broken = found.get(RefusalReason.INTERNAL_ERROR, 0)
    scene.promise(broken == 0, f"{broken} messages broke our own code")
    return outcome


def _beyond_the_broker(scene: Scene) -> bool:
    """Publish what exceeds the broker's limit; return whether it was left unacknowledged.

    A broker that acknowledges it must deliver it; one that acknowledges and drops it makes the row lose a message.
    """
    topic = scene.stage.town.topic(scene.stage.town.sensors[0])
    with scene.publisher(through_proxy=False) as publisher:
        publisher.publish([scene.traffic.refused(topic, b"x" * _BEYOND_BROKER_BYTES)])
        wait(lambda: publisher.outstanding == 0 or publisher.disconnections > 0, patience_s=_ANSWER_S)
        return publisher.outstanding > 0


FAULT = Fault(name="hostile_payloads", title="Hostile payloads among good ones", play=play)
