"""Plays the rows in turn, each whatever became of the one before."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

import psycopg

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
from cli.fault_matrix.scene import Outcome
from cli.fault_matrix.stage import Stage
from storage.errors import InputError, VoirieError

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
    outcome, told, evidence = None, "", {}
    try:
        with fault.setting(stage, fault.name) as scene:
            evidence = scene.evidence
            try:
                outcome = fault.play(scene)
            except Exception as error:
                # A fault that went wrong has its counts all the same, if the database can still be asked.
                with contextlib.suppress(VoirieError, psycopg.Error):
                    outcome = Outcome(verdict=scene.judge(), recovered_s=None)
                raise error from None
            told = "; ".join(scene.broken)
    except SkippedError as error:
        return FaultRow(fault=fault.name, skipped=str(error))
    except Exception as error:  # noqa: BLE001 - told as the row's error; the next row is played all the same
        told = f"{type(error).__name__}: {error}"
    return FaultRow(
        fault=fault.name,
        verdict=outcome.verdict if outcome else None,
        recovered_s=outcome.recovered_s if outcome else None,
        seconds=round(time.monotonic() - began_s, 1),
        evidence=evidence,
        error=told or None,
    )
