"""VRPLIB files: CVRP, VRPTW, PCVRPTW and MTVRPTWR, by the conventions in which their best known values are told.

`vrplib` parses; what comes before sees that every line can be read, and names the one that cannot. A kind of line that
would change the rules and that we do not know is refused, not passed over.

- CVRP: Euclidean distances rounded to the nearest whole number; cost in the same unit.
- VRPTW: distances and times truncated to one decimal; cost to one decimal.
- PCVRPTW, MTVRPTWR: the same truncation; cost in tenths (for PCVRPTW with the prizes that were not collected). A
  customer with a prize above 0 may be left.
- Routes count customers as .sol files do: node 2 of the file is customer 1; 0 is a return to the depot.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from optimise.rounds.formats.lines import Line, lines_of, quoted
from optimise.rounds.formats.task import PLACES_AT_MOST, Task, Unit
from optimise.rounds.formats.vrplib_fleet import VEHICLES_AT_MOST, fleet, needed_at_most
from optimise.rounds.problem import NO_END_S, DayDisposal, Integers, Prices, Problem, Window
from storage.errors import InputError

_TENTHS = 10
_SPECIFICATIONS = {
    "name", "comment", "type", "dimension", "edge_weight_type", "edge_weight_format", "capacity", "vehicles",
    "service_time", "node_coord_type", "display_data_type", "vehicles_max_distance", "vehicles_max_duration",
    "vehicles_max_reloads", "vehicles_fixed_cost", "vehicles_unit_distance_cost", "release_time", "distance",
    "release_date", "salesmen",
}  # fmt: skip
_ROWS_A_NODE = {
    "node_coord": 3, "demand": 2, "time_window": 3, "service_time": 2, "release_time": 2, "prize": 2,
}  # fmt: skip
_ROWS_A_VEHICLE = {
    "capacity", "vehicles_depot", "vehicles_reload_depot", "vehicles_max_distance", "vehicles_max_duration",
    "vehicles_max_reloads", "vehicles_fixed_cost", "vehicles_unit_distance_cost", "vehicles_allowed_clients",
}  # fmt: skip
_FREE = {"depot", "edge_weight", "display_data"}
_UNREAD_SPECIFICATIONS = {"distance": "a limit of distance (DISTANCE)", "salesmen": "SALESMEN"}
_TOLD_IN_TENTHS = {"PCVRPTW", "MTVRPTWR"}


def looks_like(text: str) -> bool:
    """Whether the text begins as these files do."""
    return re.search(r"^\s*(DIMENSION|EDGE_WEIGHT_TYPE)\s*:", text, re.MULTILINE) is not None


def read(text: str, source: str) -> Task:
    """Return the task that the text states. Raises InputError with the line and the reason."""
    where = _scan(text, source)
    import vrplib.parse  # noqa: PLC0415 - it takes a while, and only these files need it

    try:
        said = vrplib.parse.parse_vrplib(text, compute_edge_weights="edge_weight_section" not in where)
        return _task(said, where, source)
    except InputError as error:
        told = str(error)
        raise InputError(told if told.startswith(source) else f"{source}: {told}") from error
    except (ValueError, TypeError, KeyError, IndexError, RuntimeError, OverflowError) as error:
        raise InputError(f"{source}: line {where['eof'].number}: cannot be read as VRPLIB: {error}") from error


def _scan(text: str, source: str) -> dict[str, Line]:
    """Return the line of each specification and section; refuse the first line that cannot be read."""
    where: dict[str, Line] = {}
    section, rows, dimension = "", 0, 0
    last = Line(source=source, number=1, text="")
    for line in lines_of(text, source):
        last = line
        if line.text == "EOF":
            break
        if line.text.rstrip(" :").endswith("_SECTION"):
            _finish(section, rows, dimension, line)
            section, rows = _section(line, where), 0
        elif section:
            rows += 1
            _row(line, section, rows, dimension)
        elif _specification(line, where) == "dimension":
            dimension = _dimension(line)
    _finish(section, rows, dimension, last)
    for name in ("dimension", "edge_weight_type"):
        if name not in where:
            last.refuse(f"expected {name.upper()} before the end")
    return where | {"eof": last}


def _section(line: Line, where: dict[str, Line]) -> str:
    section = line.text.rstrip(" :").removesuffix("_SECTION").lower()
    if section not in _ROWS_A_NODE and section not in _ROWS_A_VEHICLE and section not in _FREE:
        line.refuse(f"section {quoted(line.text)} states a rule that is not read here")
    if f"{section}_section" in where:
        line.refuse(f"section {quoted(line.text)} was there before")
    where[f"{section}_section"] = line
    return section


def _specification(line: Line, where: dict[str, Line]) -> str:
    name, colon, _ = line.text.partition(":")
    name = name.strip().lower()
    if not colon:
        line.refuse(f"expected NAME : VALUE or a section, got {quoted(line.text)}")
    if name not in _SPECIFICATIONS:
        line.refuse(f"specification {quoted(name.upper())} is not known")
    if name in _UNREAD_SPECIFICATIONS:
        line.refuse(f"{_UNREAD_SPECIFICATIONS[name]} is not read here")
    where[name] = line
    return name


def _dimension(line: Line) -> int:
    dimension = line.whole_number_of(line.text.partition(":")[2].strip(), "the dimension", least=2)
    if dimension > PLACES_AT_MOST:
        line.refuse(f"expected at most {PLACES_AT_MOST} places, got {dimension}")
    return dimension


def _row(line: Line, section: str, row: int, dimension: int) -> None:
    words = line.words
    if not dimension:
        line.refuse("expected DIMENSION before the sections")
    if section in _ROWS_A_NODE:
        if len(words) != _ROWS_A_NODE[section]:
            line.refuse(f"expected {_ROWS_A_NODE[section]} numbers in {section.upper()}_SECTION, got {len(words)}")
        if row > dimension:
            line.refuse(f"expected {dimension} rows in {section.upper()}_SECTION, got one more")
        if line.whole_number_of(words[0], "the node") != row:
            line.refuse(f"expected node {row}, got {words[0]}")
        for word in words[1:]:
            line.number_of(word, "a value", least=-1e9 if section == "node_coord" else 0)
    else:
        if row > dimension * dimension:
            line.refuse(f"expected at most {dimension * dimension} rows")
        for word in words:
            line.number_of(word, "a value", least=-1 if section == "depot" else 0)


def _finish(section: str, rows: int, dimension: int, line: Line) -> None:
    if section in _ROWS_A_NODE and rows != dimension:
        line.refuse(f"expected {dimension} rows in {section.upper()}_SECTION, got {rows}")


def _task(said: dict[str, Any], where: dict[str, Line], source: str) -> Task:
    kind = str(said.get("type", "CVRP")).upper()
    timed = "time_window" in said or "release_time" in said
    scale = _TENTHS if timed or kind in _TOLD_IN_TENTHS else 1
    size = int(said["dimension"])
    depots = [int(node) for node in np.atleast_1d(said.get("depot", np.array([0])))]
    if depots != list(range(len(depots))) or not depots:
        where.get("depot_section", where["eof"]).refuse("expected the depots to be the first nodes")
    first = len(depots)
    if first >= size:
        where["eof"].refuse("expected at least one customer")
    weights = np.asarray(said["edge_weight"], dtype=np.float64)
    if weights.shape != (size, size):
        where.get("edge_weight_section", where["eof"]).refuse(f"expected {size} x {size} weights, got {weights.shape}")
    distance = (np.round(weights) if scale == 1 else np.floor(weights * scale + 1e-9)).astype(np.int64)
    np.fill_diagonal(distance, 0)

    demand = _column(said, "demand", size)
    prize = _scaled(_column(said, "prize", size), scale)
    windows = _windows(said, where, scale=scale, size=size)
    shift_s = (0, NO_END_S) if windows is None else windows[0]
    by_vehicle = fleet(said, where, scale=scale, customers=size - first, first=first)
    if by_vehicle.count is None:
        count = needed_at_most(demand[first:], by_vehicle.capacities, timed=timed)
    else:
        count = by_vehicle.count
    if count > VEHICLES_AT_MOST:
        where["eof"].refuse(f"expected at most {VEHICLES_AT_MOST} vehicles, got {count}")
    vehicles = tuple(by_vehicle.vehicle(number, total_l=int(demand.sum()), shift_s=shift_s) for number in range(count))
    problem = Problem(
        stop_ids=tuple(str(node) for node in range(first, size)),
        location=np.arange(first, size, dtype=np.int64),
        demand_l=demand[first:],
        service_s=_service(said, scale=scale, size=size, depots=first)[first:],
        prize=prize[first:],
        must=prize[first:] == 0,
        windows=() if windows is None else tuple((Window(from_s=a, until_s=b),) for a, b in windows[first:]),
        release_s=_scaled(_column(said, "release_time", size), scale)[first:],
        barred=by_vehicle.barred(count, customers=size - first),
        vehicles=vehicles,
        disposals=_reloads(by_vehicle.reloads, windows),
        duration_s=distance if timed else np.zeros_like(distance),
        distance_m=distance.copy(),
        prices=Prices(per_metre=1, per_second=0, per_vehicle=0),
    )
    tenths = kind in _TOLD_IN_TENTHS
    return Task(
        problem=problem,
        name=str(said.get("name", source)),
        file_format=f"vrplib {kind}",
        unit=Unit(
            name="distance" if scale == 1 else "tenths of distance" if tenths else "distance to one decimal",
            divisor=1 if tenths else scale,
        ),
        positions=tuple((float(x), float(y)) for x, y in said["node_coord"]) if "node_coord" in said else None,
        numbered=True,
    )


def _column(said: dict[str, Any], name: str, size: int) -> Integers:
    values = np.asarray(said.get(name, 0), dtype=np.float64)
    return np.broadcast_to(values, (size,)).copy() if name != "demand" else _whole(np.broadcast_to(values, (size,)))


def _whole(values: Any) -> Integers:
    """Return demands as whole numbers; a fraction counts as the next."""
    return np.asarray(np.ceil(values), dtype=np.int64)


def _scaled(values: Any, scale: int) -> Integers:
    return np.asarray(np.floor(values * scale + 1e-9), dtype=np.int64)


def _service(said: dict[str, Any], *, scale: int, size: int, depots: int) -> Integers:
    service = _scaled(np.broadcast_to(np.asarray(said.get("service_time", 0), dtype=np.float64), (size,)), scale)
    service[:depots] = 0
    return service


def _windows(said: dict[str, Any], where: dict[str, Line], *, scale: int, size: int) -> list[tuple[int, int]] | None:
    if "time_window" not in said:
        return None
    spans = [(math.floor(a * scale + 1e-9), math.floor(b * scale + 1e-9)) for a, b in said["time_window"]]
    for node in range(size):
        if spans[node][0] > spans[node][1]:
            where["time_window_section"].refuse(f"node {node + 1}: expected a window that ends after it begins")
    if spans[0][0] >= spans[0][1]:
        where["time_window_section"].refuse("expected a depot that is open for some time")
    return spans


def _reloads(depots: tuple[int, ...], windows: list[tuple[int, int]] | None) -> tuple[DayDisposal, ...]:
    """Return the depots where vehicles reload: places where a load ends and the next trip's begins."""
    return tuple(
        DayDisposal(
            place_id=str(depot),
            location=depot,
            unload_s=0,
            windows=() if windows is None else (Window(from_s=windows[depot][0], until_s=windows[depot][1]),),
        )
        for depot in depots
    )
