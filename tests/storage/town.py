"""A commune of three bins, two bays and a space, and short ways to say what its devices measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from msgspec import structs

from storage import bins, communes, devices, places
from storage.database import Connection
from storage.kerb_now import kerb_now
from storage.model import (
    Bin,
    Commune,
    DeliveryBay,
    Device,
    DisposalSite,
    FillReading,
    ForecastRun,
    IntakeBatch,
    KerbNow,
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
    Step,
    StopKind,
    Vehicle,
)

INSEE = "93051"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
BINS = tuple(
    Bin(
        commune_insee=INSEE,
        place_id=f"COR-000{number}",
        longitude_deg=2.55 + number / 1000,
        latitude_deg=48.84,
        street="Rue de la République",
        bin_kind="street",
        volume_l=80.0,
        surroundings={"shops_100m": float(number)},
    )
    for number in (1, 2, 3)
)
BAYS = tuple(
    DeliveryBay(
        commune_insee=INSEE,
        place_id=f"ADL-0{number}",
        longitude_deg=2.55,
        latitude_deg=48.84,
        street=None,
        length_cm=1200,
        max_stay_s=1800,
        grace_s=300,
        enforced_days=(1, 2, 3, 4, 5),
        enforced_from=time(7),
        enforced_until=time(20),
    )
    for number in (1, 2)
)
SPACE = ParkingSpace(commune_insee=INSEE, place_id="STA-0001", longitude_deg=2.55, latitude_deg=48.84, street=None)
DEPOT = Place(
    commune_insee=INSEE, place_id="DEPOT-1", kind=PlaceKind.DEPOT, longitude_deg=2.55, latitude_deg=48.84
)  # fmt: skip
DISPOSAL_SITE = DisposalSite(
    commune_insee=INSEE, place_id="EXUTOIRE-1", longitude_deg=2.55, latitude_deg=48.84, street=None, unload_s=900
)
VEHICLE = Vehicle(
    commune_insee=INSEE,
    vehicle_id="BOM-1",
    name="Benne 1",
    capacity_l=5000,
    depot_id="DEPOT-1",
    shift_from=time(5, 30),
    shift_until=time(12, 30),
    break_s=1800,
    break_from=time(8),
    break_until=time(10),
)


@dataclass(frozen=True, kw_only=True)
class Town:
    """The commune in a database, with the ids that the database gave to its devices."""

    connection: Connection
    bin_device: int
    bay_device: int


def provision(connection: Connection) -> Town:
    """Save the commune, its places, and a device on the first bin and on the first bay."""
    communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand", school_zone="C"))
    bins.save(connection, BINS)
    places.save_delivery_bays(connection, BAYS)
    places.save_parking_spaces(connection, [SPACE])
    places.save_places(connection, [DEPOT])
    places.save_disposal_sites(connection, [DISPOSAL_SITE])
    places.save_vehicles(connection, [VEHICLE])
    bin_device = add_device(connection, eui="24e124713b000001", place_id="COR-0001", kind=PlaceKind.BIN)
    bay_device = add_device(connection, eui="24e124713b000002", place_id="ADL-01", kind=PlaceKind.DELIVERY_BAY)
    connection.commit()
    return Town(connection=connection, bin_device=bin_device, bay_device=bay_device)


def add_device(connection: Connection, *, eui: str, place_id: str, kind: PlaceKind) -> int:
    """Register a device and mount it, since a year before NOON; return its device_id."""
    device_id = devices.register(connection, Device(commune_insee=INSEE, eui=eui, model="any"))
    devices.mount(connection, mounting(device_id, place_id, kind=kind))
    return device_id


def mounting(
    device_id: int, place_id: str, *, at: datetime = NOON - timedelta(days=365), kind: PlaceKind = PlaceKind.BIN
) -> Mounting:
    is_bin = kind is PlaceKind.BIN
    return Mounting(
        commune_insee=INSEE,
        device_id=device_id,
        place_id=place_id,
        place_kind=kind,
        mounted_at=at,
        empty_distance_mm=900 if is_bin else None,
        full_distance_mm=100 if is_bin else None,
    )


def fill(device_id: int, at: datetime, fraction: float | None, **changes: Any) -> FillReading:
    reading = FillReading(
        commune_insee=INSEE,
        device_id=device_id,
        place_id="COR-0001",
        measured_at=at,
        record_index=0,
        received_at=at + timedelta(seconds=2),
        quality=Quality.OK if fraction is not None else Quality.SENSOR_FAULT,
        fill_fraction=fraction,
        payload=b"\x01\x75\x64",
    )
    return structs.replace(reading, **changes)


def occupancy(device_id: int, at: datetime, *, occupied: bool | None, **changes: Any) -> OccupancyReading:
    reading = OccupancyReading(
        commune_insee=INSEE,
        device_id=device_id,
        place_id="ADL-01",
        measured_at=at,
        record_index=0,
        received_at=at + timedelta(seconds=2),
        quality=Quality.OK if occupied is not None else Quality.SENSOR_FAULT,
        occupied=occupied,
    )
    return structs.replace(reading, **changes)


def batch(**content: Any) -> IntakeBatch:
    """Make a batch of `content`, one message for each thing in it."""
    messages = sum(len(part) for part in content.values())
    return IntakeBatch(commune_insee=INSEE, collector="test", messages=messages, **content)


def forecast_run(*, as_of: datetime = NOON) -> ForecastRun:
    return ForecastRun(
        commune_insee=INSEE,
        run_id=uuid4(),
        model_version="1",
        as_of=as_of,
        made_at=as_of + timedelta(seconds=20),
        trained_from=as_of - timedelta(days=28),
        trained_until=as_of,
        scores={"mae": 0.1},
    )


def plan(
    *,
    checker: dict[str, Any],
    service_date: date = date(2026, 3, 11),
    made_at: datetime = NOON,
    run: UUID | None = None,
) -> Plan:
    """Make a plan of one route that serves COR-0001 and leaves COR-0002 out."""
    start = datetime(2026, 3, 11, 4, 30, tzinfo=UTC)
    depot = PlannedStop(
        stop_index=0,
        kind=StopKind.DEPOT,
        place_id="DEPOT-1",
        longitude_deg=2.55,
        latitude_deg=48.84,
        arrive_at=start,
        depart_at=start,
        load_l=0.0,
        distance_m=0.0,
    )
    served = replace(
        depot,
        stop_index=1,
        kind=StopKind.BIN,
        place_id="COR-0001",
        arrive_at=start + timedelta(minutes=5),
        depart_at=start + timedelta(minutes=6),
        load_l=60.0,
        load_kg=9.0,
        point_index=1,
        steps=(
            Step(
                manoeuvre=Manoeuvre.DEPART,
                modifier=Modifier.EAST,
                street="Rue de Paris",
                distance_m=1200.5,
                duration_s=300.0,
                point_index=0,
            ),
            Step(manoeuvre=Manoeuvre.ARRIVE, distance_m=0.0, duration_s=0.0, point_index=1),
        ),
        distance_m=1200.5,
        reason=Reason(code="likely_full", text="Sera pleine demain à 85 %.", figures={"p50": 0.9}),
    )
    back = replace(
        depot,
        stop_index=2,
        arrive_at=start + timedelta(minutes=11),
        depart_at=start + timedelta(minutes=11),
        load_l=60.0,
        distance_m=1200.5,
    )
    route = PlannedRoute(
        route_index=0,
        vehicle_id="BOM-1",
        start_at=start,
        end_at=start + timedelta(minutes=11),
        distance_m=2401.0,
        duration_s=660.0,
        stops=(depot, served, back),
        geometry=((2.55, 48.84), (2.551, 48.84), (2.55, 48.84)),
    )
    return Plan(
        commune_insee=INSEE,
        plan_id=uuid4(),
        service_date=service_date,
        made_at=made_at,
        as_of=made_at,
        engine="ortools",
        seed=0,
        solve_s=1.5,
        travel_source="osrm:helsinki",
        forecast_run_id=run,
        distance_m=2401.0,
        duration_s=660.0,
        checker=checker,
        inputs={"vehicles": 1},
        routes=(route,),
        left_out=(LeftOut(place_id="COR-0002", reason=Reason(code="room_left", text="Peut attendre.")),),
    )


def bays_now(town: Town) -> list[KerbNow]:
    """Return the delivery bays with what their sensors last said."""
    view = kerb_now(
        town.connection,
        INSEE,
        now=NOON + timedelta(hours=1),
        zone=ZoneInfo("Europe/Paris"),
        kinds=[PlaceKind.DELIVERY_BAY],
    )
    return view.places
