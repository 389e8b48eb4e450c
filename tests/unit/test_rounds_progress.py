"""How far a round is, by what crews declare: nobody declares a break or an unloading, and neither is done twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from optimise.rounds.repair.progress import Progress, progress_of
from storage.model import (
    Plan,
    PlannedRoute,
    PlannedStop,
    ServiceEvent,
    ServiceEventKind,
    StopKind,
    VehiclePosition,
)

SIX = datetime(2026, 3, 10, 6, tzinfo=UTC)
# Kind, place, and minutes after six: arrival and departure. The truck is full at BIN-2, unloads, and its crew rests.
STOPS = [
    ("depot", "DEPOT", 0, 0),
    ("bin", "BIN-1", 5, 6),
    ("bin", "BIN-2", 10, 11),
    ("disposal", "SITE", 20, 35),
    ("break", None, 35, 55),
    ("bin", "BIN-3", 60, 61),
    ("bin", "BIN-4", 65, 66),
    ("depot", "DEPOT", 80, 80),
]


def at(minutes: float) -> datetime:
    return SIX + timedelta(minutes=minutes)


def stop(number: int) -> PlannedStop:
    kind, place_id, arrives, departs = STOPS[number]
    return PlannedStop(
        stop_index=number, kind=StopKind(kind), place_id=place_id, longitude_deg=2.5, latitude_deg=48.8,
        arrive_at=at(arrives), depart_at=at(departs), load_l=100.0 * number if number < 3 else 0.0, distance_m=500.0,
        reason=None,
    )  # fmt: skip


def progress(*, minutes: float, emptied: dict[str, float], heading: tuple[str, float] | None = None) -> Progress:
    """Return how far the round is so many minutes after six; `heading`: what the driver said, and when."""
    route = PlannedRoute(
        route_index=0, vehicle_id="BOM-1", start_at=SIX, end_at=at(80), distance_m=3500.0, duration_s=4800.0,
        stops=tuple(stop(number) for number in range(len(STOPS))), geometry=(),
    )  # fmt: skip
    plan = Plan(
        commune_insee="93051", plan_id=uuid4(), service_date=SIX.date(), made_at=SIX, as_of=SIX, engine="test", seed=1,
        solve_s=1.0, travel_source="test", forecast_run_id=None, distance_m=3500.0, duration_s=4800.0,
        checker={"accepted": True}, inputs={}, routes=(route,), left_out=(),
    )  # fmt: skip
    events = [
        ServiceEvent(
            commune_insee="93051", event_id=uuid4(), place_id=name, kind=ServiceEventKind.EMPTIED, happened_at=at(when)
        )
        for name, when in emptied.items()
    ]
    positions = []
    if heading is not None:
        positions.append(
            VehiclePosition(
                commune_insee="93051", vehicle_id="BOM-1", told_at=at(heading[1]), longitude_deg=2.5,
                latitude_deg=48.8, next_place_id=heading[0],
            )
        )  # fmt: skip
    told = progress_of(plan, events=events, vehicle_events=[], positions=positions, now=at(minutes))
    return told["BOM-1"]


# Minutes, when BIN-2 was emptied, what is next, what is on board, until when the crew rests.
CASES = [
    (15, 11, "SITE", 200.0, None, "on its way to the site"),
    (30, 11, "SITE", 200.0, None, "at the site: its unloading is not over"),
    (40, 11, "BIN-3", 0.0, 55, "unloaded, and in the break that follows"),
    (58, 11, "BIN-3", 0.0, None, "unloaded and rested"),
    (40, 26, "SITE", 200.0, None, "a quarter of an hour late: still at the site"),
    (60, 26, "BIN-3", 0.0, 70, "a quarter of an hour late: in its break"),
]


@pytest.mark.parametrize(("minutes", "second", "following", "load_l", "until", "why"), CASES)
def test_what_nobody_declares_is_done_where_it_is_planned(  # noqa: PLR0917 - the columns of the table
    minutes: float, second: float, following: str, load_l: float, until: float | None, why: str
):
    one = progress(minutes=minutes, emptied={"BIN-1": 6, "BIN-2": second})
    assert one.next_stop is not None, why
    assert (one.next_stop.place_id, one.load_l) == (following, load_l), why
    assert one.resting_until == (None if until is None else at(until)), why
    unloadings = [stop for stop in (*one.behind, *one.ahead) if stop.kind is StopKind.DISPOSAL]
    assert len(unloadings) == 1, why
    assert one.here.place_id == ("BIN-2" if following == "SITE" else "SITE"), why


def test_a_driver_who_says_that_he_is_heading_for_the_site_has_not_been_there():
    one = progress(minutes=40, emptied={"BIN-1": 6, "BIN-2": 11}, heading=("SITE", 38))
    assert one.next_stop is not None
    assert (one.next_stop.place_id, one.load_l) == ("SITE", 200.0)


def test_a_bin_declared_after_the_site_says_that_the_site_and_the_break_are_over():
    one = progress(minutes=45, emptied={"BIN-1": 6, "BIN-2": 11, "BIN-3": 44})
    assert [stop.kind.value for stop in one.behind] == ["depot", "bin", "bin", "disposal", "break", "bin"]
    assert one.next_stop is not None
    assert one.next_stop.place_id == "BIN-4"
