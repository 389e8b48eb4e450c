"""A day planned from a real database on real streets: what is stored is accepted, complete and says why."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import osmium
import psycopg
import pytest

from optimise.fill.loading import load
from optimise.fill.options import FillOptions
from optimise.rounds.engines import Improvement, Limits
from optimise.rounds.engines.ortools_engine import ORToolsEngine
from optimise.rounds.planner import PlannerEvent, PlannerOptions, plan_day
from optimise.rounds.policy import PolicyOptions
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Solution
from simulators.streets import default_extract
from storage import bins, communes, forecasts, places, plans
from storage.database import Connection
from storage.errors import InputError, PlanRefusedError
from storage.model import (
    Bin,
    Commune,
    DisposalSite,
    FillForecast,
    ForecastRun,
    Manoeuvre,
    Place,
    PlaceKind,
    Plan,
    StopKind,
    Vehicle,
)
from tests.tools import REPOSITORY

INSEE = "93051"
DAY = date(2026, 3, 10)
EVENING = datetime(2026, 3, 9, 19, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
NO_FORECAST, IN_THE_SEA = "COR-9001", "COR-9002"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planner-streets")


def options(cache: Path, *, extract: Path | None = None) -> PlannerOptions:
    return PlannerOptions(
        extract=extract,
        cache_dir=cache,
        profile=REPOSITORY / "config" / "streets" / "collection_vehicle.lua",
        solve_s=None,
        iterations=60,
        # A full bin is worth some ten euros here, so that few iterations suffice.
        policy=PolicyOptions(overflow_eur=12),
    )


def street_points(extract: Path, count: int) -> list[tuple[float, float]]:
    found = []
    for way in osmium.FileProcessor(str(extract)).with_locations():
        if way.is_way() and way.tags.get("highway") in {"residential", "tertiary", "secondary"}:
            nodes = [node for node in way.nodes if node.location.valid()]
            found += [((a.lon + b.lon) / 2, (a.lat + b.lat) / 2) for a, b in pairwise(nodes)]
    random.Random(1).shuffle(found)
    assert len(found) >= count
    return found[:count]


def provision(connection: Connection, points: list[tuple[float, float]], *, vehicles: int = 2) -> None:
    """The first point is the depot, the second the disposal site, the others are bins; one more lies in the sea."""
    (depot, site, *others) = points
    communes.save(connection, Commune(commune_insee=INSEE, name="Ville d'essai"))
    places.save_places(
        connection,
        [
            Place(
                commune_insee=INSEE, place_id="DEPOT-1", kind=PlaceKind.DEPOT,
                longitude_deg=depot[0], latitude_deg=depot[1],
            )
        ],
    )  # fmt: skip
    places.save_disposal_sites(
        connection,
        [
            DisposalSite(
                commune_insee=INSEE, place_id="EXUTOIRE-1", longitude_deg=site[0], latitude_deg=site[1],
                street=None, unload_s=600,
            )
        ],
    )  # fmt: skip
    places.save_vehicles(
        connection,
        [
            Vehicle(
                commune_insee=INSEE, vehicle_id=f"BOM-{number}", name=f"Benne {number}", capacity_l=1500,
                depot_id="DEPOT-1", shift_from=time(5, 30), shift_until=time(11, 30),
                break_s=1800, break_from=time(5, 45), break_until=time(7),
            )
            for number in range(1, vehicles + 1)
        ],
    )  # fmt: skip
    sea = (depot[0] + 0.2, depot[1] - 0.2)
    named = [(f"COR-{number:04}", point) for number, point in enumerate(others, start=1)]
    named += [(NO_FORECAST, others[0]), (IN_THE_SEA, sea)]
    bins.save(
        connection,
        [
            Bin(
                commune_insee=INSEE, place_id=name, longitude_deg=longitude, latitude_deg=latitude,
                street=None, bin_kind="street", volume_l=80,
            )
            for name, (longitude, latitude) in named
        ],
    )  # fmt: skip
    connection.commit()


def foresee(connection: Connection, *, as_of: datetime = EVENING, hours: int = 48) -> ForecastRun:
    """Every second bin fills up by the day after tomorrow, the others stay nearly empty."""
    run = ForecastRun(
        commune_insee=INSEE, run_id=uuid4(), model_version="by hand", as_of=as_of, made_at=as_of,
        trained_from=as_of - timedelta(days=28), trained_until=as_of,
    )  # fmt: skip

    def forecast(place_id: str, hour: int, *, fills: bool) -> FillForecast:
        level = 0.5 + hour / 80 if fills else 0.1
        full = min(1.0, max(0.0, (level - 0.6) * 2)) if fills else 0.0
        return FillForecast(
            place_id=place_id, valid_at=as_of + timedelta(hours=hour),
            p05=level - 0.1, p10=level - 0.05, p50=level, p90=level + 0.1, p95=level + 0.2, probability_full=full,
        )  # fmt: skip

    known = [item.place_id for item in bins.every(connection, INSEE) if item.place_id != NO_FORECAST]
    forecasts.save(
        connection,
        run,
        [
            forecast(place_id, hour, fills=number % 2 == 0)
            for number, place_id in enumerate(known)
            for hour in range(1, hours + 1)
        ],
    )
    connection.commit()
    return run


def plan(connection: Connection, wanted: PlannerOptions, **more: object) -> Plan:
    return plan_day(connection, INSEE, service_date=DAY, as_of=EVENING, options=wanted, **more)  # type: ignore[arg-type]  # passed on


def served(found: Plan) -> list[str | None]:
    return [stop.place_id for route in found.routes for stop in route.stops if stop.kind is StopKind.BIN]


@pytest.fixture
def town(connection: Connection) -> Connection:
    provision(connection, street_points(default_extract(), 72))
    foresee(connection)
    return connection


def test_a_day_on_real_streets_is_stored_whole(town: Connection, cache: Path):
    found = plan(town, options(cache, extract=default_extract()))
    assert plans.latest(town, INSEE, service_date=DAY) == replace(
        found, solve_s=pytest.approx(found.solve_s, abs=1e-3), inputs=plans.one(town, INSEE, found.plan_id).inputs
    )
    assert found.checker["accepted"] is True
    assert found.travel_source == "osrm:Helsinki.osm.pbf"
    assert found.engine.startswith("best ")

    reasons = {left.place_id: left.reason.code for left in found.left_out}
    everything = [*served(found), *reasons]
    assert sorted(map(str, everything)) == sorted(item.place_id for item in bins.every(town, INSEE))
    assert reasons[NO_FORECAST] == "no_forecast"
    assert reasons[IN_THE_SEA] == "unreachable"
    assert {reasons[name] for name in reasons if name < "COR-9000"} <= {"not_worth_it", "unreachable"}
    # Half of the bins fill up; the others are not worth a stop.
    assert 25 <= len(served(found)) <= 36


def test_a_route_goes_from_depot_to_depot_in_time_with_its_break_and_its_unloading(town: Connection, cache: Path):
    found = plan(town, options(cache, extract=default_extract()))
    assert found.distance_m == sum(route.distance_m for route in found.routes)
    for route in found.routes:
        kinds = [stop.kind for stop in route.stops]
        assert kinds[0] is kinds[-1] is StopKind.DEPOT
        assert kinds[-2] is StopKind.DISPOSAL
        assert kinds.count(StopKind.BREAK) == 1
        assert [stop.stop_index for stop in route.stops] == list(range(len(kinds)))
        for before, after in pairwise(route.stops):
            assert before.arrive_at <= before.depart_at <= after.arrive_at
        local = [moment.astimezone(PARIS) for moment in (route.start_at, route.end_at)]
        assert time(5, 30) <= local[0].time() < local[1].time() <= time(11, 30)
        assert {moment.date() for moment in local} == {DAY}
        rest = next(stop for stop in route.stops if stop.kind is StopKind.BREAK)
        assert time(5, 45) <= rest.arrive_at.astimezone(PARIS).time()
        assert rest.depart_at - rest.arrive_at == timedelta(minutes=30)
        assert rest.depart_at.astimezone(PARIS).time() <= time(7)
        assert max(stop.load_l for stop in route.stops) <= 1500
        assert route.stops[-1].load_l == 0
        assert sum(stop.distance_m for stop in route.stops) == route.distance_m
        assert len(route.geometry) > len(route.stops)
        assert all(stop.reason for stop in route.stops if stop.kind is StopKind.BIN)
        for stop in route.stops[1:]:
            assert sum(step.distance_m for step in stop.steps) == pytest.approx(stop.distance_m, abs=2)
            if stop.kind is not StopKind.BREAK:
                assert stop.point_index is not None
                assert stop.steps[-1].manoeuvre is Manoeuvre.ARRIVE
                at = route.geometry[stop.point_index]
                # The depot lies off the street, as do bins: where the vehicle stops is near.
                assert at == pytest.approx((stop.longitude_deg, stop.latitude_deg), abs=0.003)


def test_without_an_extract_the_plan_says_how_it_measured(town: Connection, cache: Path):
    found = plan(town, options(cache))
    assert found.travel_source == "great_circle x 1.4"
    assert found.checker["accepted"] is True
    # In the sea, but no street says so.
    assert "unreachable" not in {left.reason.code for left in found.left_out}


def test_once_rounds_are_planned_the_forecast_takes_silence_for_what_it_is(town: Connection, cache: Path):
    def planned(as_of: datetime) -> bool:
        return load(town, INSEE, as_of=as_of, options=FillOptions()).planned

    assert not planned(EVENING + timedelta(days=1))
    plan(town, options(cache))
    assert not planned(EVENING)  # tomorrow's round is not driven yet
    assert planned(EVENING + timedelta(days=1))
    assert not planned(EVENING + timedelta(days=30))  # nobody has planned for weeks


def test_the_same_seed_makes_the_same_rounds(town: Connection, cache: Path):
    first, second = (plan(town, options(cache, extract=default_extract())) for _ in range(2))
    assert first.routes == second.routes
    assert first.plan_id != second.plan_id


def test_without_a_forecast_run_there_is_a_clear_error(connection: Connection, cache: Path):
    provision(connection, street_points(default_extract(), 10))
    with pytest.raises(InputError, match="has no fill forecast made of data up to 2026-03-09 19:00 UTC"):
        plan(connection, options(cache))


def test_a_forecast_that_does_not_reach_the_day_is_refused_by_name(connection: Connection, cache: Path):
    provision(connection, street_points(default_extract(), 10))
    foresee(connection, as_of=EVENING - timedelta(days=3))
    with pytest.raises(InputError, match=r"as of 2026-03-06 19:00 UTC, does not reach the time of service"):
        plan(connection, options(cache))


def test_a_forecast_that_ends_before_the_next_chance_is_read_at_its_end(connection: Connection, cache: Path):
    provision(connection, street_points(default_extract(), 20))
    foresee(connection, hours=30)
    found = plan(connection, options(cache))
    assert datetime.fromisoformat(found.inputs["next_chance_at"]) == EVENING + timedelta(hours=30)
    # The middle of the shift is 8:30 in Paris, 7:30 UTC; forecasts are of whole hours.
    assert datetime.fromisoformat(found.inputs["service_at"]) in {
        datetime(2026, 3, 10, hour, tzinfo=UTC) for hour in (7, 8)
    }


def test_imposed_bins_are_served_and_strangers_refused(town: Connection, cache: Path):
    wanted = replace(options(cache), must_serve=frozenset({"COR-0002", "COR-0004"}))
    found = plan(town, wanted)
    codes = {
        stop.place_id: stop.reason.code for route in found.routes for stop in route.stops if stop.reason is not None
    }
    assert (codes["COR-0002"], codes["COR-0004"]) == ("must", "must")
    with pytest.raises(InputError, match="expected must_serve and must_not_serve to name bins"):
        plan(town, replace(options(cache), must_serve=frozenset({"COR-7777"})))


class _Liar:
    """An engine whose vehicles are back before they left the last bin."""

    name = "liar"

    def solve(
        self,
        problem: Problem,
        *,
        limits: Limits,
        seed: int,
        improved: Callable[[Improvement], None] | None = None,
        stopped: Callable[[], bool] | None = None,
    ) -> Solution:
        found = ORToolsEngine().solve(problem, limits=limits, seed=seed, improved=improved, stopped=stopped)
        first, *others = found.routes
        return replace(found, routes=(replace(first, end_s=first.end_s - 60), *others))


def test_a_plan_that_the_checker_refuses_is_not_stored(town: Connection, cache: Path):
    with pytest.raises(PlanRefusedError, match=r"the checker refused the plan: travel_time \(BOM-\d\)"):
        plan(town, options(cache), engine=_Liar())
    assert plans.latest(town, INSEE) is None


def test_it_tells_what_it_is_at_and_keeps_no_transaction_open_meanwhile(town: Connection, cache: Path):
    told: list[PlannerEvent] = []
    states = []

    def listen(event: PlannerEvent) -> None:
        told.append(event)
        states.append(town.info.transaction_status)

    plan(town, options(cache), progress=listen)
    phases = list(dict.fromkeys(event.phase for event in told))
    assert phases == ["load", "streets", "travel", "solve", "check", "explain", "save"]
    assert set(states) == {psycopg.pq.TransactionStatus.IDLE}
    assert all(event.cost_eur for event in told if event.phase == "solve")


@pytest.mark.slow
def test_a_commune_of_a_thousand_bins(connection: Connection, cache: Path, reference_data: Path):
    extract = reference_data / "osm" / "saint-germain-en-laye.osm.pbf"
    provision(connection, street_points(extract, 1000), vehicles=4)
    foresee(connection)
    few = replace(options(cache, extract=extract), iterations=6)  # on so many bins each takes a second
    found = plan(connection, few)
    assert found.checker["accepted"] is True
    assert len(served(found)) > 100
    assert len(served(found)) + len(found.left_out) == 1000
    assert {left.reason.code for left in found.left_out} <= {
        "not_worth_it", "unreachable", "shift", "capacity", "no_forecast",
    }  # fmt: skip
