"""Communes for a load: bins, bays and spaces with their sensors, a history of readings, forecasts, rounds of today.

The history is written by the database itself; sessions and the forecast of bays are made of it by the same work as the
worker's. Every commune is alike and lies beside the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from ingest.reviewer import review_commune
from optimise.occupancy.forecast.job import forecast_bays
from optimise.occupancy.job import make_sessions
from storage import bins, communes, places, plans
from storage.database import Connection
from storage.model import (
    Bin,
    Commune,
    DeliveryBay,
    Manoeuvre,
    Modifier,
    ParkingSpace,
    Place,
    PlaceKind,
    Plan,
    PlannedRoute,
    PlannedStop,
    Reason,
    Step,
    StopKind,
    Vehicle,
)

PARIS = ZoneInfo("Europe/Paris")
VEHICLES = 3
EMPTY_MM, FULL_MM = 1000, 200
_SENSED_ONE_IN = 3
_STOPS = 80
_SIDE_DEG = 0.03
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How large each commune is, and how many readings all of them together have."""

    communes: int
    bins: int
    bays: int
    spaces: int
    readings: int


def codes(size: Size) -> list[str]:
    """Return the INSEE codes of the communes: of a department that there is not."""
    return [f"00{number:03d}" for number in range(1, size.communes + 1)]


def corner(insee: str) -> tuple[float, float]:
    """Return the south-west corner of a commune, longitude and latitude."""
    number = int(insee)
    return 2.0 + number % 12 * 0.05, 48.5 + number // 12 * 0.05


def position(insee: str, number: int, count: int) -> tuple[float, float]:
    """Return where the place of this number lies, on a square grid."""
    side = int(count**0.5) + 1
    lon, lat = corner(insee)
    return lon + number % side * _SIDE_DEG / side, lat + number // side * _SIDE_DEG / side


def _where(insee: str, number: int, count: int) -> dict[str, Any]:
    lon, lat = position(insee, number, count)
    return {"commune_insee": insee, "longitude_deg": lon, "latitude_deg": lat, "street": f"Rue {number // 25}"}


def build(connection: Connection, size: Size, *, now: datetime) -> None:
    """Save all communes with their history until `now`; committed when it returns."""
    for insee in codes(size):
        _provision(connection, insee, size)
        connection.commit()
    _hang_sensors(connection, now=now)
    connection.commit()
    _write_history(connection, size, now=now)
    _ask_for_review(connection, now=now)
    connection.commit()
    for insee in codes(size):
        _forecast_bins(connection, insee, now=now)
        plans.save(connection, _plan(insee, size, now=now))
        connection.commit()
        make_sessions(connection, insee)
        connection.commit()
        review_commune(connection, insee, now=now, wait=True)
        connection.commit()
        forecast_bays(connection, insee, as_of=now)
        connection.commit()


def _provision(connection: Connection, insee: str, size: Size) -> None:
    communes.save(connection, Commune(commune_insee=insee, name=f"Charge {insee}"))
    bins.save(
        connection,
        [
            Bin(place_id=f"COR-{number:04d}", bin_kind="street", volume_l=80, **_where(insee, number, size.bins))
            for number in range(size.bins)
        ],
    )
    places.save_delivery_bays(
        connection,
        [
            DeliveryBay(
                place_id=f"ADL-{number:03d}", length_cm=1200, max_stay_s=1800, grace_s=300,
                enforced_days=(1, 2, 3, 4, 5, 6, 7), enforced_from=time(0), enforced_until=time(0),
                **_where(insee, number, size.bays),
            )
            for number in range(size.bays)
        ],
    )  # fmt: skip
    places.save_parking_spaces(
        connection,
        [
            ParkingSpace(place_id=f"STA-{number:04d}", **_where(insee, number, size.spaces))
            for number in range(size.spaces)
        ],
    )
    lon, lat = corner(insee)
    places.save_places(
        connection,
        [Place(commune_insee=insee, place_id="DEPOT", kind=PlaceKind.DEPOT, longitude_deg=lon, latitude_deg=lat)],
    )
    places.save_vehicles(
        connection,
        [
            Vehicle(
                commune_insee=insee, vehicle_id=f"BOM-{number}", name=f"Benne {number}", capacity_l=5000,
                depot_id="DEPOT", shift_from=time(5, 30), shift_until=time(12, 30), break_s=1800, break_from=time(8),
                break_until=time(10),
            )
            for number in range(1, VEHICLES + 1)
        ],
    )  # fmt: skip


