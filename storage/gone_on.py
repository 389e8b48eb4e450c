"""Whether crews have gone on past what a draft of their rounds was made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from storage import vehicle_events
from storage.database import Connection, statement
from storage.errors import ConflictError
from storage.model import ServiceEventKind, StopKind, VehicleEventKind, VehiclePosition

_BEFORE = timedelta(hours=3)
_AHEAD = timedelta(minutes=10)
"""How far ahead a tablet's clock may be."""

type _Visit = tuple[str, str]
"""The kind of a stop, and its place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """Bins that are over and since when, and those that nobody can come to."""

    over: dict[str, datetime]
    barred: set[str]

    def is_open(self, visit: _Visit) -> bool:
        return visit[0] == StopKind.DISPOSAL or not (visit[1] in self.over or visit[1] in self.barred)


@dataclass(kw_only=True, slots=True)
class _Round:
    start_at: datetime
    visits: list[_Visit] = field(default_factory=list)


def refuse_when_gone_on(
    connection: Connection, commune_insee: str, *, draft_id: UUID, based_on: UUID, at: datetime
) -> None:
    """Raise ConflictError when a vehicle on the road heads for another stop than its round in the draft has next.

    A draft is made from where everybody was; who publishes it later would move the next stop of whoever has come to
    what it changes.
    """
    present = _rounds(connection, commune_insee, based_on)
    begun = {vehicle_id: one for vehicle_id, one in present.items() if one.start_at <= at}
    if not begun:
        return
    span = {"since": min(one.start_at for one in begun.values()) - _BEFORE, "until": at + _AHEAD}
    told = _Told(over={}, barred=_unreachable(connection, commune_insee, draft_id))
    for event in vehicle_events.at_bins(connection, commune_insee, **span):
        if event.kind in {ServiceEventKind.EMPTIED, ServiceEventKind.DAMAGED}:
            told.over.setdefault(event.place_id, event.happened_at)
        elif event.kind is ServiceEventKind.BLOCKED:
            told.barred.add(event.place_id)
    kinds = {event.vehicle_id: event.kind for event in vehicle_events.between(connection, commune_insee, **span)}
    said = {position.vehicle_id: position for position in vehicle_events.positions(connection, commune_insee)}
    drafted = _rounds(connection, commune_insee, draft_id)
    for vehicle_id, one in begun.items():
        if kinds.get(vehicle_id) is VehicleEventKind.BROKEN:
            continue
        heading = _heading(one, told, said.get(vehicle_id))
        other = drafted.get(vehicle_id)
        if heading is not None and (other is None or heading not in _following(other, told)):
            raise ConflictError(
                f"the rounds have gone on since the draft was made: {vehicle_id} is heading for {heading[1]} now; "
                "make the draft anew"
            )


def _rounds(connection: Connection, commune_insee: str, plan_id: UUID) -> dict[str, _Round]:
    key = {"commune_insee": commune_insee, "plan_id": plan_id}
    found: dict[str, _Round] = {}
    for vehicle_id, start_at, kind, place_id in connection.execute(statement("plan_versions", "visits"), key):
        found.setdefault(vehicle_id, _Round(start_at=start_at)).visits.append((kind, place_id))
    return found


def _unreachable(connection: Connection, commune_insee: str, plan_id: UUID) -> set[str]:
    """Return the bins to which a plan's closed streets leave no way: nobody can go on heading for them."""
    key = {"commune_insee": commune_insee, "plan_id": plan_id}
    return {row[0] for row in connection.execute(statement("plan_versions", "unreachable"), key)}


def _heading(one: _Round, told: _Told, said: VehiclePosition | None) -> _Visit | None:
    """Return what a driver is heading for: what he said himself, otherwise the first visit after the last one done."""
    since = max((told.over[place] for _, place in one.visits if place in told.over), default=one.start_at)
    if said is not None and said.told_at >= since:
        for visit in one.visits:
            if visit[1] == said.next_place_id and told.is_open(visit):
                return visit
    return next(iter(_following(one, told)), None)


def _following(one: _Round, told: _Told) -> list[_Visit]:
    """Return what comes after the bin that was declared last, up to the next bin: unloadings nobody declares."""
    last = -1
    for number, (_, place_id) in enumerate(one.visits):
        if place_id in told.over and (last < 0 or told.over[place_id] >= told.over[one.visits[last][1]]):
            last = number
    found: list[_Visit] = []
    for visit in (*one.visits[last + 1 :], *one.visits[: last + 1]):
        if told.is_open(visit):
            found.append(visit)
            if visit[0] == StopKind.BIN:
                break
    return found
