"""How far each vehicle is: what lies behind it, where it is, what its driver is heading for. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from storage.model import (
    Plan,
    PlannedRoute,
    PlannedStop,
    ServiceEvent,
    ServiceEventKind,
    StopKind,
    VehicleEvent,
    VehicleEventKind,
    VehiclePosition,
)

_DONE = frozenset({ServiceEventKind.EMPTIED, ServiceEventKind.DAMAGED})
"""Whoever declares one of these stands at the bin and is done with it."""
FAR_AHEAD = 3
"""A bin declared when so many before it are still to do was seen by others, or the crew drives as it likes."""
FRESH = timedelta(minutes=10)
"""A position that is older says nothing of where a vehicle is now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """One vehicle's round at a moment.

    `behind`: the stops that are over, the depot first, as planned; `here`: the bin or site where it was last; `ahead`:
    the others, the way home last; bins that nobody can come to are in neither. `next_stop`: the one of `ahead` that the
    driver is heading for, None before the round has begun and when only the way home is left. `left_at`: when `here`
    was left, after a break that began there. `resting_until`: when the break that it is in ends. `position`: where it
    is, when that is known better than from the last stop. `broken_at`: since when it is out of service.
    """

    route: PlannedRoute
    behind: tuple[PlannedStop, ...]
    here: PlannedStop
    ahead: tuple[PlannedStop, ...]
    next_stop: PlannedStop | None
    left_at: datetime
    resting_until: datetime | None
    position: VehiclePosition | None
    broken_at: datetime | None

    @property
    def begun(self) -> bool:
        """Whether it has left its depot."""
        return len(self.behind) > 1 or self.next_stop is not None or self.here is not self.behind[0]

    @property
    def over(self) -> bool:
        """Whether no bin and no unloading is left to do."""
        return all(stop.kind is StopKind.DEPOT or stop.kind is StopKind.BREAK for stop in self.ahead)

    @property
    def bins_ahead(self) -> tuple[str, ...]:
        """The bins that are left to do, in order."""
        return tuple(str(stop.place_id) for stop in self.ahead if stop.kind is StopKind.BIN)

    @property
    def load_l(self) -> float:
        """What is on board, as far as the plan says."""
        return self.behind[-1].load_l

    @property
    def load_kg(self) -> float:
        """What is on board, as far as the plan says."""
        return self.behind[-1].load_kg

    def late_s(self, now: datetime) -> float:
        """Return by how much the next stop will be later than planned, at least; 0 when it is not late."""
        if self.next_stop is None:
            return 0.0
        return max(0.0, (now - self.next_stop.arrive_at).total_seconds())


def progress_of(
    plan: Plan,
    *,
    events: Sequence[ServiceEvent],
    vehicle_events: Sequence[VehicleEvent],
    positions: Sequence[VehiclePosition],
    now: datetime,
) -> dict[str, Progress]:
    """Return how far each vehicle of a plan is. Events are of this day, by time; what comes twice changes nothing."""
    done: dict[str, ServiceEvent] = {}
    blocked: dict[str, ServiceEvent] = {}
    for event in events:
        if event.kind in _DONE:
            done.setdefault(event.place_id, event)
        elif event.kind is ServiceEventKind.BLOCKED:
            blocked.setdefault(event.place_id, event)
    broken: dict[str, datetime | None] = {}
    for told in vehicle_events:
        broken[told.vehicle_id] = told.happened_at if told.kind is VehicleEventKind.BROKEN else None
    places = {position.vehicle_id: position for position in positions}
    return {
        route.vehicle_id: _progress(
            route, done, blocked, position=places.get(route.vehicle_id), broken_at=broken.get(route.vehicle_id), now=now
        )
        for route in plan.routes
    }


