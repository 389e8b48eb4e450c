"""What happened on the rounds that calls for a repair. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from optimise.rounds.repair.progress import FAR_AHEAD, Progress
from storage.model import Alert, AlertKind, ServiceEvent, ServiceEventKind, VehicleEvent, VehicleEventKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """One thing that happened. `name` is the same whenever it is told again; `urgent`: the bin is full now."""

    name: str
    kind: str
    at: datetime
    place_id: str | None = None
    vehicle_id: str | None = None
    calls: bool = True
    urgent: bool = False

    def as_json(self) -> dict[str, str]:
        """Return it as the plan keeps it."""
        told = {"kind": self.kind, "at": self.at.isoformat(), "place_id": self.place_id, "vehicle_id": self.vehicle_id}
        return {name: value for name, value in told.items() if value is not None}


def happenings(
    progress: Mapping[str, Progress],
    *,
    plan_name: str,
    events: Sequence[ServiceEvent],
    vehicle_events: Sequence[VehicleEvent],
    alerts: Iterable[Alert],
    now: datetime,
    late_s: float,
) -> list[Happening]:
    """Return what happened, whether or not it calls for a repair (`calls`).

    A bin emptied in its turn does not; nor does an overflowing bin that is on its way to be emptied. A crew calls that
    is later than `late_s`.
    """
    done = {event.place_id for event in events if event.kind is ServiceEventKind.EMPTIED}
    planned = {str(stop.place_id) for one in progress.values() for stop in one.route.stops if stop.place_id is not None}
    ahead = {name for one in progress.values() if one.broken_at is None for name in one.bins_ahead}
    found = [_at_bin(event, progress, done=done, planned=planned, ahead=ahead) for event in events]
    found += [_of_vehicle(event, progress) for event in vehicle_events]
    found += [
        Happening(
            name=f"alert {alert.kind} {alert.place_id} {alert.opened_at.isoformat()}",
            kind="alarm",
            at=alert.opened_at,
            place_id=alert.place_id,
            calls=alert.place_id not in done | ahead,
            urgent=alert.place_id not in done,
        )
        for alert in alerts
        if alert.kind is AlertKind.OVERFLOW and alert.place_id is not None
    ]
    found += [
        Happening(name=f"late {vehicle_id} {plan_name}", kind="late", at=now, vehicle_id=vehicle_id)
        for vehicle_id, one in progress.items()
        if one.broken_at is None and one.late_s(now) > late_s
    ]
    return found


def _at_bin(
    event: ServiceEvent, progress: Mapping[str, Progress], *, done: set[str], planned: set[str], ahead: set[str]
) -> Happening:
    place_id, calls, urgent = event.place_id, False, False
    if event.kind is ServiceEventKind.BLOCKED:
        calls = place_id in planned and place_id not in done
    elif event.kind is ServiceEventKind.OVERFLOWING:
        urgent = place_id not in done
        calls = urgent and place_id not in ahead
    elif event.kind is ServiceEventKind.EMPTIED:
        calls = _skipped_before(place_id, progress) >= FAR_AHEAD
    return Happening(
        name=str(event.event_id),
        kind=event.kind.value,
        at=event.happened_at,
        place_id=place_id,
        calls=calls,
        urgent=urgent,
    )


def _skipped_before(place_id: str, progress: Mapping[str, Progress]) -> int:
    """Return how many bins that a round has before this one are still to do."""
    for one in progress.values():
        for stop in one.route.stops:
            if stop.place_id == place_id:
                to_do = set(one.bins_ahead)
                return sum(before.place_id in to_do for before in one.route.stops[: stop.stop_index])
    return 0


def _of_vehicle(event: VehicleEvent, progress: Mapping[str, Progress]) -> Happening:
    one = progress.get(event.vehicle_id)
    back = event.kind is VehicleEventKind.BACK
    return Happening(
        name=str(event.event_id),
        kind=event.kind.value,
        at=event.happened_at,
        vehicle_id=event.vehicle_id,
        calls=back or (one is not None and one.broken_at is not None and not one.over),
    )
