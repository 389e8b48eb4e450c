"""How well sessions tell the stays of vehicles; prints one JSON document.

    python benchmarks/kerb_sessions.py [--seeds 301 302 303] [--bays 60] [--spaces 60] [--days 21] [--flutter 0.1]

Simulated towns whose sensors lose one frame in fifty, repeat, come hours late and die, against who really stood there,
which only the simulator knows; no threshold was set on these seeds. `fluttering`: the same with sensors that cannot
decide at a share of the changes. `speed`: reports made into sessions in a second of one processor.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from optimise.occupancy.sessions import sessions_of
from simulators.faults import FaultOptions
from tests.session_cases import SessionCase, case_of, with_flutter
from tests.session_scores import scores


def summed(found: list[dict[str, float]]) -> dict[str, Any]:
    """Return each figure's mean, least and most over the seeds."""
    return {
        name: {
            "mean": round(float(np.mean([one[name] for one in found])), 5),
            "least": round(min(one[name] for one in found), 5),
            "most": round(max(one[name] for one in found), 5),
        }
        for name in found[0]
    }


def speed(case: SessionCase) -> float:
    """Return reports a second of processor time."""
    began = time.process_time()
    for reports in case.reports.values():
        sessions_of(reports)
    return sum(map(len, case.reports.values())) / (time.process_time() - began)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[301, 302, 303])
    parser.add_argument("--bays", type=int, default=60)
    parser.add_argument("--spaces", type=int, default=60)
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument("--flutter", type=float, default=0.1)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    cases = [
        case_of(seed=seed, faults=FaultOptions(), bays=arguments.bays, spaces=arguments.spaces, days=arguments.days)
        for seed in arguments.seeds
    ]
    document = {
        "seeds": arguments.seeds,
        "bays": arguments.bays,
        "spaces": arguments.spaces,
        "days": arguments.days,
        "flutter_share": arguments.flutter,
        "plain": summed([scores(case) for case in cases]),
        "fluttering": summed(
            [
                scores(with_flutter(case, share=arguments.flutter, seed=seed))
                for case, seed in zip(cases, arguments.seeds, strict=True)
            ]
        ),
        "reports_a_second": round(speed(cases[0])),
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
