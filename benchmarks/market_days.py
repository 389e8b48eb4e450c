"""What it is worth to tell the forecast of markets, on simulated communes; prints JSON.

    python benchmarks/market_days.py [--seeds 1 2 3] [--bins 600] [--sensors 180] [--days 42]

The simulator's markets bring litres to the bins of a few streets on two mornings a week; it has no holidays. The same
model is fitted with and without being told of them, and forecasts bins without a sensor over the two days to come if
nobody empties: near the markets on all days and over market hours, and elsewhere, where nothing should change.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from optimise.fill.calendar import TownCalendar
from optimise.fill.model import fit_model
from optimise.fill.readings import HOUR_S
from storage.model import TownEvent, TownEventKind
from tests.sensing import START, TEST_H, Commune, commune

_AHEAD_H = np.arange(3, 49, 3)
_STEP_H = 13


def main() -> None:
    """Measure, and print the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--bins", type=int, default=600)
    parser.add_argument("--sensors", type=int, default=180)
    parser.add_argument("--days", type=int, default=42)
    options = parser.parse_args()
    with threadpool_limits(1):
        towns = [_town(seed, options) for seed in options.seeds]
    names = [name for name in towns[0] if name.startswith("mae_")]
    mean = {name: round(float(np.mean([town[name] for town in towns])), 2) for name in names}
    print(json.dumps({"bins": options.bins, "sensors": options.sensors, "mean": mean, "towns": towns}, indent=2))


def _town(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    town = commune(seed=seed, bins=options.bins, days=options.days)
    market_l = town.world.fill._process._character.market_l  # noqa: SLF001 - what only the simulator knows
    random = np.random.default_rng(seed)
    sensored = random.choice(options.bins, options.sensors, replace=False)
    blind = np.setdiff1d(np.arange(options.bins), sensored)
    told = replace(town.heard(sensored), calendar=TownCalendar(events=tuple(_events(town, market_l))))
    unaware = replace(told, calendar=TownCalendar())
    cut_s = told.as_of_s - TEST_H * HOUR_S
    aware_model, unaware_model = fit_model(told.at(cut_s), seed=0), fit_model(unaware.at(cut_s), seed=0)
    near = (market_l.max(axis=1) > 0)[blind]
    errors: dict[str, list[NDArray[np.float64]]] = {}
    for issue_s in range(cut_s, told.as_of_s - 48 * HOUR_S, _STEP_H * HOUR_S):
        valid_s = issue_s + _AHEAD_H * HOUR_S
        truth = np.minimum(town.truth(issue_s, valid_s)[blind], 1.0)
        for name, data, model in (("told", told, aware_model), ("untold", unaware, unaware_model)):
            expected = np.minimum(model.outlook(data.at(issue_s), blind, valid_s).expected, 1.0)
            error = np.abs(expected - truth) * 100
            errors.setdefault(f"mae_{name}_near", []).append(error[near].ravel())
            errors.setdefault(f"mae_{name}_elsewhere", []).append(error[~near].ravel())
            # The rise over three hours, where a market was held in them.
            rise, true_rise = np.diff(expected, axis=1), np.diff(truth, axis=1)
            held = _held(market_l[blind], valid_s)
            errors.setdefault(f"mae_{name}_rise_at_markets", []).append(np.abs(rise - true_rise)[held] * 100)
    return {
        "seed": seed,
        "markets": len(told.calendar.events),
        "bins_near": int(near.sum()),
        "litres_per_h": {kind: round(value, 2) for kind, value in aware_model.days.litres_per_h.items()},
        "true_litres_per_h": round(float(market_l[market_l > 0].mean()), 2),
        **{name: round(float(np.concatenate(values).mean()), 3) for name, values in errors.items()},
    }


def _held(market_l: NDArray[np.float64], valid_s: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return (bins, moments - 1) whether a market was held at the bin between two moments."""
    slot = ((valid_s - int(START.timestamp())) // HOUR_S + 1) % 168  # START is Monday 1 h local
    return np.stack([market_l[:, (slot[:-1] + hour) % 168] > 0 for hour in range(3)]).any(axis=0)


def _events(town: Commune, market_l: NDArray[np.float64]) -> list[TownEvent]:
    """Return the markets as a town hall would tell them: a place, a radius, two mornings a week."""
    events = []
    patterns = {tuple(np.flatnonzero(row)) for row in market_l if row.any()}
    single = [pattern for pattern in patterns if len(pattern) <= 12]
    for number, pattern in enumerate(sorted(single)):
        reached = np.flatnonzero([set(pattern) <= set(np.flatnonzero(row)) for row in market_l])
        where = np.array([(town.bins[row].longitude_deg, town.bins[row].latitude_deg) for row in reached])
        middle = where.mean(axis=0)
        metres = np.hypot(*((where - middle) * (np.cos(np.radians(middle[1])), 1.0) * 111_195.0).T)
        for day in sorted({hour // 24 for hour in pattern}):
            hours = [hour % 24 for hour in pattern if hour // 24 == day]
            monday = datetime(2026, 3, 2, tzinfo=ZoneInfo(town.world.time_zone))  # the week in which START lies
            begins = monday + timedelta(days=int(day), hours=int(min(hours)))
            events.append(
                TownEvent(
                    event_id=UUID(int=100 * number + int(day)),
                    kind=TownEventKind.MARKET,
                    name=f"market {number} on day {day}",
                    starts_at=begins,
                    ends_at=begins + timedelta(hours=len(hours)),
                    weekly_until=date(2027, 1, 1),
                    longitude_deg=float(middle[0]),
                    latitude_deg=float(middle[1]),
                    radius_m=float(metres.max() + 5),
                )
            )
    return events


if __name__ == "__main__":
    main()