def _progress(
    route: PlannedRoute,
    done: Mapping[str, ServiceEvent],
    blocked: Mapping[str, ServiceEvent],
    *,
    position: VehiclePosition | None,
    broken_at: datetime | None,
    now: datetime,
) -> Progress:
    declared = [stop for stop in route.stops if stop.kind is StopKind.BIN and stop.place_id in done]
    farthest = max((stop.stop_index for stop in declared), default=0)
    barred = [stop for stop in route.stops if stop.place_id in blocked and stop.place_id not in done]
    to_do = [stop for stop in route.stops if stop not in declared and stop not in barred]
    tried = [stop for stop in barred if _before(stop, to_do) < FAR_AHEAD]
    passed = max((stop.stop_index for stop in [*declared, *tried]), default=0)
    silent = _undeclared_since(route, passed, {**blocked, **done}, position=position, now=now)
    rest = next((stop for stop in silent if stop.kind is StopKind.BREAK and stop.depart_at > now), None)
    past = {stop.stop_index: stop for stop in silent if stop is not rest}
    # A site is behind once a bin after it is, a break once a bin after it was tried; both when they must be over now.
    behind = [
        stop
        for stop in route.stops[1:]
        if (stop in declared)
        or (stop.kind is StopKind.DISPOSAL and stop.stop_index < farthest)
        or (stop.kind is StopKind.BREAK and stop.stop_index < passed)
        or (stop.stop_index in past)
    ]
    ahead = tuple(stop for stop in route.stops[1:] if stop not in behind and stop not in barred)
    over = (route.stops[0], *(past.get(stop.stop_index) or _as_it_was(stop, done) for stop in behind))
    seen = [stop for stop in over if stop.kind is StopKind.BIN]
    seen += [_as_it_was(stop, blocked) for stop in tried]
    begun = bool(behind) or bool(seen) or now >= route.start_at
    here = max(seen, key=lambda stop: stop.depart_at, default=over[0])
    told_since = left_at = here.depart_at if seen else route.start_at
    for stop in past.values():
        if stop.kind is StopKind.DISPOSAL:
            here, left_at = stop, stop.depart_at
    fresh = _fresh(position, now=now, left_at=left_at) if begun else None
    heading = _next(ahead, here.stop_index, position, told_since) if begun and broken_at is None else None
    left_at = max([left_at, *(stop.depart_at for stop in past.values())])
    return Progress(
        route=route,
        behind=over,
        here=here,
        ahead=ahead,
        next_stop=heading,
        left_at=min(left_at, now) if begun else left_at,
        resting_until=None if rest is None else rest.depart_at,
        position=fresh,
        broken_at=broken_at,
    )


def _undeclared_since(
    route: PlannedRoute,
    passed: int,
    told: Mapping[str, ServiceEvent],
    *,
    position: VehiclePosition | None,
    now: datetime,
) -> list[PlannedStop]:
    """Return what follows the stop `passed` that nobody declares and that has begun, at the times that this makes it.

    Nobody declares a break, nor an unloading. A crew takes them where they are planned, so long after the bin before
    them as planned. Only a break may last still: an unloading that is not over yet is ahead.
    """
    found: list[PlannedStop] = []
    later = _as_it_was(route.stops[passed], told).depart_at - route.stops[passed].depart_at
    for stop in route.stops[passed + 1 :]:
        if stop.place_id in told:
            continue
        if stop.kind not in {StopKind.BREAK, StopKind.DISPOSAL}:
            return found
        moved = replace(stop, arrive_at=stop.arrive_at + later, depart_at=stop.depart_at + later)
        if moved.arrive_at > now:
            return found
        if stop.kind is StopKind.DISPOSAL and (moved.depart_at > now or _still_heads_for(stop, position, now=now)):
            return found
        found.append(moved)
    return found


def _still_heads_for(stop: PlannedStop, position: VehiclePosition | None, *, now: datetime) -> bool:
    """Whether the driver said a short while ago that he is heading for a stop."""
    return position is not None and now - position.told_at <= FRESH and position.next_place_id == stop.place_id


def _before(stop: PlannedStop, ahead: Sequence[PlannedStop]) -> int:
    """Return how many bins before a stop are still to do."""
    return sum(other.kind is StopKind.BIN and other.stop_index < stop.stop_index for other in ahead)


def _fresh(position: VehiclePosition | None, *, now: datetime, left_at: datetime) -> VehiclePosition | None:
    if position is None or now - position.told_at > FRESH or position.told_at < left_at:
        return None
    return position


def _as_it_was(stop: PlannedStop, done: Mapping[str, ServiceEvent]) -> PlannedStop:
    """Return a stop that is over, at the time that was declared."""
    event = done.get(str(stop.place_id)) if stop.kind is StopKind.BIN else None
    if event is None:
        return stop
    stay = stop.depart_at - stop.arrive_at
    return replace(stop, arrive_at=event.happened_at - stay, depart_at=event.happened_at)


def _next(
    ahead: Sequence[PlannedStop], last: int, position: VehiclePosition | None, left_at: datetime
) -> PlannedStop | None:
    """Return what the driver is heading for: what he said himself, otherwise the first thing to do after the last."""
    to_do = [stop for stop in ahead if stop.kind in {StopKind.BIN, StopKind.DISPOSAL}]
    if position is not None and position.told_at >= left_at:
        for stop in to_do:
            if stop.place_id == position.next_place_id:
                return stop
    after = [stop for stop in to_do if stop.stop_index > last]
    return next(iter(after or to_do), None)
