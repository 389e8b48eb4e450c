"""The waste-collection problems of Kim, Kim & Sahoo (2006, doi:10.1016/j.cor.2005.02.045).

Five lines say the vehicle's capacity and a day's cap in cubic yards, a day's cap in stops, the length of lunch in
seconds and the speed in miles an hour; then a row for each place: id, x and y in feet, the times between which service
may begin (HHMM), service time in seconds, load in yards, and its kind (0 depot, 1 stop, 2 disposal site).

In the problem a metre stands for a foot (streets are a grid: dx + dy) and a litre for a hundredth of a yard; drives
take whole seconds, rounded up, so that no rule is kept by rounding. All vehicles are alike and as many as it takes, of
which the paper wants the fewest first: each costs more than it could ever drive. The file's unit of cost is the mile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimise.rounds.formats.lines import Line, lines_of
from optimise.rounds.formats.task import PLACES_AT_MOST, Task, Unit
from optimise.rounds.problem import DayDisposal, DayVehicle, Prices, Problem, Window
from storage.errors import InputError

FEET_A_MILE = 5_280
_PARTS_A_YARD = 100
_HEADER_LINES = 5
_COLUMNS = 8
_DEPOT, _STOP, _DISPOSAL = 0, 1, 2
_LUNCH_FROM_S, _LUNCH_STARTS_UNTIL_S = 11 * 3600, 12 * 3600
_DAY_S = 24 * 3600
_MILES_A_VEHICLE = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    line: Line
    name: str
    x_ft: float
    y_ft: float
    from_s: int
    until_s: int
    service_s: int
    load: int
    kind: int


def looks_like(text: str) -> bool:
    """Whether the text begins as these files do: a header line of a number, and a column header that names stops."""
    head = text.lstrip()[:2000].splitlines()[: _HEADER_LINES + 1]
    return len(head) > _HEADER_LINES and "stop_id" in head[_HEADER_LINES].lower()


def read(text: str, source: str) -> Task:
    """Return the task that the text states. Raises InputError with the line and the reason."""
    lines = list(lines_of(text, source))
    if len(lines) <= _HEADER_LINES + 1:
        raise InputError(f"{source}: line {len(lines) + 1}: expected five header lines, a column header and places")
    capacity, day_load, day_stops, lunch_s, speed_mph = _header(lines)
    places = [_place(line) for line in lines[_HEADER_LINES + 1 :]]
    if len(places) > PLACES_AT_MOST:
        places[PLACES_AT_MOST].line.refuse(f"expected at most {PLACES_AT_MOST} places")
    depot, stops, sites = _sorted_out(places, lines[-1])
    seen: dict[str, int] = {}
    for place in places:
        if place.name in seen:
            place.line.refuse(f"place {place.name} is on line {seen[place.name]} already")
        seen[place.name] = place.line.number

    x_ft = np.array([place.x_ft for place in places])
    y_ft = np.array([place.y_ft for place in places])
    feet = np.abs(x_ft[:, None] - x_ft[None, :]) + np.abs(y_ft[:, None] - y_ft[None, :])
    row = {place.name: number for number, place in enumerate(places)}
    vehicles = tuple(
        DayVehicle(
            vehicle_id=f"{number}",
            capacity_l=capacity,
            depot=row[depot.name],
            shift_from_s=depot.from_s,
            shift_until_s=depot.until_s,
            break_s=lunch_s,
            break_from_s=_LUNCH_FROM_S,
            break_until_s=_LUNCH_STARTS_UNTIL_S + lunch_s,
            day_l=day_load,
            day_stops=day_stops,
        )
        for number in range(1, min(len(stops), max(100, len(stops) // 10)) + 1)
    )
    problem = Problem(
        stop_ids=tuple(place.name for place in stops),
        location=np.array([row[place.name] for place in stops], dtype=np.int64),
        demand_l=np.array([place.load for place in stops], dtype=np.int64),
        service_s=np.array([place.service_s for place in stops], dtype=np.int64),
        prize=np.zeros(len(stops), dtype=np.int64),
        must=np.ones(len(stops), dtype=np.bool_),
        windows=tuple(_windows(place) for place in stops),
        vehicles=vehicles,
        disposals=tuple(
            DayDisposal(
                place_id=place.name, location=row[place.name], unload_s=place.service_s, windows=_windows(place)
            )
            for place in sites
        ),
        duration_s=np.ceil(np.round(feet / (speed_mph * FEET_A_MILE / 3600), 6)).astype(np.int64),
        distance_m=np.round(feet).astype(np.int64),
        prices=Prices(per_metre=1, per_second=0, per_vehicle=_MILES_A_VEHICLE * FEET_A_MILE),
    )
    return Task(
        problem=problem,
        name=source,
        file_format="waste-collection",
        unit=Unit(name="miles", divisor=FEET_A_MILE, of_distance=True, vehicle=_MILES_A_VEHICLE * FEET_A_MILE),
        positions=tuple((place.x_ft, place.y_ft) for place in places),
        numbered=True,
    )


def _header(lines: list[Line]) -> tuple[int, int, int, int, float]:
    """Return capacity and day's cap (hundredths of a yard), stops a day, lunch in seconds, speed in miles an hour."""
    capacity = _parts(lines[0], lines[0].words[0], "the vehicle's capacity")
    if not capacity:
        lines[0].refuse("expected a capacity > 0")
    day_load = _parts(lines[1], lines[1].words[0], "the load of a day")
    day_stops = lines[2].whole_number_of(lines[2].words[0], "the stops of a day")
    lunch_s = lines[3].whole_number_of(lines[3].words[0], "the length of lunch in seconds")
    if lunch_s > _DAY_S:
        lines[3].refuse("expected a lunch shorter than a day")
    speed_mph = lines[4].number_of(lines[4].words[0], "the speed in miles an hour")
    if not speed_mph:
        lines[4].refuse("expected a speed > 0")
    return capacity, day_load, day_stops, lunch_s, speed_mph


