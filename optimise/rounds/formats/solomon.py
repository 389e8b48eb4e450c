"""Solomon's text format of the VRPTW (1987, doi:10.1287/opre.35.2.254), as Homberger & Gehring use it too.

Distances and times count in tenths, truncated, as the published best known values do (one decimal); the file's unit of
cost is the distance unit.
"""

from __future__ import annotations

import numpy as np

from optimise.rounds.formats.lines import Line, lines_of
from optimise.rounds.formats.task import PLACES_AT_MOST, Task, Unit
from optimise.rounds.problem import DayVehicle, Prices, Problem, Window
from storage.errors import InputError

_TENTHS = 10
_COLUMNS = 7
_VEHICLES_AT_MOST = 5_000


def looks_like(text: str) -> bool:
    """Whether the text begins as these files do."""
    head = text[:2000].upper()
    return "VEHICLE" in head and "CUST NO" in head.replace(".", "") and "_SECTION" not in head


def read(text: str, source: str) -> Task:
    """Return the task that the text states. Raises InputError with the line and the reason."""
    lines = list(lines_of(text, source))
    if not lines:
        raise InputError(f"{source}: line 1: expected the name of the instance, got nothing")
    count, capacity, first = _fleet(lines)
    rows = [_row(line) for line in lines[first:]]
    if len(rows) > PLACES_AT_MOST:
        lines[first + PLACES_AT_MOST].refuse(f"expected at most {PLACES_AT_MOST} places")
    if len(rows) < 2:  # noqa: PLR2004 - a depot and a customer
        lines[-1].refuse("expected a depot and at least one customer")
    table = np.array(rows)
    numbers = table[:, 0].astype(np.int64).tolist()
    if len(set(numbers)) < len(numbers):
        twice = next(k for k, number in enumerate(numbers) if number in numbers[:k])
        lines[first + twice].refuse(f"customer {numbers[twice]} was on a line before")
    xy = table[:, 1:3]
    tenths = (np.sqrt(((xy[:, None, :] - xy[None, :, :]) ** 2).sum(axis=2)) * _TENTHS).astype(np.int64)
    timed = (table[:, 4:7] * _TENTHS).astype(np.int64)
    if timed[0, 0] >= timed[0, 1]:
        lines[first].refuse("expected a depot that is open for some time")
    problem = Problem(
        stop_ids=tuple(str(number) for number in numbers[1:]),
        location=np.arange(1, len(rows), dtype=np.int64),
        demand_l=table[1:, 3].astype(np.int64),
        service_s=timed[1:, 2],
        prize=np.zeros(len(rows) - 1, dtype=np.int64),
        must=np.ones(len(rows) - 1, dtype=np.bool_),
        windows=tuple((Window(from_s=int(a), until_s=int(b)),) for a, b in timed[1:, :2]),
        vehicles=tuple(
            DayVehicle(
                vehicle_id=f"{number}",
                capacity_l=capacity,
                depot=0,
                shift_from_s=int(timed[0, 0]),
                shift_until_s=int(timed[0, 1]),
            )
            for number in range(1, count + 1)
        ),
        duration_s=tenths,
        distance_m=tenths.copy(),
        prices=Prices(per_metre=1, per_second=0, per_vehicle=0),
    )
    return Task(
        problem=problem,
        name=lines[0].text,
        file_format="solomon",
        unit=Unit(name="distance to one decimal", divisor=_TENTHS),
        positions=tuple((float(x), float(y)) for x, y in xy),
        numbered=True,
    )


def _fleet(lines: list[Line]) -> tuple[int, int, int]:
    """Return the number of vehicles, their capacity, and which line holds the depot."""
    numbers = [at for at, line in enumerate(lines) if "NUMBER" in line.text.upper()]
    if not numbers or numbers[0] + 1 >= len(lines):
        lines[-1].refuse("expected a line NUMBER CAPACITY and the numbers below it")
    line = lines[numbers[0] + 1]
    if len(line.words) != 2:  # noqa: PLR2004 - number and capacity
        line.refuse(f"expected the number of vehicles and their capacity, got {len(line.words)} words")
    count = line.whole_number_of(line.words[0], "the number of vehicles", least=1)
    if count > _VEHICLES_AT_MOST:
        line.refuse(f"expected at most {_VEHICLES_AT_MOST} vehicles, got {count}")
    capacity = line.whole_number_of(line.words[1], "the capacity", least=1)
    headers = [at for at, one in enumerate(lines) if one.text.upper().startswith("CUST NO")]
    if not headers:
        lines[-1].refuse("expected the header CUST NO. XCOORD. YCOORD. DEMAND READY DUE SERVICE")
    return count, capacity, headers[0] + 1


def _row(line: Line) -> list[float]:
    words = line.words
    if len(words) != _COLUMNS:
        line.refuse(f"expected {_COLUMNS} columns, got {len(words)}")
    names = ("the customer's number", "x", "y", "the demand", "the ready time", "the due date", "the service time")
    row = [
        line.whole_number_of(word, name)
        if name in {"the customer's number", "the demand"}
        else line.number_of(word, name, least=-1e9 if name in {"x", "y"} else 0)
        for word, name in zip(words, names, strict=True)
    ]
    if row[4] > row[5]:
        line.refuse(f"expected a due date after the ready time, got {words[4]} and {words[5]}")
    return row
