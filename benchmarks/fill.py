"""How long fill forecasts take and how good they are on real towns; prints one JSON document.

    python benchmarks/fill.py [--bins 1000] [--sensors 1000] [--days 365] [--reference FOLDER]

Budget: training on a synthetic town's hourly levels, and forecasting every bin for 7 days x 24 h, in this process; the
memory is its largest resident set after that, the making of the town included. Quality: `voirie evaluate fill` in full
on `FOLDER/wyndham_levels.csv` and `FOLDER/prague_levels.csv`, where a folder is given.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from optimise.fill.forecast import train
from optimise.fill.training import assemble
from storage.level_table import LevelTable
from storage.model import Bin, Emptying

_AS_OF = datetime(2026, 3, 1, 5, tzinfo=UTC)
_FORECAST_DAYS = 7
_TIMES = 3
_COLUMNS = {
    "wyndham": (
        "bin_id=serialNumber,measured_at=timestamp,fill_percent=latestFullness*10,lon=longitude,lat=latitude",
        "Australia/Melbourne",
    ),
    "prague": ("bin_id=container,measured_at=time,fill_percent=fill_pct,kind=stream", "Europe/Prague"),
}
_FIGURES = (
    "n",
    "mae",
    "best_baseline",
    "skill_vs_best",
    "coverage_80",
    "coverage_90",
    "width_80",
    "worst_group_coverage_80",
)


def town(*, bins: int, sensors: int, days: int) -> tuple[list[Bin], LevelTable, list[Emptying]]:
    """Return a made-up town: lumps at rates of their own, emptied every one to three days, a third said how full."""
    rng = np.random.default_rng(0)
    start_s = int(_AS_OF.timestamp()) - days * 86400
    hours = np.arange(days * 24 + 1)
    where = rng.uniform(-0.01, 0.01, (bins, 2))
    shops = rng.poisson(3.0, bins).astype(float)
    rate = 0.012 * np.exp(0.25 * np.log1p(shops) + rng.normal(0, 0.35, bins))
    made, emptied, levels = [], [], []
    for row in range(bins):
        place = f"COR-{row:04d}"
        made.append(
            Bin(
                commune_insee="93051",
                place_id=place,
                longitude_deg=2.55 + where[row, 0],
                latitude_deg=48.85 + where[row, 1],
                street=None,
                bin_kind="park" if row % 7 == 0 else "street",
                volume_l=100.0,
                surroundings={"shops_75m": float(shops[row])},
            )
        )
        thrown = np.cumsum(rng.gamma(rate[row] / 0.02, 0.02, len(hours)))
        at = np.arange(int(rng.integers(0, 24)), len(hours), 24 * int(rng.integers(1, 4)))
        last = np.searchsorted(at, hours, side="right") - 1
        level = thrown - np.where(last >= 0, thrown[at[np.maximum(last, 0)]], 0.0)
        if row < sensors:
            levels.append(np.clip(level + rng.normal(0, 0.01, len(hours)), 0, 1.1).astype(np.float32))
        for hour in at.tolist():
            said = round(4 * min(level[hour - 1], 1.0)) / 4 if hour and rng.random() < 1 / 3 else None
            moment = datetime.fromtimestamp(start_s + hour * 3600, UTC)
            emptied.append(Emptying(place_id=place, emptied_at=moment, found_fraction=said))
    names = np.array([item.place_id for item in made[:sensors]], dtype=object)
    return (
        made,
        LevelTable(
            place_id=np.repeat(names, len(hours)),
            measured_at_s=np.tile(start_s + hours * 3600, len(levels)),
            fill_fraction=np.concatenate(levels) if levels else np.zeros(0, np.float32),
        ),
        emptied,
    )


def budget(*, bins: int, sensors: int, days: int) -> dict[str, Any]:
    """Return seconds of training and of forecasting (the best of three), and the memory that they took."""
    made, levels, emptied = town(bins=bins, sensors=sensors, days=days)
    started = time.perf_counter()
    data = assemble(bins=made, levels=levels, emptyings=emptied, as_of=_AS_OF)
    assembled_s = time.perf_counter() - started
    rows = len(levels)
    del levels
    started, cpu_s = time.perf_counter(), time.process_time()
    forecaster = train(data, seed=0)
    trained_s, trained_cpu_s = time.perf_counter() - started, time.process_time() - cpu_s
    valid_s = int(_AS_OF.timestamp()) + 3600 * np.arange(1, _FORECAST_DAYS * 24 + 1)
    taken = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        table = forecaster.forecast(data, valid_s)
        taken.append(time.perf_counter() - started)
    return {
        "bins": bins,
        "sensors": sensors,
        "days": days,
        "levels": rows,
        "forecasts": int(table.probability_full.size),
        "assemble_s": round(assembled_s, 2),
        "train_s": round(trained_s, 2),
        "train_cpu_s": round(trained_cpu_s, 2),
        "forecast_s": round(min(taken), 2),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def quality(folder: Path, name: str) -> dict[str, Any]:
    """Return the chief figures of one town, as the command prints them."""
    columns, zone = _COLUMNS[name]
    command = [sys.executable, "-m", "cli", "evaluate", "fill", str((folder / f"{name}_levels.csv").resolve())]
    done = subprocess.run(
        [*command, "--columns", columns, "--time-zone", zone, "--json"],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        check=True,
    )
    document = json.loads(done.stdout)
    protocols = document["protocols"]
    scored = {f"sensored {hours} h": scores for hours, scores in protocols["sensored"].items()}
    scored |= {"unsensored": protocols["unsensored"]}
    scored |= {f"{looks} looks": scores for looks, scores in protocols["few_looks"].items()}
    figures = {
        protocol: {
            figure: round(scores[figure], 3) if isinstance(scores[figure], float) else scores[figure]
            for figure in _FIGURES
        }
        for protocol, scores in scored.items()
        if scores is not None
    }
    return {
        "protocols": figures,
        "noise_floor": document["noise_floor"],
        "why": document["why"],
        "seconds": round(document["seconds"], 1),
    }


def main() -> None:
    """Measure, and print the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bins", type=int, default=1000)
    parser.add_argument("--sensors", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--reference", type=Path)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    document: dict[str, Any] = {
        "budget": budget(bins=options.bins, sensors=options.sensors, days=options.days),
        "load_average": os.getloadavg()[0],
    }
    if options.reference:
        document["quality"] = {name: quality(options.reference, name) for name in _COLUMNS}
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
