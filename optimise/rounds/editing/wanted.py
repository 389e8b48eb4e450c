"""From a plan and its edits to the rounds that are asked for: orders by vehicle, and what may not change in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from optimise.rounds.editing.edits import Add, Drop, Edit, Hold, Lock, Move, Without
from storage.errors import InputError
from storage.model import Plan, StopKind

type Visit = tuple[StopKind, str]
"""A bin or a disposal site by its id."""


@dataclass(kw_only=True, slots=True)
class Wanted:
    """The rounds as asked for, by ids. `rounds`: the visits of each vehicle; `round_of`: bins that stay on a vehicle.

    `pinned`: bins that stay in their place, `first`: those that begin their round; `served`, `left`: bins imposed and
    bins to be left; `touched`: bins that some edit names. Vehicles in `without` have no round.
    """

    rounds: dict[str, list[Visit]]
    round_of: dict[str, str] = field(default_factory=dict)
    pinned: set[str] = field(default_factory=set)
    first: dict[str, str] = field(default_factory=dict)
    served: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    without: set[str] = field(default_factory=set)
    touched: list[str] = field(default_factory=list)


def rounds_of(plan: Plan) -> dict[str, list[Visit]]:
    """Return the visits of a plan's rounds by vehicle, without depots and breaks."""
    return {
        route.vehicle_id: [
            (stop.kind, stop.place_id)
            for stop in route.stops
            if stop.place_id is not None and stop.kind in {StopKind.BIN, StopKind.DISPOSAL}
        ]
        for route in plan.routes
    }


def wanted(plan: Plan, edits: Sequence[Edit], *, vehicles: Sequence[str], bins: frozenset[str]) -> Wanted:
    """Return what `edits`, in their order, make of a plan. Raises InputError naming the edit that makes no sense."""
    asked = Wanted(rounds=rounds_of(plan))
    for number, edit in enumerate(edits, start=1):
        who = f"edit {number} ({edit.kind})"
        _require_known(edit, who, vehicles=vehicles, bins=bins)
        _apply(asked, edit, who)
    return asked


def _require_known(edit: Edit, who: str, *, vehicles: Sequence[str], bins: frozenset[str]) -> None:
    vehicle_id = getattr(edit, "vehicle_id", None)
    if vehicle_id is not None and vehicle_id not in vehicles:
        raise InputError(f"{who}: there is no vehicle {vehicle_id!r}")
    place_id = getattr(edit, "place_id", None)
    if place_id is not None and place_id not in bins:
        raise InputError(f"{who}: there is no bin {place_id!r}")


def _apply(asked: Wanted, edit: Edit, who: str) -> None:
    if isinstance(edit, Without):
        asked.without.add(edit.vehicle_id)
        for _, place_id in asked.rounds.pop(edit.vehicle_id, []):
            asked.touched.append(place_id)
            if place_id in asked.round_of and asked.round_of[place_id] == edit.vehicle_id:
                raise InputError(f"{who}: {place_id} is to be served by {edit.vehicle_id} by an edit before")
        return
    if isinstance(edit, Lock | Move | Add | Drop):
        asked.touched.append(edit.place_id)
        here = _round_with(asked, edit.place_id)
        _BY_KIND[edit.kind](asked, edit, here, who)  # type: ignore[operator] # one function for each kind


def _lock(asked: Wanted, edit: Lock, here: str | None, who: str) -> None:
    if here is None:
        raise InputError(f"{who}: {edit.place_id} is in no round; add it first")
    asked.round_of[edit.place_id] = here
    if edit.hold is Hold.IN_PLACE:
        asked.pinned.add(edit.place_id)
    elif edit.hold is Hold.FIRST:
        _begin_with(asked, edit.place_id, here, who)


def _begin_with(asked: Wanted, place_id: str, vehicle_id: str, who: str) -> None:
    before = asked.first.get(vehicle_id)
    if before is not None and before != place_id:
        raise InputError(f"{who}: the round of {vehicle_id} begins with {before} by an edit before")
    asked.first[vehicle_id] = place_id
    visits = asked.rounds[vehicle_id]
    visits.remove((StopKind.BIN, place_id))
    visits.insert(0, (StopKind.BIN, place_id))


def _move(asked: Wanted, edit: Move, here: str | None, who: str) -> None:
    if here is None:
        raise InputError(f"{who}: {edit.place_id} is in no round; add it instead")
    if edit.vehicle_id in asked.without:
        raise InputError(f"{who}: {edit.vehicle_id} stays at the depot by an edit before")
    asked.rounds[here].remove((StopKind.BIN, edit.place_id))
    asked.pinned.discard(edit.place_id)
    if asked.first.get(here) == edit.place_id:
        del asked.first[here]
    _put(asked, edit.place_id, edit.vehicle_id, edit.position, who)


def _add(asked: Wanted, edit: Add, here: str | None, who: str) -> None:
    asked.left.discard(edit.place_id)
    asked.served.add(edit.place_id)
    if here is not None:
        if edit.vehicle_id is not None:
            raise InputError(f"{who}: {edit.place_id} is in the round of {here} already; move it instead")
        return
    if edit.vehicle_id is not None:
        if edit.vehicle_id in asked.without:
            raise InputError(f"{who}: {edit.vehicle_id} stays at the depot by an edit before")
        _put(asked, edit.place_id, edit.vehicle_id, edit.position, who)


def _put(asked: Wanted, place_id: str, vehicle_id: str, position: int | None, who: str) -> None:
    asked.round_of[place_id] = vehicle_id
    if position is None:
        return
    visits = asked.rounds.setdefault(vehicle_id, [])
    places = [at for at, (kind, _) in enumerate(visits) if kind is StopKind.BIN]
    if position > len(places) + 1:
        raise InputError(f"{who}: expected position in 1..{len(places) + 1}, got {position}")
    if position == 1 and asked.first.get(vehicle_id) not in {None, place_id}:
        raise InputError(f"{who}: the round of {vehicle_id} begins with {asked.first[vehicle_id]} by an edit before")
    at = places[position - 1] if position <= len(places) else (places[-1] + 1 if places else 0)
    visits.insert(at, (StopKind.BIN, place_id))
    asked.pinned.add(place_id)


def _drop(asked: Wanted, edit: Drop, here: str | None, who: str) -> None:
    if edit.place_id in asked.served or edit.place_id in asked.round_of:
        raise InputError(f"{who}: {edit.place_id} is to be served by an edit before")
    if here is not None:
        asked.rounds[here].remove((StopKind.BIN, edit.place_id))
    asked.left.add(edit.place_id)


_BY_KIND = {Lock.kind: _lock, Move.kind: _move, Add.kind: _add, Drop.kind: _drop}


def _round_with(asked: Wanted, place_id: str) -> str | None:
    for vehicle_id, visits in asked.rounds.items():
        if (StopKind.BIN, place_id) in visits:
            return vehicle_id
    return None
