"""Months of service: what each policy drives at each promised service, as JSON; pictures with --plot.

    python benchmarks/service_months.py --parts months --plot docs/figures/service-months.svg

Every policy at every service is one run of `voirie evaluate rounds --only POLICY`. What is in --parts already is not
run again, so that a long comparison can be made in pieces: --only and --services choose what to run now.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from optimise.rounds.months.figures import savings

POLICIES = ("fixed", "threshold", "ours_0", "ours_30", "ours_100", "perfect", "informed", "fixed_hot")


def main() -> None:
    """Run what is missing, put together what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=Path, required=True, help="folder of finished runs")
    parser.add_argument("--services", type=float, nargs="+", default=[0.99, 0.995, 0.999])
    parser.add_argument("--only", nargs="+", choices=POLICIES, default=list(POLICIES))
    parser.add_argument("--plot", type=Path, help="file of the picture (.svg or .png)")
    parser.add_argument("options", nargs="*", help="after --: options of voirie evaluate rounds")
    asked = parser.parse_args()
    asked.parts.mkdir(parents=True, exist_ok=True)
    for service in asked.services:
        for policy in asked.only:
            part = asked.parts / f"{service}-{policy}.json"
            if not part.exists():
                _run(part, policy, service, asked.options)
    document = {str(service): merged(asked.parts, service) for service in asked.services}
    if asked.plot is not None:
        _draw(document, asked.plot)
    sys.stdout.write(json.dumps(document, indent=1) + "\n")


def _run(part: Path, policy: str, service: float, options: list[str]) -> None:
    command = [sys.executable, "-m", "cli", "evaluate", "rounds", "--only", policy, "--service", str(service), "--json"]
    done = subprocess.run([*command, *options], stdout=subprocess.PIPE, check=True)
    part.write_bytes(done.stdout)


def merged(parts: Path, service: float) -> dict[str, Any]:
    """Return the runs of one service as one document, without what each town's seed said."""
    found = [
        json.loads(file.read_text()) for policy in POLICIES if (file := parts / f"{service}-{policy}.json").exists()
    ]
    rows = [row for document in found for row in (*document["policies"], *document["references"])]
    of_town = {row["policy"]: row.pop("by_seed") for row in rows}
    return {
        "policies": rows,
        "savings": savings(of_town),
        "calibration": [one for document in found for one in document["calibration"]],
        "options": found[0]["options"] if found else None,
        "assumptions": found[0]["assumptions"] if found else None,
        "seconds": sum(document["seconds"] for document in found),
    }


def _draw(document: dict[str, Any], file: Path) -> None:
    with mpl.rc_context({"svg.hashsalt": "voirie", "font.size": 9}):
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        against, fills = figure.subplots(1, 2)
        for policy in POLICIES:
            rows = [row for part in document.values() for row in part["policies"] if row["policy"] == policy]
            if not rows:
                continue
            rows.sort(key=lambda row: row["service_level"])
            against.plot(
                [100 * (1 - row["service_level"]) for row in rows],
                [row["km_per_day"] for row in rows],
                marker="o",
                label=policy,
            )
            shares = rows[-1]["fill_histogram"]
            fills.plot([10 * step + 5 for step in range(len(shares))], [100 * share for share in shares], label=policy)
        against.set(xlabel="bin-days with an overflow (%)", ylabel="km a day", xlim=(0, None), ylim=(0, None))
        fills.set(xlabel="fill when emptied, at the best service played (%)", ylabel="emptyings (%)", ylim=(0, None))
        against.legend(fontsize=7)
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else {})


if __name__ == "__main__":
    main()
