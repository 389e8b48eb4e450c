"""A day that tells a story: a TOML file with what happens at the kerb and to its sensors, on top of a usual day. Pure.

docs/simulator.md documents the file. Times are local; what does not end after it starts ends the next day.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import time
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Self

from storage.errors import InputError

MOST_BYTES = 1024 * 1024

_MOST_TIMES = 50.0
_MOST_MINUTES = 31 * 24 * 60


class Who(StrEnum):
    """Whose usual arrivals are meant."""

    DELIVERIES = "deliveries"
    PARKING = "parking"


class FaultKind(StrEnum):
    """What befalls a sensor.

    It says nothing (`silent`), repeats what it said last (`stuck`), cannot decide (`flutter`), or what it says comes at
    the end of the fault (`late`).
    """

    SILENT = "silent"
    STUCK = "stuck"
    FLUTTER = "flutter"
    LATE = "late"


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """From `starts` to `ends` so many `times` the usual arrivals come, and stay `dwell_times` as long."""

    who: Who
    starts: time
    ends: time
    times: float = 1.0
    dwell_times: float = 1.0
    places: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        _within("times", self.times, 0, _MOST_TIMES)
        _within("dwell_times", self.dwell_times, 0.01, _MOST_TIMES)


@dataclass(frozen=True, kw_only=True)
class Illicit:
    """From `starts` to `ends` `an_hour` vehicles stop at each of `places` as if there were no rule.

    They stay from `shortest_min` to `longest_min` minutes.
    """

    starts: time
    ends: time
    an_hour: float
    shortest_min: float = 45.0
    longest_min: float = 180.0
    places: tuple[str, ...] = ("ADL-*",)

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        _within("an_hour", self.an_hour, 0, 60)
        _within("shortest_min", self.shortest_min, 1, _MOST_MINUTES)
        _within("longest_min", self.longest_min, self.shortest_min, _MOST_MINUTES)


@dataclass(frozen=True, kw_only=True)
class DoubleUse:
    """From `starts` to `ends` a `share` of `places` is used by residents, each for nearly all of that time."""

    starts: time
    ends: time
    share: float
    places: tuple[str, ...] = ("ADL-*",)

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        _within("share", self.share, 0, 1)


@dataclass(frozen=True, kw_only=True)
class Stay:
    """One vehicle stands at `place` from `at` for `minutes`, whoever else wanted to; `what` is for people."""

    place: str
    at: time
    minutes: float
    what: str = ""

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        _within("minutes", self.minutes, 1, _MOST_MINUTES)


@dataclass(frozen=True, kw_only=True)
class SensorFault:
    """What befalls the sensors of `places` from `starts` to `ends`."""

    kind: FaultKind
    starts: time
    ends: time
    places: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What happens on one day of a simulated commune.

    `day` counts from the local day on which its history ends: 0 is that day, -1 the day before, 1 the first whole one
    that is lived.
    """

    title: str
    day: int = 0
    traffic: tuple[Traffic, ...] = ()
    illicit: tuple[Illicit, ...] = ()
    double_use: tuple[DoubleUse, ...] = ()
    stays: tuple[Stay, ...] = ()
    sensor_faults: tuple[SensorFault, ...] = ()

    def check(self, place_ids: Sequence[str]) -> None:
        """Raise InputError for a name of which the commune has no place."""
        patterns = [pattern for part in _PARTS.values() for one in getattr(self, part) for pattern in _patterns(one)]
        for pattern in patterns:
            if not any(fnmatchcase(place_id, pattern) for place_id in place_ids):
                raise InputError(f"the scenario names {pattern!r}: the commune has no such bay or space")

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the scenario that a file tells. Raises InputError that says where and what."""
        if len(text) > MOST_BYTES:
            raise InputError(f"expected a scenario of at most {MOST_BYTES} bytes")
        try:
            document = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # no TOML; a number with too many digits; nested without end
            raise InputError(f"the scenario is no TOML: {error}") from error
        unknown = set(document) - {"title", "day", *_PARTS}
        if unknown:
            raise InputError(f"the scenario has {', '.join(sorted(unknown))}: expected {', '.join(_PARTS)}, title, day")
        if not isinstance(document.get("title"), str) or not document["title"]:
            raise InputError("the scenario needs a title")
        day = document.get("day", 0)
        if not isinstance(day, int) or isinstance(day, bool) or not -90 <= day <= 90:  # noqa: PLR2004 - as long as a history may be
            raise InputError(f"scenario, day: expected a whole number within -90..90, got {day!r}")
        parts = {part: tuple(_read(name, document.get(name, []))) for name, part in _PARTS.items()}
        return cls(title=document["title"], day=day, **parts)


_PARTS = {
    "traffic": "traffic",
    "illicit": "illicit",
    "double_use": "double_use",
    "stay": "stays",
    "sensor_fault": "sensor_faults",
}
_KINDS: Mapping[str, type[Any]] = {
    "traffic": Traffic,
    "illicit": Illicit,
    "double_use": DoubleUse,
    "stay": Stay,
    "sensor_fault": SensorFault,
}
_NAMES = {"from": "starts", "until": "ends"}


def matching(patterns: Sequence[str], place_ids: Sequence[str]) -> list[int]:
    """Return which of the places (indices) some pattern names; `*` stands for anything."""
    return [
        index for index, place_id in enumerate(place_ids) if any(fnmatchcase(place_id, pattern) for pattern in patterns)
    ]


def _patterns(one: object) -> tuple[str, ...]:
    found: tuple[str, ...] = (one.place,) if isinstance(one, Stay) else getattr(one, "places", ())
    return tuple(pattern for pattern in found if pattern not in {"*", "ADL-*"})


def _read(name: str, tables: Any) -> list[Any]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InputError(f"scenario, {name}: expected tables as [[{name}]]")
    return [_made(name, number, table) for number, table in enumerate(tables, start=1)]


def _made(name: str, number: int, table: Mapping[str, Any]) -> Any:
    where = f"scenario, {name} {number}"
    kind = _KINDS[name]
    known = {field.name: field for field in fields(kind)}
    given: dict[str, Any] = {}
    for told, value in table.items():
        ours = _NAMES.get(told, told)
        if ours not in known or told in _NAMES.values():
            names = [next((said for said, name in _NAMES.items() if name == each), each) for each in known]
            raise InputError(f"{where}: there is no {told!r}; expected {', '.join(names)}")
        given[ours] = _value(where, told, value, hint=str(known[ours].type))
    try:
        return kind(**given)
    except TypeError as error:
        missing = str(error).partition("missing ")[2].replace("starts", "from").replace("ends", "until")
        raise InputError(f"{where}: it lacks {missing or error}") from error
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error


def _value(where: str, name: str, value: Any, *, hint: str) -> Any:
    try:
        match hint:
            case "time":
                return value if isinstance(value, time) else time.fromisoformat(value)
            case "float" if not isinstance(value, bool):
                return float(value)
            case "tuple[str, ...]":
                return tuple(map(str, value)) if isinstance(value, list) and value else (str(value),)
            case "Who":
                return Who(value)
            case "FaultKind":
                return FaultKind(value)
            case "str" if isinstance(value, str):
                return value
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}, {name}: {error}") from error
    raise InputError(f"{where}, {name}: expected {hint}, got {value!r}")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"expected {name} within {low:g}..{high:g}, got {value:g}")
