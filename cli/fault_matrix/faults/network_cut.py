"""The network is cut between each pair: broken connections, silence that ends, and silence that never does."""

from __future__ import annotations

import time

from cli.fault_matrix.fault import Fault
from cli.fault_matrix.proxy import Proxy
from cli.fault_matrix.scene import Outcome, Scene

_SLICE = 400
_KEEPALIVE_S = 2
_COMMIT_PATIENCE_S = 3


def play_publisher_broker(scene: Scene) -> Outcome:
    """Cut the devices off while publications are on their way; what the broker took is published again."""
    scene.introduce()
    link = scene.devices_link
    unacknowledged, ended_s = 0, 0.0
    with scene.publisher() as publisher, scene.collector() as collector:
        for _ in range(scene.scaled(short=1, full=5)):
            for cut in (_break, _silence, _forget):
                publisher.publish(scene.traffic.publications(_SLICE))
                scene.wait_for(lambda: publisher.outstanding < _SLICE, "the first acknowledgements")
                # The broker's answers stay out: it has messages that the devices will publish again.
                link.hold(up=False, down=True)
                publisher.publish(scene.traffic.publications(_SLICE))
                scene.require(publisher.outstanding > 0, "everything was acknowledged before the cut")
                unacknowledged += publisher.outstanding
                ended_s = cut(scene, link)
                publisher.settle()
                scene.tell(f"{link.accepted} connections")
        outcome = scene.finish(collector, since_s=ended_s)
    scene.evidence |= {
        "unacknowledged_at_cuts": unacknowledged,
        "connections": link.accepted,
        "offered_again": outcome.verdict.duplicates_offered,
    }
    scene.require(outcome.verdict.duplicates_offered > 0, "the devices published nothing again")
    return outcome


def play_broker_collector(scene: Scene) -> Outcome:
    """Cut a collector off from its broker once it has committed: its acknowledgements are lost."""
    settings = scene.settings(keepalive_s=_KEEPALIVE_S)
    scene.introduce(settings)
    link = scene.collectors_link
    held, ended_s = 0, 0.0
    with scene.publisher(through_proxy=False) as publisher, scene.collector(settings) as collector:
        for _ in range(scene.scaled(short=1, full=5)):
            for cut in (_break, _silence, _forget):
                before = scene.tally().messages
                with scene.observer.brake_in_transaction():
                    publisher.publish(scene.traffic.publications(_SLICE))
                    publisher.settle()
                    scene.observer.stuck()
                    link.hold(up=True, down=False)
                scene.wait_for_messages(before + 1)
                scene.require(scene.held_by_collectors > 0, "everything was acknowledged before the cut")
                held += scene.held_by_collectors
                ended_s = cut(scene, link)
                scene.recover(since_s=ended_s)
                scene.tell(f"{link.accepted} connections")
        outcome = scene.finish(collector, since_s=ended_s)
    scene.evidence |= {
        "held_unacknowledged_at_cuts": held,
        "connections": link.accepted,
        "offered_again": outcome.verdict.duplicates_offered,
    }
    scene.require(outcome.verdict.duplicates_offered > 0, "no message came again after its commit")
    return outcome


def play_collector_database(scene: Scene) -> Outcome:
    """Cut a collector off from the database with a transaction open, and with its commit's answer on the way."""
    settings = scene.settings(commit_patience_s=_COMMIT_PATIENCE_S)
    scene.introduce(settings)
    scene.observer.prepare_brake_at_commit()
    link = scene.database_link
    cut_open = rolled_back = committed = 0
    ended_s = 0.0
    with scene.publisher(through_proxy=False) as publisher, scene.collector(settings) as collector:
        for _ in range(scene.scaled(short=1, full=5)):
            for cut in (_break, _silence, _forget):
                with scene.observer.brake_in_transaction() as brake:
                    publisher.publish(scene.traffic.publications(_SLICE))
                    publisher.settle()
                    ((_, transaction),) = scene.observer.stuck()
                    link.hold()
                    brake.release()
                    ended_s = cut(scene, link)
                cut_open += 1
                # After a short silence the transaction goes on as if nothing had been.
                rolled_back += scene.observer.aborted(transaction)
                scene.recover(since_s=ended_s)
                scene.tell(f"{link.accepted} connections")
            for cut in (_break, _forget):
                before = scene.tally().messages
                with scene.observer.brake_at_commit() as brake:
                    publisher.publish(scene.traffic.publications(_SLICE))
                    publisher.settle()
                    scene.observer.stuck()
                    link.hold(up=False, down=True)
                    brake.release()
                    # Committed, and the collector cannot know.
                    scene.wait_for_messages(before + 1)
                    committed += 1
                    ended_s = cut(scene, link)
                scene.recover(since_s=ended_s)
                scene.tell(f"{link.accepted} connections")
        outcome = scene.finish(collector, since_s=ended_s)
    scene.evidence |= {
        "transactions_cut": cut_open,
        "transactions_rolled_back": rolled_back,
        "commits_without_an_answer": committed,
        "connections": link.accepted,
        "offered_again": outcome.verdict.duplicates_offered,
    }
    scene.require(rolled_back > 0, "no transaction was rolled back")
    scene.require(outcome.verdict.duplicates_offered > 0, "no commit was repeated")
    return outcome


def _break(scene: Scene, link: Proxy) -> float:
    """Break every connection and refuse new ones for a while; return when that ended."""
    link.refuse()
    scene.require(link.reset() > 0, "there was no connection to break")
    link.release()
    time.sleep(scene.scaled(short=1, full=10))
    link.admit()
    return time.monotonic()


def _silence(scene: Scene, link: Proxy) -> float:
    """Let nothing through for a while, without a word to either side; return when that ended."""
    link.hold()
    time.sleep(scene.scaled(short=2, full=20))
    link.release()
    return time.monotonic()


def _forget(scene: Scene, link: Proxy) -> float:
    """Lose the connections of now without a word: they stay silent for ever, new ones work."""
    scene.require(link.forget() > 0, "there was no connection to lose")
    link.release()
    return time.monotonic()


PUBLISHER_BROKER = Fault(
    name="network_cut_publisher_broker", title="Cutting the devices off", play=play_publisher_broker
)
BROKER_COLLECTOR = Fault(
    name="network_cut_broker_collector", title="Cutting the collector off from its broker", play=play_broker_collector
)
COLLECTOR_DATABASE = Fault(
    name="network_cut_collector_database", title="Cutting the collector off from the database",
    play=play_collector_database,
)  # fmt: skip
