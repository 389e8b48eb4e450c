"""How good rounds are after so many seconds: `voirie solve` on public instances, side by side with PyVRP alone.

    python benchmarks/rounds.py DATA [--seconds 60] [--threads 2] [--engines best pyvrp] [--only NAME ...]

DATA is a folder with `vrp/{cvrp,pcvrptw,mtvrptwr}/*.vrp` beside their `.sol`, and `wcvrptw/*_stop.txt` beside
`kim2006_table3.csv`. Every engine gets the same cores and the same wall time, reading and checking included; PyVRP
alone runs a seed on each core, of which the better counts. One JSON document on standard output, progress on standard
error.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import re
import subprocess
import sys
from pathlib import Path
from statistics import fmean
from typing import Any


def main() -> None:
    """Run what was asked and print the JSON."""
    options = _options()
    found: list[dict[str, Any]] = []
    for path in _instances(options.data):
        if options.only and path.stem not in options.only:
            continue
        known = _known(path)
        for engine in options.engines:
            found.append(_solved(path, engine, known, options))
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    json.dump(
        {
            "seconds": options.seconds,
            "threads": options.threads,
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
            "instances": found,
            "means": _means(found),
        },
        sys.stdout,
        indent=1,
    )
    print()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engines", nargs="+", default=["best", "pyvrp"])
    parser.add_argument("--only", nargs="*", default=[])
    return parser.parse_args()


def _instances(data: Path) -> list[Path]:
    return sorted(data.glob("vrp/*/*.vrp")) + sorted(data.glob("wcvrptw/*_stop.txt"))


def _known(path: Path) -> dict[str, float]:
    """Return the best known cost, or what Kim's algorithm 2 drove: miles and vehicles."""
    solution = path.with_suffix(".sol")
    if solution.exists():
        told = re.search(r"Cost:?\s+([\d.]+)", solution.read_text())
        return {} if told is None else {"cost": float(told.group(1))}
    table = path.parent / "kim2006_table3.csv"
    with table.open() as rows:
        for row in csv.DictReader(rows):
            if row["instance"] == path.stem and row["algorithm"] == "2":
                return {"cost": float(row["total_distance_mile"]), "vehicles": int(row["vehicles"])}
    return {}


def _solved(path: Path, engine: str, known: dict[str, float], options: argparse.Namespace) -> dict[str, Any]:
    command = [
        sys.executable, "-m", "cli", "solve", str(path), "--seconds", str(options.seconds),
        "--threads", str(options.threads), "--seed", str(options.seed), "--engine", engine, "--json",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        return {"instance": path.stem, "engine": engine, "error": done.stderr[-300:]}
    answer = json.loads(done.stdout)
    return {
        "instance": path.stem,
        "kind": path.parent.name,
        "engine": engine,
        "cost": answer["cost"],
        "gap_percent": round(100 * (answer["cost"] / known["cost"] - 1), 3) if "cost" in known else None,
        "vehicles": answer["vehicles"],
        "known_vehicles": known.get("vehicles"),
        "unserved": len(answer["unserved"]),
        "accepted": answer["checker"]["accepted"],
        "seconds": answer["seconds"],
    }


def _means(found: list[dict[str, Any]]) -> dict[str, float]:
    means = {}
    for kind, engine in sorted({(one["kind"], one["engine"]) for one in found if one.get("gap_percent") is not None}):
        gaps = [one["gap_percent"] for one in found if (one.get("kind"), one["engine"]) == (kind, engine)]
        means[f"{kind} {engine}"] = round(fmean(gaps), 3)
    return means


if __name__ == "__main__":
    main()
