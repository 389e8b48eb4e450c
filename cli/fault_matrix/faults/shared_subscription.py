"""Two collectors share a subscription, and one is killed with messages in its hands."""

from __future__ import annotations

import time

from cli.fault_matrix.errors import SkippedError
from cli.fault_matrix.fault import Fault
from cli.fault_matrix.scene import Outcome, Scene
from storage.database import connect

_SLICE = 600


def play(scene: Scene) -> Outcome:
    """Kill one of two; the other goes on, and what the dead one held comes to its next life."""
    if not scene.broker.shares:
        raise SkippedError("the embedded broker is not for shared subscriptions (docs/mqtt.md): install Mosquitto")
    group = f"faults-{scene.stage.town.run}"
    first, second = (scene.settings(name, shared_group=group) for name in ("un", "deux"))
    for settings in (first, second):
        scene.introduce(settings)
    held = waiting = 0
    with scene.publisher(through_proxy=False) as publisher, scene.collector(second) as survivor:
        for _ in range(scene.scaled(short=2, full=15)):
            with scene.collector(first) as victim:
                with scene.observer.brake_in_transaction():
                    publisher.publish(scene.traffic.publications(_SLICE))
                    publisher.settle()
                    scene.observer.stuck(2)
                    held += scene.held_by_collectors
                    victim.kill()
                publisher.publish(scene.traffic.publications(_SLICE))
                publisher.settle()
                survivor.require_running()
            # The survivor has taken in all of its own; what is missing is what the broker keeps for the dead one.
            scene.wait_for(lambda: scene.held_by_collectors == 0, "the survivor's work")
            waiting = max(waiting, scene.judge().lost)
            scene.tell(f"{waiting} messages wait for the dead one")
        ended_s = time.monotonic()
        with scene.collector(first) as reborn:
            outcome = scene.finish(reborn, survivor, since_s=ended_s)
    with connect(scene.url) as connection:
        shares = connection.execute("SELECT collector, sum(messages)::int FROM intake_batch GROUP BY 1").fetchall()
    scene.evidence |= {
        "held_unacknowledged_at_kills": held,
        "kept_for_the_dead_one": waiting,
        "messages_by_collector": {name.rpartition("-")[2]: messages for name, messages in shares},
    }
    scene.require(len(shares) > 1, "the collectors did not share")
    scene.require(waiting > 0, "the dead collector had left nothing")
    return outcome


FAULT = Fault(name="shared_subscription", title="Killing one of two that share", play=play)
