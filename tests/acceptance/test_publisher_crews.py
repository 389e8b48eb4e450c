"""The crews declare to the real application over a real database, and drive the plan that it publishes."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api.app import ApiOptions
from cli.lives import Lives
from config.settings import Settings, SimulatorSettings
from simulators.crews import CrewOptions, Crews, declare_history, relive
from simulators.world import World
from storage import accounts, bins, communes, plans
from storage.database import Connection, connect
from storage.errors import InputError, UnavailableError
from storage.model import Clock, Commune, Plan, PlannedRoute, PlannedStop, Reason, Simulation, StopKind
from tests.api.serving import serving
from tests.commune import build
from tests.tools import free_port

INSEE = "93051"


@pytest.fixture
def world() -> World:
    return build(days=3)


@pytest.fixture
def town(connection: Connection, world: World) -> None:
    communes.save(connection, Commune(commune_insee=INSEE, name="Commune simulée"))
    set_clock(connection, world, world.history_until)
    bins.save(connection, world.bins)
    connection.commit()


@pytest.fixture
def api_url(database_url: str, town: None) -> Iterator[str]:
    with serving(ApiOptions(database_url=database_url, commune_insee=INSEE)) as url:
        yield url


def set_clock(connection: Connection, world: World, now: datetime) -> Clock:
    """Let the commune's clock stand at `now`."""
    clock = Clock(wall_origin=datetime.now(UTC), simulated_origin=now, rate=1e-9)
    communes.save_simulation(
        connection,
        Simulation(
            commune_insee=INSEE,
            seed=world.seed,
            streets_source=world.streets.source,
            started_at=world.start,
            history_until=world.history_until,
            wall_origin=datetime.now(UTC),
            simulated_origin=now,
            rate=1e-9,
        ),
    )
    connection.commit()
    return clock


def a_plan(world: World, place_ids: list[str], *, first_stop: datetime) -> Plan:
    """A plan of one route with a bin every ten minutes."""
    times = [first_stop + timedelta(minutes=10 * number) for number in range(len(place_ids))]
    stops = tuple(
        PlannedStop(
            stop_index=number,
            kind=StopKind.BIN,
            place_id=place_id,
            longitude_deg=2.35,
            latitude_deg=48.85,
            arrive_at=at - timedelta(seconds=40),
            depart_at=at,
            load_l=100.0,
            distance_m=50.0,
            reason=Reason(code="probably_full", text="Sera pleine."),
        )
        for number, (place_id, at) in enumerate(zip(place_ids, times, strict=True))
    )
    route = PlannedRoute(
        route_index=0,
        vehicle_id="BOM-1",
        start_at=first_stop,
        end_at=times[-1],
        distance_m=1000.0,
        duration_s=3600.0,
        stops=stops,
    )
    return Plan(
        commune_insee=INSEE,
        plan_id=uuid.uuid4(),
        service_date=first_stop.date(),
        made_at=world.history_until,
        as_of=world.history_until,
        engine="test",
        seed=1,
        solve_s=1.0,
        travel_source="test",
        forecast_run_id=None,
        distance_m=1000.0,
        duration_s=3600.0,
        checker={"accepted": True},
        inputs={},
        routes=(route,),
        left_out=(),
    )


def declared(database_url: str, world: World, until: datetime) -> list[tuple[str, datetime, float | None]]:
    with connect(database_url) as connection:
        found = bins.emptyings(connection, INSEE, since=world.start - timedelta(days=1), until=until)
        return [(item.place_id, item.emptied_at, item.found_fraction) for item in found]


def test_history_is_declared_once_however_often(api_url: str, database_url: str, world: World):
    for _ in range(2):
        count = declare_history(world, CrewOptions(api_url=api_url), stop=threading.Event())
        assert count == len(world.declarations)
    stored = declared(database_url, world, world.history_until + timedelta(days=1))
    expected = [(event.place_id, event.happened_at, event.found_fraction) for event in world.declarations]
    assert sorted(stored, key=str) == sorted(expected, key=str)


