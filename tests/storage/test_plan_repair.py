"""Rounds repaired while they are driven, on a real database and real streets: close to the old ones, harmless twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from optimise.rounds.repair.repairing import RepairOptions, repair_rounds
from storage import alerts, bins, plan_versions, plans, vehicle_events
from storage.database import Connection
from storage.model import (
    Alert,
    AlertKind,
    Plan,
    PlannedRoute,
    PlanOrigin,
    PlanStatus,
    ServiceEvent,
    ServiceEventKind,
    Severity,
    StopKind,
    VehicleEvent,
    VehicleEventKind,
    VehiclePosition,
)
from tests.storage.test_plan_editing import WARM, everything, planner, published, rounds, stand_still
from tests.storage.test_planner import DAY, INSEE


class Road:
    """The rounds of a plan being driven: what crews tell, and the repairs that it calls for."""

    def __init__(self, connection: Connection, plan: Plan, cache: Path) -> None:
        self.connection = connection
        self.plan = plan
        self.vehicle, self.other = rounds(plan)
        self._options = RepairOptions(planner=planner(cache), iterations=60, most_s=None, opener=WARM.open)

    def route(self, vehicle: str | None = None, plan: Plan | None = None) -> PlannedRoute:
        found = [one for one in (plan or self.plan).routes if one.vehicle_id == (vehicle or self.vehicle)]
        return found[0]

    def bins(self, vehicle: str | None = None) -> list[str]:
        return rounds(self.plan)[vehicle or self.vehicle]

    def drive(self, count: int, *, vehicle: str | None = None) -> datetime:
        """Empty the first bins of a round on time; the clock stands at the last one's end."""
        stops = [stop for stop in self.route(vehicle).stops if stop.kind is StopKind.BIN][:count]
        for stop in stops:
            self.tell(str(stop.place_id), ServiceEventKind.EMPTIED, stop.depart_at)
        now = stops[-1].depart_at if stops else self.route(vehicle).start_at
        self.at(now)
        return now

    def at(self, now: datetime) -> None:
        stand_still(self.connection, now)
        self.connection.commit()

    def tell(self, place_id: str, kind: ServiceEventKind, at: datetime, *, event_id: UUID | None = None) -> int:
        event = ServiceEvent(
            commune_insee=INSEE, event_id=event_id or uuid4(), place_id=place_id, kind=kind, happened_at=at
        )
        new = bins.declare(self.connection, [event])
        self.connection.commit()
        return new

    def breaks_down(self, vehicle: str, at: datetime, *, event_id: UUID | None = None) -> int:
        return self._happens(VehicleEventKind.BROKEN, vehicle, at, event_id=event_id)

    def is_back(self, vehicle: str, at: datetime) -> int:
        return self._happens(VehicleEventKind.BACK, vehicle, at)

    def _happens(self, kind: VehicleEventKind, vehicle: str, at: datetime, *, event_id: UUID | None = None) -> int:
        told = VehicleEvent(
            commune_insee=INSEE, event_id=event_id or uuid4(), vehicle_id=vehicle, kind=kind, happened_at=at
        )
        new = vehicle_events.declare(self.connection, [told])
        self.connection.commit()
        return new

    def repair(self) -> Plan | None:
        made = repair_rounds(self.connection, INSEE, options=self._options)
        self.connection.commit()
        if made is not None:
            self.keeps_what_is_promised(made)
        return made

    def keeps_what_is_promised(self, made: Plan) -> None:
        version = plan_versions.one(self.connection, INSEE, made.plan_id)
        assert (version.status, version.origin, version.made_by) == (
            PlanStatus.PUBLISHED,
            PlanOrigin.REPAIRED,
            "voirie",
        )
        assert version.based_on == self.plan.plan_id
        assert version.version is not None
        assert version.version > 1
        assert made.checker["accepted"] is True
        assert everything(made) == everything(self.plan)
        assert all(left.reason.code and left.reason.text for left in made.left_out)
        for route in made.routes:
            assert [stop.stop_index for stop in route.stops] == list(range(len(route.stops)))
            assert route.stops[0].kind is StopKind.DEPOT
            points = [stop.point_index for stop in route.stops if stop.point_index is not None]
            assert all(point < len(route.geometry) for point in points)
        self.plan = plans.one(self.connection, INSEE, made.plan_id)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("repair-streets")


