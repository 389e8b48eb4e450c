"""Edits of rounds under way: what lies behind and everybody's next stop are no longer anybody's to change. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from optimise.rounds.editing.edits import Add, Drop, Edit, Lock, Move
from optimise.rounds.editing.wanted import Visit, Wanted
from optimise.rounds.repair.progress import Progress
from storage.errors import InputError
from storage.model import StopKind


def ahead_of(
    asked_for: Wanted,
    edits: Sequence[Edit],
    *,
    progress: Mapping[str, Progress],
    done: Mapping[str, datetime],
    blocked: Mapping[str, datetime],
) -> Wanted:
    """Return of what `edits` make of a plan what is still ahead of its vehicles.

    `done` and `blocked`: bins and since when. Raises InputError naming the edit of a bin that is done, damaged or
    blocked, of a vehicle's next stop, or to a position that is behind a vehicle.
    """
    # What is behind and was not emptied its crew found damaged.
    damaged = {
        str(stop.place_id): vehicle_id
        for vehicle_id, one in progress.items()
        for stop in one.behind
        if stop.kind is StopKind.BIN and stop.place_id not in done
    }
    heading = {
        str(one.next_stop.place_id): vehicle_id
        for vehicle_id, one in progress.items()
        if one.next_stop is not None and one.next_stop.kind is StopKind.BIN
    }
    for number, edit in enumerate(edits, start=1):
        if isinstance(edit, Lock | Move | Add | Drop):
            who = f"edit {number} ({edit.kind})"
            _require_open(edit, who, done=done, damaged=damaged, blocked=blocked)
            if isinstance(edit, Move | Drop) and edit.place_id in heading:
                raise InputError(f"{who}: {heading[edit.place_id]} is heading for {edit.place_id}: it stays next")
            if isinstance(edit, Move | Add) and edit.position is not None:
                _require_position_ahead(edit, who, asked_for, settled={*done, *damaged, *heading})
    gone = {*done, *damaged, *blocked}
    return replace(
        asked_for,
        rounds={
            vehicle_id: _ahead(visits, progress.get(vehicle_id), gone)
            for vehicle_id, visits in asked_for.rounds.items()
        },
    )


def _require_open(
    edit: Lock | Move | Add | Drop,
    who: str,
    *,
    done: Mapping[str, datetime],
    damaged: Mapping[str, str],
    blocked: Mapping[str, datetime],
) -> None:
    if edit.place_id in done:
        raise InputError(f"{who}: {edit.place_id} was emptied at {done[edit.place_id]:%H:%M} UTC")
    if edit.place_id in damaged:
        raise InputError(f"{who}: {damaged[edit.place_id]} declared {edit.place_id} damaged; take that back first")
    if edit.place_id in blocked and not isinstance(edit, Drop):
        since = blocked[edit.place_id]
        raise InputError(f"{who}: {edit.place_id} was declared blocked at {since:%H:%M} UTC; take that back first")


def _require_position_ahead(edit: Move | Add, who: str, asked_for: Wanted, *, settled: set[str]) -> None:
    order = [place_id for kind, place_id in asked_for.rounds.get(str(edit.vehicle_id), ()) if kind is StopKind.BIN]
    others = [place_id for place_id in order if place_id != edit.place_id]
    first = 1 + max((turn for turn, place_id in enumerate(others, start=1) if place_id in settled), default=0)
    if edit.position is not None and edit.position < first:
        raise InputError(
            f"{who}: expected position >= {first}, got {edit.position}: "
            f"{edit.vehicle_id} has done what comes before, or is heading for it"
        )


def _ahead(visits: Sequence[Visit], one: Progress | None, gone: set[str]) -> list[Visit]:
    """Return the visits that are left to do: bins that are not gone, and the sites that are not behind."""
    behind = 0 if one is None else sum(stop.kind is StopKind.DISPOSAL for stop in one.behind)
    left = []
    for kind, place_id in visits:
        if kind is StopKind.DISPOSAL and behind:
            behind -= 1
        elif kind is StopKind.DISPOSAL or place_id not in gone:
            left.append((kind, place_id))
    return left
