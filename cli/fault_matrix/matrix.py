"""Plays the rows in turn, each whatever became of the one before."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from cli.fault_matrix.errors import SkippedError
from cli.fault_matrix.fault import Fault
from cli.fault_matrix.faults import (
    broker_restarted,
    clocks,
    collector_killed,
    database_away,
    disk_full,
    hostile,
    network_cut,
    repeats,
    shared_subscription,
)
from cli.fault_matrix.result import FaultRow
from cli.fault_matrix.scene import Scene
from cli.fault_matrix.stage import Stage
from storage.errors import InputError

FAULTS: tuple[Fault, ...] = (
    collector_killed.FAULT,
    database_away.STOPPED,
    database_away.KILLED,
    broker_restarted.FAULT,
    network_cut.PUBLISHER_BROKER,
    network_cut.BROKER_COLLECTOR,
    network_cut.COLLECTOR_DATABASE,
    shared_subscription.FAULT,
    repeats.STORM,
    repeats.SHUFFLED,
    clocks.FAULT,
    hostile.FAULT,
    disk_full.FAULT,
)


def chosen(only: Sequence[str]) -> list[Fault]:
    """Return the faults of these names, all of them for none; InputError for a name that there is not."""
    known = {fault.name: fault for fault in FAULTS}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise InputError(f"--only: there is no fault {unknown[0]!r}; there are {', '.join(known)}")
    return [fault for fault in FAULTS if not only or fault.name in only]


def play(stage: Stage, faults: Sequence[Fault]) -> Iterator[FaultRow]:
    """Play each fault; one that fails ends as a row with an error, and the next is played all the same."""
    for fault in faults:
        stage.screen.step(fault.title)
        row = _play_one(stage, fault)
        yield row
        own = stage.own_server
        if own is not None and not own.running:
            own.start()


def _play_one(stage: Stage, fault: Fault) -> FaultRow:
    began_s = time.monotonic()
    scene: Scene | None = None
    try:
        with fault.setting(stage, fault.name) as scene:
            outcome = fault.play(scene)
    except SkippedError as error:
        return FaultRow(fault=fault.name, skipped=str(error))
    except Exception as error:  # noqa: BLE001 - told as the row's error; the next row is played all the same
        return FaultRow(
            fault=fault.name,
            seconds=round(time.monotonic() - began_s, 1),
            evidence={} if scene is None else scene.evidence,
            error=f"{type(error).__name__}: {error}",
        )
    return FaultRow(
        fault=fault.name,
        verdict=outcome.verdict,
        recovered_s=outcome.recovered_s,
        seconds=round(time.monotonic() - began_s, 1),
        evidence=scene.evidence,
    )