@pytest.fixture
def road(connection: Connection, cache: Path) -> Road:
    return Road(connection, published(connection, cache), cache)


def test_what_goes_as_planned_calls_for_nothing(road: Road):
    assert road.repair() is None
    for count in (1, 3, 5):
        road.drive(count)
        assert road.repair() is None
    assert plan_versions.of_day(road.connection, INSEE, service_date=DAY)[-1].version == 1


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_broken_vehicles_rest_is_shared_and_nobodys_next_stop_moves(road: Road, count: int):
    now = max(road.drive(count), road.route(road.other).start_at + timedelta(minutes=1))
    road.at(now)
    ahead = road.bins()[count:]
    next_of_other, other_before = road.bins(road.other)[0], road.bins(road.other)
    assert road.breaks_down(road.vehicle, now) == 1
    made = road.repair()
    assert made is not None
    after = rounds(made)
    assert after.get(road.vehicle, []) == road_done(road, made, count)
    assert after[road.other][0] == next_of_other
    shared = [name for name in ahead if name in after[road.other]]
    left = {item.place_id for item in made.left_out}
    assert shared
    assert set(ahead) == set(shared) | (set(ahead) & left)
    # Close to what the crew knows: most of its own bins keep their order.
    kept = [name for name in after[road.other] if name in other_before]
    assert sum(a == b for a, b in zip(kept, other_before, strict=False)) >= len(other_before) // 2


def road_done(road: Road, made: Plan, count: int) -> list[str]:
    """Return the bins that the broken vehicle had emptied; its round ends with them."""
    if count == 0:
        return []
    stops = road.route(road.vehicle, made).stops
    assert all(stop.kind is not StopKind.DEPOT for stop in stops[1:])
    return [str(stop.place_id) for stop in stops if stop.kind is StopKind.BIN]


def test_an_overflowing_bin_nearby_is_taken_along_behind_the_next_stop(road: Road):
    now = road.drive(2)
    name = next(left.place_id for left in road.plan.left_out if left.reason.code == "not_worth_it")
    next_stop = road.bins()[2]
    road.tell(name, ServiceEventKind.OVERFLOWING, now)
    made = road.repair()
    assert made is not None
    served = [name for names in rounds(made).values() for name in names]
    assert name in served
    assert rounds(made)[road.vehicle][:3] == [*road_bins_before(road, 2), next_stop]
    difference = plan_versions.one(road.connection, INSEE, made.plan_id).difference
    assert difference is not None
    assert name in [added for route in difference["routes"] for added in route["added"]]
    # The rest is not in the past.
    for route in made.routes:
        assert all(stop.depart_at >= now for stop in route.stops if stop.place_id not in road_done_names(road))


def road_bins_before(road: Road, count: int) -> list[str]:
    return road.bins()[:count]


def road_done_names(road: Road) -> set[str | None]:
    told = vehicle_events.at_bins(
        road.connection, INSEE, since=road.route().start_at - timedelta(hours=3), until=road.route().end_at
    )
    return {event.place_id for event in told} | {"DEPOT-1"}


def test_an_alarm_is_answered_like_a_declaration(road: Road):
    now = road.drive(1)
    name = next(left.place_id for left in road.plan.left_out if left.reason.code == "not_worth_it")
    alarm = Alert(
        kind=AlertKind.OVERFLOW, subject=f"place:{name}", severity=Severity.IMPORTANT, opened_at=now, noticed_at=now,
        message="Déborde.", place_id=name,
    )  # fmt: skip
    alerts.open_once(road.connection, INSEE, [alarm])
    road.connection.commit()
    made = road.repair()
    assert made is not None
    assert name in [name for names in rounds(made).values() for name in names]
    assert road.repair() is None


def test_a_blocked_bin_is_left_with_its_reason_and_the_next_one_stays(road: Road):
    now = road.drive(2)
    name, next_stop = road.bins()[5], road.bins()[2]
    road.tell(name, ServiceEventKind.BLOCKED, now)
    made = road.repair()
    assert made is not None
    assert {left.place_id: left.reason.code for left in made.left_out}[name] == "blocked"
    assert rounds(made)[road.vehicle][2] == next_stop