def _parts(line: Line, word: str, what: str) -> int:
    parts = line.number_of(word, what) * _PARTS_A_YARD
    if abs(parts - round(parts)) > 1e-6:  # noqa: PLR2004 - what floats make of hundredths
        line.refuse(f"expected {what} in hundredths of a yard at most, got {word}")
    return round(parts)


def _place(line: Line) -> _Place:
    words = line.words
    if len(words) != _COLUMNS:
        line.refuse(f"expected {_COLUMNS} columns, got {len(words)}")
    name, x, y, early, late, service, load, kind = words
    place = _Place(
        line=line,
        name=str(line.whole_number_of(name, "the place's id")),
        x_ft=line.number_of(x, "x", least=-1e9),
        y_ft=line.number_of(y, "y", least=-1e9),
        from_s=_clock_s(line, early),
        until_s=_clock_s(line, late),
        service_s=line.whole_number_of(service, "the service time"),
        load=0 if line.whole_number_of(kind, "the kind of place") != _STOP else _parts(line, load, "the load"),
        kind=line.whole_number_of(kind, "the kind of place"),
    )
    if place.kind not in {_DEPOT, _STOP, _DISPOSAL}:
        line.refuse(f"expected 0 (depot), 1 (stop) or 2 (disposal site), got {kind}")
    if place.from_s > place.until_s:
        line.refuse(f"expected a time window that ends after it begins, got {early} to {late}")
    return place


def _clock_s(line: Line, word: str) -> int:
    value = line.whole_number_of(word, "a time of day (HHMM)")
    hours, minutes = divmod(value, 100)
    if minutes >= 60 or hours * 3600 + minutes * 60 > _DAY_S:  # noqa: PLR2004 - minutes of an hour
        line.refuse(f"expected a time of day from 0000 to 2400, got {word}")
    return hours * 3600 + minutes * 60


def _sorted_out(places: list[_Place], last: Line) -> tuple[_Place, list[_Place], list[_Place]]:
    depots = [place for place in places if place.kind == _DEPOT]
    if len(depots) != 1:
        (depots[1].line if depots else last).refuse(f"expected one depot, got {len(depots)}")
    stops = [place for place in places if place.kind == _STOP]
    sites = [place for place in places if place.kind == _DISPOSAL]
    if not stops:
        last.refuse("expected at least one stop, got none")
    if not sites:
        last.refuse("expected at least one disposal site, got none")
    if depots[0].from_s >= depots[0].until_s:
        depots[0].line.refuse("expected a depot that is open for some time")
    return depots[0], stops, sites


def _windows(place: _Place) -> tuple[Window, ...]:
    """Return when service may begin; none when that is all day."""
    if place.from_s == 0 and place.until_s == _DAY_S:
        return ()
    return (Window(from_s=place.from_s, until_s=place.until_s),)
