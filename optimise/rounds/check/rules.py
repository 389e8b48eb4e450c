"""The rules of a day by name, what breaks them, and the judgement as a whole."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Rule(StrEnum):
    """The rules of a day, by the names that violations carry."""

    KNOWN_VEHICLE = "known_vehicle"
    ONE_ROUTE_A_VEHICLE = "one_route_a_vehicle"
    KNOWN_PLACE = "known_place"
    SERVED_ONCE = "served_once"
    ACCOUNTED_FOR = "accounted_for"
    MUST_BE_SERVED = "must_be_served"
    MUST_NOT_BE_SERVED = "must_not_be_served"
    ACCESS_WIDTH = "access_width"
    ACCESS_KIND = "access_kind"
    ACCESS_CREW = "access_crew"
    ACCESS_BARRED = "access_barred"
    SHIFT_START = "shift_start"
    SHIFT_END = "shift_end"
    TIME_ORDER = "time_order"
    TRAVEL_TIME = "travel_time"
    SERVICE_TIME = "service_time"
    WINDOW = "window"
    RELEASE = "release"
    UNLOAD_TIME = "unload_time"
    UNLOAD_WINDOW = "unload_window"
    UNLOADINGS = "unloadings"
    CAPACITY = "capacity"
    CAPACITY_KG = "capacity_kg"
    LOAD_FIGURES = "load_figures"
    DAY_LITRES = "day_litres"
    DAY_STOPS = "day_stops"
    UNLOADED_BEFORE_HOME = "unloaded_before_home"
    RANGE = "range"
    BREAK_TAKEN = "break_taken"
    BREAK_LENGTH = "break_length"
    BREAK_WINDOW = "break_window"
    TOTALS = "totals"
    LOCKED_VEHICLE = "locked_vehicle"
    LOCKED_FIRST = "locked_first"
    LOCKED_IN_PLACE = "locked_in_place"


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One broken rule: by which vehicle, at which place, and the figures."""

    rule: Rule
    vehicle_id: str | None
    place_id: str | None
    detail: str

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.vehicle_id, self.place_id) if part)
        return f"{self.rule}{f' ({where})' if where else ''}: {self.detail}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The checker's judgement and the totals as it computes them.

    `work_s` is driving, serving and unloading; `duration_s` from leaving to coming back; `paid_s` the same without
    the breaks; `overtime_s` what lies after the shifts. `wishes_cost` is the part of `cost` that no invoice shows.
    """

    violations: tuple[Violation, ...]
    distance_m: int
    duration_s: int
    work_s: int
    paid_s: int
    overtime_s: int
    cost: int
    wishes_cost: int

    @property
    def accepted(self) -> bool:
        """Whether no rule is broken."""
        return not self.violations

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as the plan keeps it."""
        return {
            "accepted": self.accepted,
            "rules": [rule.value for rule in Rule],
            "violations": [asdict(violation) for violation in self.violations],
            "distance_m": self.distance_m,
            "duration_s": self.duration_s,
            "work_s": self.work_s,
            "paid_s": self.paid_s,
            "overtime_s": self.overtime_s,
            "cost_eur": round(self.cost / 1e6, 2),
            "wishes_eur": round(self.wishes_cost / 1e6, 2),
        }