def _hang_sensors(connection: Connection, *, now: datetime) -> None:
    """Give one bin in three, every bay and every space a sensor of our own JSON."""
    connection.execute(
        "WITH added AS (INSERT INTO device (commune_insee, eui, model, status)"
        " SELECT commune_insee, commune_insee || '-' || place_id, 'voirie-native', 'mounted' FROM place"
        " WHERE kind IN ('delivery_bay', 'parking_space')"
        "  OR kind = 'bin' AND right(place_id, 4)::int %% %(one_in)s = 0"
        " RETURNING device_id, commune_insee, eui)"
        " INSERT INTO mounting (commune_insee, device_id, place_id, mounted_at, empty_distance_mm, full_distance_mm)"
        " SELECT a.commune_insee, a.device_id, place_id, %(since)s,"
        "  CASE WHEN kind = 'bin' THEN %(empty)s END, CASE WHEN kind = 'bin' THEN %(full)s END"
        " FROM added AS a JOIN place AS p"
        "  ON p.commune_insee = a.commune_insee AND p.place_id = substr(a.eui, length(a.commune_insee) + 2)",
        {"one_in": _SENSED_ONE_IN, "since": now - 400 * _DAY, "empty": EMPTY_MM, "full": FULL_MM},
    )


def _write_history(connection: Connection, size: Size, *, now: datetime) -> None:
    """Write half of the readings as levels, one an hour a bin, and half as changes of places, fifty a day each."""
    counted = connection.execute(
        "SELECT count(*) FILTER (WHERE kind = 'bin'), count(*) FILTER (WHERE kind <> 'bin')"
        " FROM mounting JOIN place USING (commune_insee, place_id)"
    ).fetchone()
    assert counted is not None
    levels, changes = (max(1, round(size.readings / 2 / max(1, sensors))) for sensors in counted)
    connection.execute(
        "INSERT INTO fill_reading (commune_insee, device_id, place_id, measured_at, record_index, received_at,"
        " quality, fill_fraction, distance_mm, frame_counter, payload)"
        " SELECT commune_insee, device_id, place_id, moment, 0, moment, 'ok', level, (1000 - 800 * level)::int,"
        "  %(count)s - number, decode('0175640382', 'hex')"
        " FROM mounting JOIN place USING (commune_insee, place_id) CROSS JOIN generate_series(1, %(count)s) AS number"
        " CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - (number + device_id %% 60 / 60.0) * INTERVAL '1 hour',"
        "  ((%(count)s - number + device_id) %% 72 / 72.0)::real) AS told (moment, level)"
        " WHERE kind = 'bin'",
        {"count": levels, "now": now},
    )
    connection.execute(
        "INSERT INTO occupancy_reading (commune_insee, device_id, place_id, measured_at, record_index, received_at,"
        " quality, occupied, frame_counter, payload)"
        " SELECT commune_insee, device_id, place_id, moment, 0, moment, 'ok', (number + device_id) %% 2 = 0,"
        "  %(count)s - number, decode('01', 'hex')"
        " FROM mounting JOIN place USING (commune_insee, place_id) CROSS JOIN generate_series(1, %(count)s) AS number"
        " CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - (number + device_id %% 29 / 29.0) * INTERVAL '29 min')"
        "  AS told (moment)"
        " WHERE kind <> 'bin'",
        {"count": changes, "now": now},
    )
    connection.execute(
        "INSERT INTO session_due (commune_insee, place_ids, changed_since)"
        " SELECT commune_insee, array_agg(place_id), array_agg(%s::timestamptz)"
        " FROM mounting JOIN place USING (commune_insee, place_id) WHERE kind <> 'bin' GROUP BY commune_insee",
        [now - 40 * _DAY],
    )


