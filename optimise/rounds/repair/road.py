"""Rounds under way as they are known: how far each vehicle is, what happened, and what of it was weighed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from optimise.rounds.repair.happenings import Happening, happenings
from optimise.rounds.repair.progress import Progress, progress_of
from storage import alerts, vehicle_events
from storage.database import Connection
from storage.model import Plan, ServiceEvent, ServiceEventKind, VehicleEvent, VehicleEventKind

BEFORE = timedelta(hours=3)
"""How long before the first vehicle leaves what happens concerns a day's rounds."""
AFTER = timedelta(hours=8)
"""How long after the last one is expected home its rounds may still be driven."""
_TOLERANCE = timedelta(minutes=10)
"""How far ahead a tablet's clock may be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Road:
    """A published plan, and what is known of it on the road at `now`.

    `homebound`: vehicles that somebody took off their rounds: each finishes what it is heading for and comes home, or
    stays there.
    """

    plan: Plan
    progress: dict[str, Progress]
    happened: list[Happening]
    weighed: frozenset[str]
    events: Sequence[ServiceEvent]
    vehicle_events: Sequence[VehicleEvent]
    homebound: frozenset[str] = frozenset()
    now: datetime

    @property
    def done(self) -> dict[str, datetime]:
        """The bins that were emptied, and when."""
        found: dict[str, datetime] = {}
        for event in self.events:
            if event.kind is ServiceEventKind.EMPTIED:
                found.setdefault(event.place_id, event.happened_at)
        return found

    @property
    def blocked(self) -> dict[str, datetime]:
        """The bins that nobody can come to, and since when."""
        done = self.done
        found = {event.place_id: event.happened_at for event in self.events if event.kind is ServiceEventKind.BLOCKED}
        return {place_id: at for place_id, at in found.items() if place_id not in done}

    @property
    def urgent(self) -> frozenset[str]:
        """The bins that are full now."""
        return frozenset(one.place_id for one in self.happened if one.urgent and one.place_id is not None)

    @property
    def new(self) -> list[Happening]:
        """What calls for a repair and was not weighed before."""
        return [one for one in self.happened if one.calls and one.name not in self.weighed]

    @property
    def names(self) -> frozenset[str]:
        """The names of everything that a plan made from here has weighed."""
        return self.weighed | {one.name for one in self.happened}

    @property
    def out(self) -> frozenset[str]:
        """The vehicles that broke down, on a round or before theirs, and are not back."""
        last = {event.vehicle_id: event.kind for event in self.vehicle_events}
        return frozenset(vehicle_id for vehicle_id, kind in last.items() if kind is VehicleEventKind.BROKEN)

    @property
    def back(self) -> frozenset[str]:
        """The vehicles that broke down and are in service again."""
        last = {event.vehicle_id: event.kind for event in self.vehicle_events}
        return frozenset(vehicle_id for vehicle_id, kind in last.items() if kind is VehicleEventKind.BACK)


def road_of(connection: Connection, plan: Plan, *, now: datetime, late_s: float) -> Road:
    """Read what is known of a plan's rounds at `now`; a crew calls for a repair that is later than `late_s`."""
    commune_insee = plan.commune_insee
    span = {"since": begins_at(plan) - BEFORE, "until": now + _TOLERANCE}
    events = vehicle_events.at_bins(connection, commune_insee, **span)
    of_vehicles = vehicle_events.between(connection, commune_insee, **span)
    progress = progress_of(
        plan,
        events=events,
        vehicle_events=of_vehicles,
        positions=vehicle_events.positions(connection, commune_insee),
        now=now,
    )
    opened = [alert for alert in alerts.open_now(connection, commune_insee) if alert.opened_at >= span["since"]]
    found = happenings(
        progress,
        plan_name=str(plan.plan_id),
        events=events,
        vehicle_events=of_vehicles,
        alerts=opened,
        now=now,
        late_s=late_s,
    )
    return Road(
        plan=plan,
        progress=progress,
        happened=found,
        weighed=vehicle_events.weighed(connection, commune_insee, plan.plan_id),
        events=events,
        vehicle_events=of_vehicles,
        homebound=frozenset(plan.inputs.get("homebound", ())),
        now=now,
    )


def begins_at(plan: Plan) -> datetime:
    """Return when the first vehicle of a plan that has rounds leaves."""
    return min(route.start_at for route in plan.routes)


def ends_at(plan: Plan) -> datetime:
    """Return when the last vehicle of a plan that has rounds is expected home."""
    return max(route.end_at for route in plan.routes)
