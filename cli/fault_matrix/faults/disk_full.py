"""The database's disk is full: nothing can be committed, so nothing is acknowledged, until there is room again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from cli.fault_matrix.collectors import CollectorProcess
from cli.fault_matrix.databases import town_databases
from cli.fault_matrix.errors import SkippedError
from cli.fault_matrix.fault import Fault
from cli.fault_matrix.scene import Outcome, Scene, open_scene
from cli.fault_matrix.servers import OwnServer, own_server
from cli.fault_matrix.stage import Stage
from storage.errors import UnavailableError

_DISK_MB = 256
_SLICE = 200
_MOST = 20_000
_FULL = "No space left on device"


@contextmanager
def on_a_small_disk(stage: Stage, fault: str) -> Iterator[Scene]:
    """Play on a server whose disk the matrix can fill, also when another database is given: nobody's disk is filled."""
    try:
        starting = own_server(stage.installation, syncing=not stage.options.short, disk_mb=_DISK_MB)
        server = starting.__enter__()
    except UnavailableError as error:
        raise SkippedError(str(error)) from error
    try:
        with town_databases(server, stage.town) as databases, open_scene(
            stage, fault, server=server, databases=databases
        ) as scene:  # fmt: skip
            yield scene
    finally:
        starting.__exit__(None, None, None)


def play(scene: Scene) -> Outcome:
    """Fill the disk to the last page while messages come, let the collector try in vain, and give the room back."""
    server = scene.server
    assert isinstance(server, OwnServer)
    assert server.disk is not None
    scene.introduce()
    with scene.publisher() as publisher, scene.collector() as collector:
        publisher.publish(scene.traffic.publications(_SLICE))
        scene.wait_for_messages(_SLICE)
        ballast, sent = server.disk.fill(), _SLICE
        # Some rows still fit into pages that are there, and their commits are good.
        while not _refusals(collector) and sent < _MOST:
            publisher.publish(scene.traffic.publications(_SLICE, padding=2000))
            publisher.settle()
            sent += _SLICE
            ballast += server.disk.fill()
        scene.wait_for(lambda: _refusals(collector) >= 1, "a refusal for want of room")
        acknowledged, attempts = scene.acknowledged_by_collectors, _attempts(collector)
        publisher.publish(scene.traffic.publications(_SLICE, padding=2000))
        publisher.settle()
        scene.wait_for(lambda: _attempts(collector) >= attempts + scene.scaled(short=3, full=10), "more attempts")
        scene.evidence |= {
            "disk": f"a tmpfs of {_DISK_MB} MB that holds the whole server, its write-ahead log included",
            "server": server.label,
            "filled_mb": round(ballast / 2**20),
            "refused_for_want_of_room": _refusals(collector),
            "attempts": _attempts(collector),
            "acknowledged_meanwhile": scene.acknowledged_by_collectors - acknowledged,
            "server_survived": server.running,
        }
        server.disk.free()
        if not server.running:
            # It gives up when not even its log can be written; whoever runs it starts it again.
            server.start()
        outcome = scene.finish(collector, since_s=time.monotonic())
    scene.promise(scene.evidence["acknowledged_meanwhile"] == 0, "messages were acknowledged on a full disk")
    return outcome


def _attempts(collector: CollectorProcess) -> int:
    return len(collector.events("batch_waits_for_database"))


def _refusals(collector: CollectorProcess) -> int:
    return sum(_FULL in str(event.get("error")) for event in collector.events("batch_waits_for_database"))


FAULT = Fault(name="disk_full", title="Filling the database's disk", play=play, setting=on_a_small_disk)
