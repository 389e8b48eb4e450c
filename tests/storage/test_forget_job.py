"""The worker forgets by the wall clock in a real commune, and only by what was lived in a simulated one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cli.jobs import Jobs
from cli.worker import make_app
from config.settings import Settings
from storage import communes, readings
from storage.database import connect
from storage.model import Simulation
from tests.storage.town import INSEE, Town, batch, fill, occupancy

DAY = timedelta(days=1)


def measure(town: Town, until: datetime) -> None:
    """Measure a bin and a bay once a day for 60 days until `until`."""
    days = [until - number * DAY for number in range(60)]
    fills = tuple(fill(town.bin_device, day, 0.5) for day in days)
    states = tuple(occupancy(town.bay_device, day, occupied=True) for day in days)
    readings.take_in(town.connection, batch(fill_readings=fills, occupancy_readings=states))
    town.connection.commit()


def left(town: Town) -> tuple[int, int]:
    row = town.connection.execute(
        "SELECT (SELECT count(*) FROM fill_reading), (SELECT count(*) FROM occupancy_reading)"
    ).fetchone()
    town.connection.commit()
    assert row is not None
    return row[0], row[1]


def simulate(town: Town, *, heard_until: datetime, rate: float, history_published: bool = True) -> None:
    """Say that the commune's clock went on alone for ten hours since `heard_until`."""
    simulation = Simulation(
        commune_insee=INSEE,
        seed=1,
        streets_source="",
        started_at=heard_until - 60 * DAY,
        history_until=heard_until,
        wall_origin=datetime.now(UTC) - timedelta(hours=10),
        simulated_origin=heard_until,
        rate=rate,
        history_published=history_published,
    )
    communes.save_simulation(town.connection, simulation)
    town.connection.commit()


def test_real_commune_forgets_by_the_wall_clock(town: Town, any_database_url: str):
    measure(town, datetime.now(UTC))
    jobs = Jobs(settings=Settings(), database_url=any_database_url)
    with jobs.connect() as connection:
        jobs.forget(connection)
        assert left(town) == (60, 31)
        jobs.forget(connection)
        assert left(town) == (60, 31)


@pytest.mark.parametrize(("rate", "history_published"), [(180.0, True), (180.0, False), (0.001, True)])
def test_simulated_commune_loses_nothing_to_a_clock_that_ran_on_alone(
    town: Town, any_database_url: str, rate: float, *, history_published: bool
):
    """Ten hours at 180 times are 75 days: by that clock all occupancy would be gone."""
    heard_until = datetime.now(UTC) + 400 * DAY
    measure(town, heard_until)
    simulate(town, heard_until=heard_until, rate=rate, history_published=history_published)
    jobs = Jobs(settings=Settings(), database_url=any_database_url)
    with jobs.connect() as connection:
        jobs.forget(connection)
    assert left(town) == ((60, 31) if history_published else (60, 60))


def test_worker_forgets_readings_and_its_own_finished_jobs(town: Town, any_database_url: str):
    measure(town, datetime.now(UTC))
    app = make_app(database_url=any_database_url, jobs=Jobs(settings=Settings(), database_url=any_database_url))
    with app.open():
        for name in ("forget", "forget_jobs"):
            app.configure_task(name, queue="test").defer(timestamp=0)
    # A queue of the test's own, so that this worker leaves alone what is due beside it.
    run_once = {"queues": ["test"], "wait": False, "listen_notify": False, "install_signal_handlers": False}
    app.run_worker(**run_once)
    assert left(town) == (60, 31)
    with connect(any_database_url, autocommit=True) as connection:
        count = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'"
        assert connection.execute(count).fetchone() == (2,)
        connection.execute("UPDATE procrastinate_events SET at = at - INTERVAL '73 hours'")
        with app.open():
            app.configure_task("forget_jobs", queue="test").defer(timestamp=0)
        app.run_worker(**run_once)
        assert connection.execute(count).fetchone() == (1,)
