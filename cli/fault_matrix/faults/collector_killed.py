"""SIGKILL of a collector, again and again, where it hurts: it holds messages that it has not acknowledged."""

from __future__ import annotations

import time

from cli.fault_matrix.fault import Fault
from cli.fault_matrix.scene import Outcome, Scene

_MESSAGES_A_LIFE = 250


def play(scene: Scene) -> Outcome:
    """Kill in mid-transaction, between commit and acknowledgement, and at odd moments, in turn."""
    scene.introduce()
    lives = scene.scaled(short=6, full=60)
    kinds = (_kill_in_transaction, _kill_before_acknowledgement, _kill_at_an_odd_moment)
    rolled_back = held = 0
    for life in range(lives):
        with scene.publisher(through_proxy=False) as publisher:
            publisher.publish(scene.traffic.publications(_MESSAGES_A_LIFE))
            publisher.settle()
        lost_hold, aborted = kinds[life % len(kinds)](scene)
        held += lost_hold
        rolled_back += aborted
        scene.tell(f"{life + 1} of {lives} lives", done=life + 1, total=lives)
    ended_s = time.monotonic()
    with scene.collector() as last:
        outcome = scene.finish(last, since_s=ended_s)
    scene.evidence |= {
        "kills": lives,
        "held_unacknowledged_at_kills": held,
        "transactions_rolled_back": rolled_back,
        "committed_and_offered_again": outcome.verdict.duplicates_offered,
    }
    scene.promise(rolled_back >= lives // len(kinds), "a transaction that was killed in the middle is not rolled back")
    scene.require(outcome.verdict.duplicates_offered > 0, "no message came again after its commit")
    return outcome


def _kill_in_transaction(scene: Scene) -> tuple[int, int]:
    """Kill once readings are written and not committed."""
    with scene.observer.brake_in_transaction() as brake, scene.collector() as collector:
        ((_, transaction),) = scene.observer.stuck()
        held = scene.held_by_collectors
        scene.require(held > 0, "the collector held nothing when it was killed")
        collector.kill()
        brake.release()
        return held, int(scene.observer.aborted(transaction))


def _kill_before_acknowledgement(scene: Scene) -> tuple[int, int]:
    """Kill once a batch is committed, while its acknowledgements do not get through."""
    before = scene.tally().messages
    with scene.observer.brake_in_transaction() as brake, scene.collector() as collector:
        scene.observer.stuck()
        scene.collectors_link.hold(up=True, down=False)
        brake.release()
        scene.wait_for_messages(before + 1)
        held = scene.held_by_collectors
        scene.require(held > 0, "the collector held nothing when it was killed")
        collector.kill()
        scene.collectors_link.reset()
        scene.collectors_link.release()
        return held, 0


def _kill_at_an_odd_moment(scene: Scene) -> tuple[int, int]:
    """Kill once it was given some messages, whatever it is doing with them."""
    before = sum(meter.received for meter in scene.meters)
    some = scene.traffic.random.randrange(1, _MESSAGES_A_LIFE)
    with scene.collector() as collector:
        scene.wait_for(lambda: sum(meter.received for meter in scene.meters) >= before + some, f"{some} messages")
        held = scene.held_by_collectors
        collector.kill()
        return held, 0


FAULT = Fault(name="collector_killed", title="Killing the collector, many times", play=play)
