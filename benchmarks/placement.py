"""How much the advised places for sensors lower the forecast's error against other ways to choose; prints JSON.

    python benchmarks/placement.py [--seeds 1 2 3 4] [--bins 400] [--sensors 40] [--more 20] [--draws 5]

Simulated communes: some bins have a sensor; for `more` others the advice is asked with what is known at the time of
the choice. Then the same four weeks are heard again with those sensors, or with as many chosen otherwise, the model is
fitted anew, and its middle is compared with the true fill of all bins: in the two days to come if nobody empties, and
only until the bin is truly emptied, which is what a round needs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from optimise.fill.features import positions_km
from optimise.fill.readings import HOUR_S
from optimise.fill.report.placement import PlacementOptions
from optimise.fill.report.town import advise, study
from optimise.fill.training import TrainingData
from tests.sensing import TEST_H, commune, errors_of, fullest

JUDGED = ("two_days", "until_emptied")

type Rows = NDArray[np.int64]


def main() -> None:
    """Measure, and print the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--bins", type=int, default=400)
    parser.add_argument("--sensors", type=int, default=40)
    parser.add_argument("--more", type=int, default=20)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--days", type=int, default=28)
    options = parser.parse_args()
    towns = []
    with threadpool_limits(1):
        for seed in options.seeds:
            towns.append(_town(seed, options))
            print(json.dumps(towns[-1]), file=sys.stderr)
    document = {
        "bins": options.bins,
        "sensors": options.sensors,
        "more": options.more,
        **{judged: _summary(towns, judged) for judged in JUDGED},
        "towns": towns,
    }
    print(json.dumps(document, indent=2))


def _summary(towns: list[dict[str, Any]], judged: str) -> dict[str, Any]:
    """Return the mean error now, by how much each way lowers it, and how often the advice beats each other way."""
    figures = {name: np.array([town[judged][name] for town in towns]) for name in towns[0][judged]}
    now, advised = figures.pop("none"), figures["advised"]
    return {
        "mae_now": round(float(now.mean()), 3),
        "lower_by": {name: round(float((now - found).mean()), 3) for name, found in figures.items()},
        "advice_better_by": {
            name: {
                "mean": round(float((found - advised).mean()), 3),
                "standard_error": round(float((found - advised).std(ddof=1) / np.sqrt(len(found))), 3),
                "towns": f"{int((found > advised).sum())} of {len(found)}",
            }
            for name, found in figures.items()
            if name != "advised" and len(found) > 1
        },
    }


def _town(seed: int, options: argparse.Namespace) -> dict[str, Any]:
    town = commune(seed=seed, bins=options.bins, days=options.days + TEST_H // 24)
    random = np.random.default_rng(seed)
    order = random.permutation(options.bins)
    sensored, others = order[: options.sensors], order[options.sensors :]
    cut_s = int(town.world.start.timestamp()) + options.days * 24 * HOUR_S
    known = town.heard(sensored).at(cut_s)
    began = time.perf_counter()
    studied = study(known, seed=0)
    studied_s = time.perf_counter() - began
    began = time.perf_counter()
    advice = advise(known, studied, PlacementOptions(sensors=options.more))
    advised_s = time.perf_counter() - began
    chosen: dict[str, list[Rows]] = {
        "none": [np.zeros(0, np.int64)],
        "advised": [np.array([one.row for one in advice.placed])],
        "fullest": [fullest(known, studied.model, others)[: options.more]],
        "farthest": [_farthest(known, sensored, others, options.more)],
        "random": [random.permutation(others)[: options.more] for _ in range(options.draws)],
    }
    errors = {
        name: np.mean([errors_of(town, np.concatenate([sensored, rows]), cut_s) for rows in sets], axis=0)
        for name, sets in chosen.items()
    }
    return {
        "seed": seed,
        **{
            judged: {name: round(float(found[index]), 3) for name, found in errors.items()}
            for index, judged in enumerate(JUDGED)
        },
        "expected_now": round(advice.error_now, 2),
        "expected_after": round(advice.error_after[-1], 2),
        "study_s": round(studied_s, 1),
        "advice_s": round(advised_s, 2),
    }


def _farthest(known: TrainingData, sensored: Rows, others: Rows, more: int) -> Rows:
    """Return the bins that are, one by one, farthest from every sensor so far."""
    where, chosen = positions_km(known.bins), list(sensored)
    for _ in range(more):
        apart = np.linalg.norm(where[others][:, None, :] - where[chosen][None, :, :], axis=2).min(axis=1)
        chosen.append(int(others[int(np.argmax(apart))]))
    return np.array(chosen[len(sensored) :])


if __name__ == "__main__":
    main()