def test_crews_serve_each_stop_when_its_time_has_come(
    api_url: str, database_url: str, connection: Connection, world: World
):
    place_ids = [world.bins[index].place_id for index in (3, 50, 7, 90)]
    first_stop = world.history_until + timedelta(hours=9)
    plan = a_plan(world, place_ids, first_stop=first_stop)
    before = [world.fill_fraction(world.bin_index(place_id), first_stop) for place_id in place_ids]
    assert min(before) > 0
    never = threading.Event()
    with httpx.Client(base_url=api_url, timeout=20) as http:
        options = CrewOptions(api_url=api_url, blocked_rate=0.0)
        crews = Crews(world, options, set_clock(connection, world, first_stop))
        assert crews.drive_due_stops(http, stop=never) == 0, "no plan yet"
        plans.save(connection, plan)
        connection.commit()
        assert crews.drive_due_stops(http, stop=never) == 1
        now = first_stop + timedelta(minutes=25)
        crews = Crews(world, options, set_clock(connection, world, now))
        assert crews.drive_due_stops(http, stop=never) == 3, "after a restart the first is declared again, harmlessly"
        assert crews.drive_due_stops(http, stop=never) == 0
    stored = declared(database_url, world, now + timedelta(days=1))
    assert [place_id for place_id, _, _ in sorted(stored, key=lambda item: item[1])] == place_ids[:3]
    assert all(found in {0.0, 0.25, 0.5, 0.75, 1.0} for _, _, found in stored)
    assert [world.fill_fraction(world.bin_index(place_id), now) < 0.2 for place_id in place_ids[:3]] == [True] * 3
    assert world.fill_fraction(world.bin_index(place_ids[3]), now) >= before[3]

    reborn = build(days=3)
    relive(reborn, [(place_id, at) for place_id, at, _ in stored] + [("COR-9999", now)])
    assert (reborn.fill_fractions(now) == world.fill_fractions(now)).all()


def test_blocked_bins_are_declared_and_stay_full(api_url: str, connection: Connection, world: World):
    first_stop = world.history_until + timedelta(hours=9)
    place_id = world.bins[3].place_id
    plan = a_plan(world, [place_id], first_stop=first_stop)
    plans.save(connection, plan)
    connection.commit()
    before = world.fill_fraction(3, first_stop)
    crews = Crews(world, CrewOptions(api_url=api_url, blocked_rate=1.0), set_clock(connection, world, first_stop))
    with httpx.Client(base_url=api_url, timeout=20) as http:
        assert crews.drive_due_stops(http, stop=threading.Event()) == 1
    (event,) = bins.events_of_plan(connection, INSEE, plan.plan_id)
    assert (event.kind, event.found_fraction) == ("blocked", None)
    assert world.fill_fraction(3, first_stop) == before


def test_refused_declarations_are_not_tried_for_ever(api_url: str, connection: Connection, world: World):
    connection.execute("DELETE FROM bin")
    connection.commit()
    with pytest.raises(InputError, match="refused the declarations with status"):
        declare_history(world, CrewOptions(api_url=api_url), stop=threading.Event())


def test_silent_service_is_told(world: World):
    options = CrewOptions(api_url=f"http://127.0.0.1:{free_port()}", patience_s=0.6)
    with pytest.raises(UnavailableError, match="takes no declarations"):
        declare_history(world, options, stop=threading.Event())
    with pytest.raises(ValueError, match="expected api_url of the form"):
        CrewOptions(api_url="localhost:8000")


def test_crews_get_a_key_where_accounts_are_required(
    database_url: str, connection: Connection, world: World, town: None
):
    with serving(ApiOptions(database_url=database_url, commune_insee=INSEE), open_to_all=False) as url:
        with pytest.raises(InputError, match="401"):
            declare_history(world, CrewOptions(api_url=url), stop=threading.Event())
        settings = Settings(simulator=SimulatorSettings(api_url=url))
        for _ in range(2):
            lives = Lives(settings=settings, world=world, ledger=None, stop=threading.Event())
            lives.let_in(connection)
        assert declare_history(world, lives._crews, stop=threading.Event()) == len(world.declarations)
    # The key of the last life ended with it.
    assert sorted(key.revoked_at is None for key in accounts.keys(connection, INSEE)) == [False, True]
