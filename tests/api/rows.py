"""A small commune whose every row a test can name. Its clock stands still, so that answers can be compared exactly."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from storage import bins, communes, devices, forecasts, places, plans, readings
from storage.database import Connection
from storage.model import (
    Bin,
    Commune,
    DeliveryBay,
    Device,
    FillForecast,
    FillReading,
    ForecastRun,
    IntakeBatch,
    LeftOut,
    Manoeuvre,
    Modifier,
    Mounting,
    OccupancyReading,
    ParkingSpace,
    Place,
    PlaceKind,
    Plan,
    PlannedRoute,
    PlannedStop,
    Quality,
    Reason,
    RefusalReason,
    RefusedMessage,
    Simulation,
    Step,
    StopKind,
    Vehicle,
)

INSEE = "93051"
NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
"""A Tuesday, 11:00 in Paris."""
RUN_ID = UUID("00000000-0000-4000-8000-000000000001")
PLAN_ID = UUID("00000000-0000-4000-8000-000000000002")

_STANDSTILL = 1e-9


def ago(**span: float) -> datetime:
    """Return the moment that lies `span` (a timedelta's arguments) before NOW."""
    return NOW - timedelta(**span)


def save_commune(connection: Connection) -> None:
    """Store the commune with a clock that stands at NOW."""
    communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand"))
    communes.save_simulation(
        connection,
        Simulation(
            commune_insee=INSEE, seed=1, streets_source="none", started_at=ago(days=28), history_until=NOW,
            wall_origin=datetime.now(UTC), simulated_origin=NOW, rate=_STANDSTILL,
        ),
    )  # fmt: skip


def save_places(connection: Connection) -> None:
    """Store three bins, two delivery bays, three spaces, a depot and a vehicle."""
    bins.save(
        connection,
        [
            Bin(
                commune_insee=INSEE, place_id=f"COR-000{number}", longitude_deg=2.55 + number / 1000,
                latitude_deg=48.84, street="Rue Pierre Brossolette", bin_kind="corbeille_80", volume_l=80.0,
            )
            for number in (1, 2, 3)
        ],
    )  # fmt: skip
    places.save_delivery_bays(
        connection,
        [
            DeliveryBay(
                commune_insee=INSEE, place_id=f"ADL-0{number}", longitude_deg=2.55, latitude_deg=48.841,
                street="Avenue Émile Cossonneau", length_cm=1200, max_stay_s=1800, grace_s=300,
                enforced_days=(1, 2, 3, 4, 5, 6), enforced_from=time(7), enforced_until=time(20),
            )
            for number in (1, 2)
        ],
    )  # fmt: skip
    places.save_parking_spaces(
        connection,
        [
            ParkingSpace(
                commune_insee=INSEE, place_id=f"STA-000{number}", longitude_deg=2.55 + number / 100,
                latitude_deg=48.84, street=None,
            )
            for number in (1, 2, 3)
        ],
    )  # fmt: skip
    depot = Place(commune_insee=INSEE, place_id="DEPOT-1", kind=PlaceKind.DEPOT, longitude_deg=2.54, latitude_deg=48.84)
    places.save_places(connection, [depot])
    places.save_vehicles(
        connection,
        [
            Vehicle(
                commune_insee=INSEE, vehicle_id="BOM-1", name="Benne 1", capacity_l=6000, depot_id="DEPOT-1",
                shift_from=time(5, 30), shift_until=time(12, 30), break_s=1200, break_from=time(8),
                break_until=time(10),
            )
        ],
    )  # fmt: skip


def mount(connection: Connection, place_id: str, *, eui: str, kind: PlaceKind = PlaceKind.BIN) -> int:
    """Put a sensor on a place and return its device_id."""
    device_id = devices.register(connection, Device(commune_insee=INSEE, eui=eui, model="made-up"))
    devices.mount(
        connection,
        Mounting(commune_insee=INSEE, device_id=device_id, place_id=place_id, place_kind=kind, mounted_at=ago(days=28)),
    )
    return device_id


def fill(
    place_id: str, fraction: float | None, *, at: datetime, device_id: int = 1, quality: Quality = Quality.OK
) -> FillReading:
    """Return one measured level."""
    return FillReading(
        commune_insee=INSEE, device_id=device_id, place_id=place_id, measured_at=at, record_index=0, received_at=at,
        quality=quality, fill_fraction=fraction, battery_percent=90.0,
    )  # fmt: skip


def occupancy(place_id: str, *, occupied: bool | None, at: datetime, device_id: int = 100) -> OccupancyReading:
    """Return one measured state; None is a sensor's fault."""
    return OccupancyReading(
        commune_insee=INSEE, device_id=device_id, place_id=place_id, measured_at=at, record_index=0, received_at=at,
        quality=Quality.SENSOR_FAULT if occupied is None else Quality.OK, occupied=occupied,
    )  # fmt: skip


def take_in(connection: Connection, *given: FillReading | OccupancyReading, refused: int = 0) -> None:
    """Store readings and refusals as a collector does, and commit."""
    refusals = tuple(
        RefusedMessage(
            commune_insee=INSEE, received_at=NOW, network="test", topic=f"nowhere/{number}", payload=b"{",
            reason=RefusalReason.MALFORMED_ENVELOPE, detail="not JSON",
        )
        for number in range(refused)
    )  # fmt: skip
    readings.take_in(
        connection,
        IntakeBatch(
            commune_insee=INSEE, collector="test", messages=len(given) + refused,
            fill_readings=tuple(item for item in given if isinstance(item, FillReading)),
            occupancy_readings=tuple(item for item in given if isinstance(item, OccupancyReading)),
            refused=refusals,
        ),
    )  # fmt: skip
    connection.commit()


def save_forecast(connection: Connection, place_ids: list[str], *, as_of: datetime = NOW) -> None:
    """Store a run whose every hour says 50 %, and commit."""
    run = ForecastRun(
        commune_insee=INSEE, run_id=RUN_ID, model_version="made-up", as_of=as_of, made_at=as_of,
        trained_from=ago(days=28), trained_until=as_of,
    )  # fmt: skip
    hours = [as_of + timedelta(hours=hour) for hour in range(1, 49)]
    forecasts.save(
        connection,
        run,
        [
            FillForecast(place_id=place_id, valid_at=hour, p05=0.2, p10=0.3, p50=0.5, p90=0.7, p95=0.8,
                         probability_full=0.1)
            for place_id in place_ids
            for hour in hours
        ],
    )  # fmt: skip
    connection.commit()


def save_plan(connection: Connection) -> None:
    """Store tomorrow's plan: one round that serves COR-0001 and leaves COR-0002 and COR-0003 out; commit."""
    start = datetime(2026, 3, 11, 4, 30, tzinfo=UTC)
    served = Reason(code="probably_full", text="Sera pleine avant midi.", figures={"probability_full": 0.9})
    safe = Reason(code="safe", text="Reste sous 70 % jusqu'à demain.", figures={"probability_full": 0.01})
    steps = (
        Step(
            manoeuvre=Manoeuvre.DEPART,
            modifier=Modifier.EAST,
            street="Rue de Paris",
            distance_m=700,
            duration_s=240,
            point_index=0,
        ),
        Step(
            manoeuvre=Manoeuvre.ROUNDABOUT,
            modifier=Modifier.RIGHT,
            street="Avenue Émile Cossonneau",
            exit=2,
            distance_m=200,
            duration_s=60,
            point_index=0,
        ),
        Step(manoeuvre=Manoeuvre.ARRIVE, modifier=Modifier.RIGHT, distance_m=0, duration_s=0, point_index=1),
    )
    stops = (
        PlannedStop(stop_index=0, kind=StopKind.DEPOT, place_id="DEPOT-1", longitude_deg=2.54, latitude_deg=48.84,
                    arrive_at=start, depart_at=start, load_l=0, distance_m=0),
        PlannedStop(stop_index=1, kind=StopKind.BIN, place_id="COR-0001", longitude_deg=2.551, latitude_deg=48.84,
                    arrive_at=start + timedelta(minutes=5), depart_at=start + timedelta(minutes=6), load_l=60,
                    distance_m=900, reason=served, load_kg=9, point_index=1, steps=steps),
        PlannedStop(stop_index=2, kind=StopKind.DEPOT, place_id="DEPOT-1", longitude_deg=2.54, latitude_deg=48.84,
                    arrive_at=start + timedelta(minutes=11), depart_at=start + timedelta(minutes=11), load_l=60,
                    distance_m=900),
    )  # fmt: skip
    route = PlannedRoute(
        route_index=0, vehicle_id="BOM-1", start_at=start, end_at=start + timedelta(minutes=11), distance_m=1800,
        duration_s=660, stops=stops, geometry=((2.54, 48.84), (2.551, 48.84), (2.54, 48.84)),
    )  # fmt: skip
    plans.save(
        connection,
        Plan(
            commune_insee=INSEE, plan_id=PLAN_ID, service_date=date(2026, 3, 11), made_at=NOW, as_of=NOW,
            engine="made-up", seed=1, solve_s=1.0, travel_source="great_circle", forecast_run_id=RUN_ID,
            distance_m=1800, duration_s=660, checker={"accepted": True}, inputs={}, routes=(route,),
            left_out=(LeftOut(place_id="COR-0002", reason=safe), LeftOut(place_id="COR-0003", reason=safe)),
        ),
    )  # fmt: skip
    connection.commit()