def test_taps_that_come_twice_or_late_are_harmless(road: Road):
    now = road.drive(3)
    broken = uuid4()
    assert road.breaks_down(road.other, now, event_id=broken) == 1
    made = road.repair()
    assert made is not None
    assert road.breaks_down(road.other, now, event_id=broken) == 0
    assert road.repair() is None
    # A tap of long ago, which the tablet kept: its bin may be on another's round by now.
    late = rounds(road.plan)[road.vehicle][4]
    event_id = uuid4()
    assert road.tell(late, ServiceEventKind.EMPTIED, now, event_id=event_id) == 1
    assert road.tell(late, ServiceEventKind.EMPTIED, now, event_id=event_id) == 0
    assert road.repair() is None
    assert plan_versions.published(road.connection, INSEE, service_date=DAY) == plan_versions.one(
        road.connection, INSEE, made.plan_id
    )


def test_a_crew_behind_its_time_has_a_rest_that_it_can_drive(road: Road):
    road.drive(3)
    # Twenty-five minutes before the shift ends: there is no time for the rest.
    now = road.route().start_at.replace(hour=10, minute=5)
    road.at(now)
    ahead = road.bins()[3:]
    made = road.repair()
    assert made is not None
    assert rounds(made)[road.vehicle][:4] == road_bins_before(road, 4)
    left = {item.place_id: item.reason.code for item in made.left_out}
    assert {left[name] for name in ahead if name in left} == {"shift"}
    for route in made.routes:
        late = [
            stop for stop in route.stops if stop.kind is StopKind.BIN and stop.place_id not in road_done_names(road)
        ]
        assert all(stop.depart_at >= now for stop in late)
        assert route.end_at <= now.replace(hour=10, minute=30)
    assert road.repair() is None


def test_what_the_driver_says_he_is_heading_for_stays_next(road: Road):
    now = road.drive(2)
    heading = road.bins()[4]
    stop = next(stop for stop in road.route().stops if stop.place_id == road.bins()[2])
    assert stop.longitude_deg is not None
    assert stop.latitude_deg is not None
    told = VehiclePosition(
        commune_insee=INSEE, vehicle_id=road.vehicle, told_at=now, longitude_deg=stop.longitude_deg,
        latitude_deg=stop.latitude_deg, next_place_id=heading,
    )  # fmt: skip
    assert vehicle_events.place(road.connection, told)
    road.breaks_down(road.other, now)
    made = road.repair()
    assert made is not None
    assert rounds(made)[road.vehicle][2] == heading


def test_rounds_are_left_alone_when_no_day_is_under_way(road: Road):
    road.breaks_down(road.vehicle, road.route().start_at)
    road.at(road.route().start_at - timedelta(days=1))
    assert road.repair() is None
    road.at(road.route().end_at + timedelta(days=2))
    assert road.repair() is None


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_crew_in_its_break_takes_what_is_left_of_it_and_no_second_one(road: Road, share: float):
    stops = road.route().stops
    pause = next(stop for stop in stops if stop.kind is StopKind.BREAK)
    now = pause.arrive_at + share * (pause.depart_at - pause.arrive_at)
    for stop in (*stops, *road.route(road.other).stops):
        if stop.kind is StopKind.BIN and stop.depart_at <= now:
            road.tell(str(stop.place_id), ServiceEventKind.EMPTIED, stop.depart_at)
    road.at(now)
    barred = road.bins()[-1]
    road.tell(barred, ServiceEventKind.BLOCKED, now)
    before = road.plan
    made = road.repair()
    assert made is not None
    (after,) = [stop for stop in road.route(plan=made).stops if stop.kind is StopKind.BREAK]
    assert after.depart_at <= pause.depart_at + timedelta(seconds=1)
    assert {item.place_id for item in made.left_out} - {item.place_id for item in before.left_out} == {barred}


def test_a_vehicle_that_is_back_in_service_is_sent_out_again(road: Road):
    now = road.drive(2)
    road.breaks_down(road.vehicle, now)
    assert road.repair() is not None
    left = {item.place_id for item in road.plan.left_out}
    later = now + timedelta(minutes=10)
    road.is_back(road.vehicle, later)
    road.at(later)
    made = road.repair()
    assert made is not None
    taken = rounds(made)[road.vehicle]
    assert len(taken) > 2
    assert left & set(taken)
