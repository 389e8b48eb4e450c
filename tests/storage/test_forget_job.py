"""The worker forgets by the wall clock in a real commune, and only by what was lived in a simulated one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from cli.jobs import Jobs
from cli.worker import make_app
from config.settings import Settings
from storage import audit, communes, readings, vehicle_events
from storage.database import Connection, connect
from storage.model import Commune, Simulation, VehiclePosition
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


@pytest.mark.parametrize(
    ("told_at", "kept_until"),
    [
        pytest.param(
            "2026-03-10T09:00Z", "2026-03-10T12:15Z", id="until 45 minutes after the shift's end, 12:30 local"
        ),
        pytest.param("2026-03-10T14:00Z", "2026-03-10T14:45Z", id="told after the shift"),
    ],
)
def test_where_a_vehicle_was_goes_after_its_shift(town: Town, told_at: str, kept_until: str):
    told, until = datetime.fromisoformat(told_at), datetime.fromisoformat(kept_until)
    for vehicle_id in ("BOM-1", "BOM-1"):
        vehicle_events.place(
            town.connection,
            VehiclePosition(
                commune_insee=INSEE, vehicle_id=vehicle_id, told_at=told, longitude_deg=2.55, latitude_deg=48.84,
                next_place_id="COR-0001",
            ),
        )  # fmt: skip
    town.connection.commit()
    assert vehicle_events.forget_positions(town.connection, INSEE, now=until - timedelta(seconds=1)) == 0
    assert len(vehicle_events.positions(town.connection, INSEE)) == 1, "one a vehicle, replaced"
    assert vehicle_events.forget_positions(town.connection, INSEE, now=until) == 1
    assert vehicle_events.positions(town.connection, INSEE) == []
    assert town.connection.execute("SELECT FROM vehicle_day").fetchone() is None, "one position tells of no way"


def test_what_was_driven_is_summed_and_kept_by_day(town: Town):
    connection = town.connection
    # A minute's drive of 111 m north, a position that wavers, a leap that nobody drives, and 222 m after a silence.
    for minutes, latitude_deg in ((0, 48.84), (1, 48.841), (2, 48.84105), (2.1, 48.95), (2.2, 48.841), (12, 48.843)):
        vehicle_events.place(
            connection,
            VehiclePosition(
                commune_insee=INSEE, vehicle_id="BOM-1",
                told_at=datetime(2026, 3, 10, 9, tzinfo=UTC) + timedelta(minutes=minutes), longitude_deg=2.55,
                latitude_deg=latitude_deg, next_place_id=None,
            ),
        )  # fmt: skip
    assert vehicle_events.forget_positions(connection, INSEE, now=datetime(2026, 3, 11, tzinfo=UTC)) == 1
    kept = connection.execute("SELECT vehicle_id, service_date::text, driven_m, bridged_m FROM vehicle_day").fetchall()
    assert [row[:2] for row in kept] == [("BOM-1", "2026-03-10")]
    assert kept[0][2:] == pytest.approx((111.2 + 222.4, 222.4), rel=0.01)


def test_a_shift_over_midnight_ends_the_next_day_with_its_overtime(town: Town):
    connection = town.connection
    connection.execute("UPDATE vehicle SET shift_from = '21:00', shift_until = '04:00'")
    connection.execute(
        "INSERT INTO vehicle_rule (commune_insee, vehicle_id, overtime_s) VALUES (%s, 'BOM-1', 3600)", [INSEE]
    )
    for told_at in ("2026-03-10T22:00Z", "2026-03-11T01:00Z"):
        vehicle_events.place(
            connection,
            VehiclePosition(
                commune_insee=INSEE, vehicle_id="BOM-1", told_at=datetime.fromisoformat(told_at), longitude_deg=2.55,
                latitude_deg=48.84, next_place_id=None,
            ),
        )  # fmt: skip
        ends = datetime.fromisoformat("2026-03-11T04:45Z")
        assert vehicle_events.forget_positions(connection, INSEE, now=ends - timedelta(seconds=1)) == 0
        connection.commit()
    assert vehicle_events.forget_positions(connection, INSEE, now=ends) == 1


def test_worker_forgets_where_vehicles_were_and_logs_the_heads_of_chains(town: Town, any_database_url: str):
    vehicle_events.place(
        town.connection,
        VehiclePosition(
            commune_insee=INSEE, vehicle_id="BOM-1", told_at=datetime.now(UTC) - 2 * DAY, longitude_deg=2.55,
            latitude_deg=48.84, next_place_id=None,
        ),
    )  # fmt: skip
    audit.record(town.connection, INSEE, "account:1", "account.created")
    town.connection.commit()
    head = audit.head(town.connection, INSEE)
    app = make_app(database_url=any_database_url, jobs=Jobs(settings=Settings(), database_url=any_database_url))
    with app.open():
        for name in ("forget", "audit_heads"):
            app.configure_task(name, queue="test").defer(timestamp=0)
    with capture_logs() as logged:
        app.run_worker(queues=["test"], wait=False, listen_notify=False, install_signal_handlers=False)
    assert vehicle_events.positions(town.connection, INSEE) == []
    told = [line["head"] for line in logged if line["event"] == "audit_head"]
    assert told == [str(head)]
    assert audit.Head.read(told[0]) == head


def test_a_commune_whose_job_fails_keeps_no_other_from_it(
    town: Town, any_database_url: str, monkeypatch: pytest.MonkeyPatch
):
    for insee in ("01001", "99999"):  # asked before it, and after
        communes.save(town.connection, Commune(commune_insee=insee, name="Ailleurs"))
    town.connection.commit()
    jobs = Jobs(settings=Settings(), database_url=any_database_url)
    served: list[str] = []

    def observe(_connection: Connection, commune: Commune) -> None:
        served.append(commune.commune_insee)
        if commune.commune_insee == INSEE:
            raise ValueError("not this one")

    monkeypatch.setattr(jobs.kerb, "observe", observe)
    app = make_app(database_url=any_database_url, jobs=jobs)
    with app.open():
        app.configure_task("observe", queue="test").defer(timestamp=0)
    with capture_logs() as logged:
        app.run_worker(queues=["test"], wait=False, listen_notify=False, install_signal_handlers=False)
    assert sorted(served) == sorted(["01001", INSEE, "99999"])
    assert [line["commune"] for line in logged if line["event"] == "commune_failed"] == [INSEE]
    row = town.connection.execute("SELECT status::text FROM procrastinate_jobs WHERE task_name = 'observe'").fetchone()
    assert row == ("failed",)
