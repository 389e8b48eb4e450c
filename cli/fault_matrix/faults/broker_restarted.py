"""The broker is restarted: in order, and killed. What Mosquitto has written down must come back.

Mosquitto answers a publication before it writes it down. A restart in order loses nothing; a kill takes back what came
since the last save, whatever `autosave_*` says. So the kill here comes after a save, and what is promised is: what was
saved is not lost, and what is delivered again because the save did not know of its acknowledgement is stored once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from cli.fault_matrix.brokers import OwnMosquitto
from cli.fault_matrix.errors import SkippedError
from cli.fault_matrix.fault import Fault
from cli.fault_matrix.scene import Outcome, Scene, open_scene
from cli.fault_matrix.stage import Stage
from cli.mosquitto import mosquitto_program


@contextmanager
def on_own_mosquitto(stage: Stage, fault: str) -> Iterator[Scene]:
    """Play on a Mosquitto that the matrix may restart, also when another broker is given."""
    if isinstance(stage.broker, OwnMosquitto):
        with open_scene(stage, fault) as scene:
            yield scene
        return
    program = mosquitto_program()
    if program is None:
        raise SkippedError("needs Mosquitto: other brokers are not the matrix's to restart, or keep nothing")
    home = stage.folder / fault
    home.mkdir()
    broker = OwnMosquitto(program, home)
    try:
        broker.start()
        with open_scene(stage, fault, broker=broker) as scene:
            yield scene
    finally:
        broker.kill()


def play(scene: Scene) -> Outcome:
    """Restart in the middle of traffic, then kill with a backlog, then kill after everything was acknowledged."""
    broker = scene.broker
    assert isinstance(broker, OwnMosquitto)
    scene.introduce()
    number = scene.scaled(short=1_000, full=5_000)
    rounds = scene.scaled(short=1, full=5)
    saved_bytes = 0
    held = 0
    with scene.publisher() as publisher, scene.collector() as collector:
        for _ in range(rounds):
            with scene.observer.brake_in_transaction():
                publisher.publish(scene.traffic.publications(number))
                scene.observer.stuck()
                scene.wait_for(lambda: publisher.outstanding < number // 2, "half of the acknowledgements")
                held += scene.held_by_collectors
                scene.require(held > 0, "the collector held nothing when the broker stopped")
                broker.stop()
                saved_bytes = max(saved_bytes, broker.saved_bytes)
                broker.start()
            publisher.settle()
            scene.tell(f"{scene.tally().messages} messages")
        for _ in range(rounds):
            with scene.observer.brake_in_transaction():
                publisher.publish(scene.traffic.publications(number))
                publisher.settle()
                scene.observer.stuck()
                broker.save()
                broker.kill()
                broker.start()
            _wait_until_all_is_acknowledged(scene)
        offered = 0
        for _ in range(rounds):
            with scene.observer.brake_in_transaction():
                publisher.publish(scene.traffic.publications(number))
                publisher.settle()
                broker.save()
            _wait_until_all_is_acknowledged(scene)
            offered = scene.tally().duplicates
            broker.kill()
            broker.start()
            scene.wait_for(lambda: scene.tally().duplicates >= offered + number, "the return of what was saved")  # noqa: B023 - called at once
        outcome = scene.finish(collector, since_s=time.monotonic())
    scene.evidence |= {
        "restarts_in_order": rounds,
        "kills_after_a_save": 2 * rounds,
        "held_unacknowledged_at_restarts": held,
        "saved_bytes": saved_bytes,
        "offered_again": outcome.verdict.duplicates_offered,
    }
    return outcome


def _wait_until_all_is_acknowledged(scene: Scene) -> None:
    """Wait until everything is stored, and the broker was told so."""
    scene.require(scene.recover(since_s=time.monotonic()) is not None, "what was saved did not come back")
    scene.wait_for(lambda: scene.held_by_collectors == 0, "the collector's acknowledgements")


FAULT = Fault(name="broker_restarted", title="Restarting and killing the broker", play=play, setting=on_own_mosquitto)