def _ask_for_review(connection: Connection, *, now: datetime) -> None:
    """Let the levels of the last day be reviewed, as those that collectors store are."""
    connection.execute(
        "INSERT INTO review_due (commune_insee, kind, device_ids, place_ids, changed_since, networks)"
        " SELECT commune_insee, 'fill', array_agg(device_id), array_agg(place_id), array_agg(%s::timestamptz), '{}'"
        " FROM mounting JOIN place USING (commune_insee, place_id) WHERE kind = 'bin' GROUP BY commune_insee",
        [now - _DAY],
    )


def _forecast_bins(connection: Connection, insee: str, *, now: datetime) -> None:
    """Write a run for every bin, a day ahead by the hour."""
    run_id = uuid4()
    connection.execute(
        "INSERT INTO forecast_run (commune_insee, run_id, model_version, as_of, made_at, trained_from, trained_until)"
        " VALUES (%s, %s, '1', %s, %s, %s, %s)",
        [insee, run_id, now - _HOUR, now, now - 28 * _DAY, now],
    )
    connection.execute(
        "INSERT INTO fill_forecast (commune_insee, run_id, place_id, valid_at, p05, p10, p50, p90, p95,"
        " probability_full)"
        " SELECT %s, %s, place_id, %s::timestamptz + number * INTERVAL '1 hour', 0.2, 0.25, 0.4, 0.6, 0.7, 0.05"
        " FROM bin CROSS JOIN generate_series(1, 24) AS number WHERE commune_insee = %s",
        [insee, run_id, now.replace(minute=0, second=0, microsecond=0), insee],
    )


def _plan(insee: str, size: Size, *, now: datetime) -> Plan:
    """Return the rounds of today: every vehicle serves eighty bins, each with its way and its reason."""
    day = now.astimezone(PARIS).date()
    start = datetime.combine(day, time(5, 30), PARIS).astimezone(UTC)
    routes = []
    for vehicle in range(VEHICLES):
        stops = [_stop(insee, size, index, start=start, first=vehicle * _STOPS) for index in range(_STOPS + 2)]
        routes.append(
            PlannedRoute(
                route_index=vehicle, vehicle_id=f"BOM-{vehicle + 1}", start_at=start, end_at=stops[-1].depart_at,
                distance_m=250.0 * len(stops), duration_s=(stops[-1].depart_at - start).total_seconds(),
                stops=tuple(stops),
                geometry=tuple(
                    (stop.longitude_deg + part / 1e5, stop.latitude_deg) for stop in stops for part in range(10)
                ),
            )
        )  # fmt: skip
    return Plan(
        commune_insee=insee, plan_id=uuid4(), service_date=day, made_at=now, as_of=now, engine="ortools", seed=0,
        solve_s=1, travel_source="great_circle", forecast_run_id=None,
        distance_m=sum(route.distance_m for route in routes), duration_s=sum(route.duration_s for route in routes),
        checker={"accepted": True}, inputs={"vehicles": VEHICLES}, routes=tuple(routes), left_out=(),
    )  # fmt: skip


def _stop(insee: str, size: Size, index: int, *, start: datetime, first: int) -> PlannedStop:
    at = start + timedelta(minutes=4 * index)
    is_bin = 0 < index <= _STOPS
    number = (first + index - 1) % size.bins
    lon, lat = position(insee, number, size.bins) if is_bin else corner(insee)
    steps = tuple(
        Step(
            manoeuvre=Manoeuvre.DEPART if part == 0 else Manoeuvre.TURN, modifier=Modifier.EAST, street=f"Rue {part}",
            distance_m=60.0, duration_s=20.0, point_index=10 * (index - 1) + part,
        )
        for part in range(4)
    )  # fmt: skip
    return PlannedStop(
        stop_index=index, kind=StopKind.BIN if is_bin else StopKind.DEPOT,
        place_id=f"COR-{number:04d}" if is_bin else "DEPOT", longitude_deg=lon, latitude_deg=lat,
        arrive_at=at, depart_at=at + timedelta(minutes=1), load_l=40.0 * index, distance_m=250.0 if index else 0.0,
        load_kg=6.0 * index, point_index=10 * index, steps=steps if index else (),
        reason=Reason(code="likely_full", text="Sera pleine demain à 85 %.", figures={"p50": 0.9}) if is_bin else None,
    )  # fmt: skip
