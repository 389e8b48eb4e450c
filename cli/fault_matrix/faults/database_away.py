"""The database goes away: stopped for long, or killed in the middle of a transaction."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from cli.fault_matrix.collectors import CollectorProcess
from cli.fault_matrix.fault import Fault
from cli.fault_matrix.publisher import Publisher
from cli.fault_matrix.scene import Outcome, Scene
from cli.fault_matrix.servers import OwnServer

_SLICE = 250
_MEGABYTE = 2**20
_BATCH = 100
# What a collector may hold beyond its start: its window twice over (as it came, and as rows), and some air.
_AIR_MB = 24.0


def play_stopped(scene: Scene) -> Outcome:
    """Stop the database while devices go on publishing much; nothing may be acknowledged, and memory may not grow."""
    away_s = scene.scaled(short=4, full=90)
    backlog = scene.scaled(short=3_000, full=12_000)
    padding = scene.scaled(short=16_000, full=12_000)
    scene.introduce()
    with scene.publisher() as publisher, scene.collector() as collector:
        publisher.publish(scene.traffic.publications(_SLICE, padding=padding))
        scene.wait_for_messages(_SLICE)
        before_mb = collector.rss_mb
        _stop(scene)
        began_s = time.monotonic()
        publisher.publish(scene.traffic.publications(_SLICE, padding=padding))
        scene.wait_for(lambda: _attempts(collector) > 1, "the collector's attempts")
        acknowledged, peak_mb, sent = scene.acknowledged_by_collectors, before_mb, _SLICE
        while sent < backlog or time.monotonic() - began_s < away_s:
            if sent < backlog:
                publisher.publish(scene.traffic.publications(_SLICE, padding=padding))
                sent += _SLICE
                publisher.settle()
            peak_mb = max(peak_mb, collector.rss_mb)
            scene.tell(f"{sent} messages wait", done=time.monotonic() - began_s, total=away_s)
            time.sleep(0.05)
        scene.evidence |= {
            "method": "stopped and started" if scene.stage.own_server else "connections refused for the time",
            "away_s": round(time.monotonic() - began_s, 1),
            "acknowledged_meanwhile": scene.acknowledged_by_collectors - acknowledged,
            "attempts": _attempts(collector),
            "backlog_messages": sent,
            "backlog_mb": round(sent * padding / _MEGABYTE, 1),
            "collector_rss_mb": {"before": round(before_mb, 1), "peak": round(peak_mb, 1)},
        }
        _start(scene)
        outcome = scene.finish(collector, since_s=time.monotonic())
    window_mb = 2 * 2 * _BATCH * padding / _MEGABYTE
    scene.promise(scene.evidence["acknowledged_meanwhile"] == 0, "messages were acknowledged without a database")
    scene.promise(peak_mb - before_mb <= window_mb + _AIR_MB, "the collector's memory grew beyond its window")
    return outcome


def _stop(scene: Scene) -> None:
    own = scene.stage.own_server
    if own is not None:
        own.stop()
    else:
        scene.database_link.refuse()
        scene.database_link.reset()


def _start(scene: Scene) -> None:
    own = scene.stage.own_server
    if own is not None:
        own.start()
    else:
        scene.database_link.admit()


def _attempts(collector: CollectorProcess) -> int:
    """Return how often the collector has tried in vain."""
    return len(collector.events("batch_waits_for_database"))


def play_killed(scene: Scene) -> Outcome:
    """Kill the server, one of its backends, or end a session, with a transaction open; then right after commits."""
    scene.introduce()
    rounds = scene.scaled(short=1, full=4)
    with scene.publisher(through_proxy=False) as publisher, scene.collector() as collector:
        for way in _ways(scene) * rounds:
            _strike_in_transaction(scene, publisher, way)
            collector.require_running()
        if scene.stage.own_server is not None:
            for _ in range(2 * rounds):
                _kill_after_acknowledgements(scene, publisher, scene.stage.own_server)
            publisher.settle()
        return scene.finish(collector, since_s=time.monotonic())


type _Way = tuple[str, Callable[[int], None]]
"""How a transaction is ended: its name in the evidence, and what is done to its backend."""


def _ways(scene: Scene) -> list[_Way]:
    """Return the ways there are: a given server is not ours to kill."""
    own = scene.stage.own_server
    if own is None:
        return [("session_terminated", scene.observer.terminate)]

    def kill_server(_pid: int) -> None:
        own.kill()
        own.start()

    return [
        ("session_terminated", scene.observer.terminate),
        ("backend_killed", lambda pid: os.kill(pid, signal.SIGKILL)),
        ("server_killed", kill_server),
    ]


def _strike_in_transaction(scene: Scene, publisher: Publisher, way: _Way) -> None:
    name, strike = way
    with scene.observer.brake_in_transaction() as brake:
        publisher.publish(scene.traffic.publications(_SLICE))
        publisher.settle()
        ((pid, transaction),) = scene.observer.stuck()
        scene.require(scene.held_by_collectors > 0, "the collector held nothing when its transaction ended")
        strike(pid)
        if name == "backend_killed":
            # The server notices a moment later, and then ends every session to start anew.
            scene.wait_for(lambda: brake.lost, "the server's own restart")
    scene.wait_for(scene.observer.answers, "the database's return")
    # A server that was killed forgets the number of what it had not written, and gives it to another.
    if name == "session_terminated":
        scene.require(scene.observer.aborted(transaction), "the transaction was not rolled back")
    _count(scene, name)


def _kill_after_acknowledgements(scene: Scene, publisher: Publisher, server: OwnServer) -> None:
    """Kill the server as soon as the broker was told of a commit: what was acknowledged must be on the disk."""
    before = scene.acknowledged_by_collectors
    publisher.publish(scene.traffic.publications(_SLICE))
    scene.wait_for(lambda: scene.acknowledged_by_collectors > before, "acknowledgements")
    server.kill()
    server.start()
    _count(scene, "server_killed_after_acknowledgements")


def _count(scene: Scene, name: str) -> None:
    scene.evidence[name] = scene.evidence.get(name, 0) + 1
    scene.tell(f"{sum(scene.evidence.values())} ends")


STOPPED = Fault(name="database_stopped", title="Stopping the database for long", play=play_stopped)
KILLED = Fault(name="database_killed", title="Killing the database in mid-transaction", play=play_killed)
