"""Rounds as they were planned, as they were done, and as the town drove them before."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class KpiBy(StrEnum):
    """What figures of rounds are summed by."""

    DAY = "day"
    SECTOR = "sector"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True, slots=True)
class FormerRound:
    """What the town drove in a sector on a weekday (ISO, 1: Monday) before rounds were planned by forecasts.

    `km` and `hours` are the sector's share of the vehicles' rounds. `computed`: by us from the calendar, on streets or
    on great circles as `source` says, rather than told by the town.
    """

    sector: str
    weekday: int
    km: float
    hours: float
    bins: int | None = None
    computed: bool = False
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kpi:
    """Figures of a day, a sector or a month (`key`: 2026-03-10, a sector's name, 2026-03). None is not known, never 0.

    `planned_*` is of the plans that were published before the day's repairs and edits on the road, `done_*` of what
    crews declared: kilometres are those of the planned way up to the last declared stop, `done_told_km`
    what vehicles' own positions came to, where tablets told them, `done_bridged_km` of these over silences.
    `compared_*` sums both over those days alone on which rounds were declared and former rounds are known.
    """

    key: str
    days: int
    planned_days: int
    planned_km: float | None
    planned_hours: float | None
    planned_bins: int | None
    planned_fill_fraction: float | None
    planned_overflows: float | None
    planned_co2_kg: float | None
    done_days: int
    done_km: float | None
    done_hours: float | None
    done_told_km: float | None
    done_bridged_km: float | None
    done_bins: int | None
    done_bins_off_plan: int | None
    done_bins_seen_only: int | None
    done_fill_declared_fraction: float | None
    done_fill_measured_fraction: float | None
    done_overflows_declared: int | None
    done_overflows_measured: int | None
    done_bins_measured: int
    done_co2_kg: float | None
    former_km: float | None
    former_hours: float | None
    former_bins: int | None
    former_co2_kg: float | None
    compared_days: int
    compared_done_km: float | None
    compared_former_km: float | None
