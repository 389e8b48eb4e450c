"""Why the loss model tells too many who found no place, where few came: prints one JSON document.

    python benchmarks/unmet_bias.py [--bays 60] [--weeks 4 8 16] [--seed 7]

One bay each, to which vehicles come as a Poisson stream of a known hourly rate and drive on when it is taken; dwells
are lognormal, one in twelve of hours. The model (optimise/occupancy/unmet.py) multiplies the arrivals over the free
time of a cell (hour and class of day) with its taken time. These hang together: where more came by chance, more of the
time was taken. `estimated` is the model's error, `rate_known` that of the true rate times the taken time, where nothing
hangs together, and `second_order` that of the model less what the covariance of arrivals and taken time over the days
of a cell adds (the delta method). By hours in a cell: a month has some twenty workdays, and four Saturdays.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

RATE_PER_H = np.array([0.0] * 5 + [0.6] * 2 + [1.9] * 13 + [0.6] * 2 + [0.0] * 2)
_CLASSES = np.array([0, 0, 0, 0, 0, 1, 2])
_HOUR_S = 3600.0
_LONG_SHARE = 0.08


def days_of_a_bay(rng: np.random.Generator, *, days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (days, 24) how many found the bay free, how long it was taken, and how many found it taken."""
    hours = days * 24
    came = rng.poisson(np.tile(RATE_PER_H, days))
    at_s = np.sort((np.repeat(np.arange(hours), came) + rng.random(came.sum())) * _HOUR_S)
    dwell_s = rng.lognormal(np.log(900), 0.8, len(at_s))
    long = rng.random(len(at_s)) < _LONG_SHARE
    dwell_s[long] = rng.lognormal(np.log(3 * _HOUR_S), 0.6, int(long.sum()))
    seen, taken_s, missed = (np.zeros(hours) for _ in range(3))
    free_at_s = 0.0
    for moment_s, stay_s in zip(at_s.tolist(), dwell_s.tolist(), strict=True):
        hour = int(moment_s // _HOUR_S)
        if moment_s < free_at_s:
            missed[hour] += 1
            continue
        seen[hour] += 1
        free_at_s = moment_s + stay_s
        since_s = moment_s
        while since_s < min(free_at_s, hours * _HOUR_S):
            hour = int(since_s // _HOUR_S)
            until_s = min(free_at_s, (hour + 1) * _HOUR_S)
            taken_s[hour] += until_s - since_s
            since_s = until_s
    return seen.reshape(-1, 24), taken_s.reshape(-1, 24), missed.reshape(-1, 24)


def told_of(seen: np.ndarray, taken_s: np.ndarray, rate_per_h: float) -> np.ndarray:
    """Return what is told of those who found no place in a cell, (days,) each: the model, rate known, second order."""
    known_s, arrivals, taken = _HOUR_S * len(seen), seen.sum(), taken_s.sum()
    free_s = max(known_s - taken, 0.05 * known_s)
    model = arrivals * taken / free_s
    together = np.cov(seen, taken_s)
    bias = len(seen) * (together[0, 1] * known_s / free_s**2 + together[1, 1] * arrivals * known_s / free_s**3)
    return np.array([model, rate_per_h / _HOUR_S * taken, np.clip(model - bias, 0, model)])


def measure(rng: np.random.Generator, *, bays: int, weeks: int) -> dict[str, Any]:
    """Return the errors over some bays, in all and by hours in a cell."""
    sums: dict[int, np.ndarray] = {}
    for _ in range(bays):
        seen, taken_s, missed = days_of_a_bay(rng, days=7 * weeks)
        class_of = np.tile(_CLASSES, weeks)
        for number in range(3):
            days = class_of == number
            for hour in np.flatnonzero(RATE_PER_H):
                told = told_of(seen[days, hour], taken_s[days, hour], RATE_PER_H[hour])
                sums[int(days.sum())] = sums.get(int(days.sum()), 0) + np.append(told, missed[days, hour].sum())

    def errors(total: np.ndarray) -> dict[str, Any]:
        off = [round(float(value / total[3] - 1), 3) for value in total[:3]]
        return {"found_no_place": int(total[3]), "estimated": off[0], "rate_known": off[1], "second_order": off[2]}

    by_hours = {hours: errors(total) for hours, total in sorted(sums.items())}
    return {"weeks": weeks, "bays": bays, **errors(sum(sums.values())), "by_hours_in_a_cell": by_hours}  # type: ignore[arg-type]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bays", type=int, default=60)
    parser.add_argument("--weeks", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    print(json.dumps([measure(rng, bays=arguments.bays, weeks=weeks) for weeks in arguments.weeks], indent=1))


if __name__ == "__main__":
    main()
