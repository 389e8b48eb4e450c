"""What the kilometres between fixed rounds and perfect knowledge consist of, as JSON: who knows how much, one town.

    python benchmarks/service_gap.py --bins 150 --seed 0 --waste 1.0

No dial is turned: each policy is played at the given prices of a bin full for a day, so that its line of kilometres
against overflows can be read off; the calendar at the given services. `law without level` knows what is thrown into
each bin on the average and when it was last emptied, but not what is in it: the most that a town without sensors
could learn. `--iterations` shows what a longer search of each day is worth.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from cli.months_town import TownPlan, build_towns
from cli.wiring import planner_options
from config.settings import Settings
from optimise.rounds.leaving import Chances, stop_worth_eur
from optimise.rounds.months.figures import FIGURES
from optimise.rounds.months.fixed import tuned
from optimise.rounds.months.knowledge import Knowledge
from optimise.rounds.months.options import MonthsOptions
from optimise.rounds.months.play import State, old_rounds, play
from optimise.rounds.months.policies import Fixed, Knows, Ours, Policy, Wanted
from optimise.rounds.months.street import Street
from optimise.rounds.months.town import Town
from simulators.streets import default_extract

_CHANCES = 7


class LawWithoutLevel(Ours):
    """The prices of somebody who knows every bin's law and last emptying, and no level."""

    def __init__(self, town: Town, options: MonthsOptions, *, overflow_eur: float) -> None:
        super().__init__(town, options, overflow_eur=overflow_eur, knows=Knows.LAW)
        self._law_town, self._price = town, overflow_eur
        since_l = town.law.ahead_l[:, :, :, 1:] - town.law.ahead_l[:, :, :, :1]
        # Of bins emptied on each day of the week: the chance of being full so many chances later, (7, n, k).
        self._full = (since_l > town.full_l.astype(np.float32)[None, None, :, None]).mean(axis=1)

    def want(self, day: int, street: Street, knowledge: Knowledge) -> Wanted:
        """Price each bin by its age alone."""
        told = super().want(day, street, knowledge)
        age = np.clip(np.rint((street.morning_s(day) - street.emptied_s) / 86_400).astype(np.int64), 1, _CHANCES)
        bins = np.arange(len(age))[:, None]
        left = self._full[((day - age) % 7)[:, None], bins, age[:, None] + np.arange(_CHANCES)]
        emptied = self._full[day % 7, :, :_CHANCES]
        worth = stop_worth_eur(
            Chances(left=left, emptied=emptied), detour_eur=self.detour_eur, overflow_eur=self._price
        )
        return Wanted(worth_eur=worth, demand_l=told.demand_l)


def main() -> None:
    """Play every line of one town."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streets", type=Path, help="OpenStreetMap extract (default: the demo's)")
    parser.add_argument("--bins", type=int, default=150)
    parser.add_argument("--vehicles", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--waste", type=float, default=1.0)
    parser.add_argument("--days", type=int, default=35)
    parser.add_argument("--settling-days", type=int, default=8)
    parser.add_argument("--iterations", type=int, default=300)
    parser.add_argument("--services", type=float, nargs="+", default=[0.999, 0.998])
    parser.add_argument("--prices", type=float, nargs="+", default=[60.0, 240.0])
    parser.add_argument("--only", nargs="+", help="lines to play (default: all)")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    options = MonthsOptions(
        seeds=1, days=asked.days, warmup_days=max(6, asked.settling_days), iterations=asked.iterations
    )
    extract = asked.streets or default_extract()
    plan = TownPlan(
        extract=extract,
        bins=asked.bins,
        vehicles=asked.vehicles,
        waste=asked.waste,
        travel=replace(planner_options(Settings()), extract=extract).travel(),
        options=options,
    )
    (town,) = build_towns(plan, seed=asked.seed, progress=lambda what: print(what, file=sys.stderr))
    lines = []
    for who, dial, policy, state in _lines(town, options, asked):
        _, after = play(town, policy, state, days=asked.settling_days, options=options)
        days, _ = play(town, policy, after, days=asked.days, options=options)
        row = {name: round(figure(days, len(town.bins), options), 5) for name, figure in FIGURES.items()}
        lines.append({"who": who, "dial": dial, **row})
        print(json.dumps(lines[-1]), file=sys.stderr, flush=True)
    out = town.fleet.anchors
    haul_m = int(town.matrices.distance_m[0, len(out) - 1] + town.matrices.distance_m[len(out) - 1, 0])
    document = {
        "lines": lines,
        "depot_to_site_and_back_km": haul_m / 1000,
        "options": {name: str(value) if isinstance(value, Path) else value for name, value in vars(asked).items()},
    }
    sys.stdout.write(json.dumps(document, indent=1) + "\n")


def _lines(town: Town, options: MonthsOptions, asked: argparse.Namespace) -> Iterator[tuple[str, float, Policy, State]]:
    calendar = tuned(town.past, service=options.service, sectors=town.sectors, hot=False)
    order = np.random.default_rng(town.seed).permutation(len(town.bins))

    def start(share: float, *, learns: bool) -> State:
        state = old_rounds(town, calendar, np.sort(order[: round(share * len(order))]), days=options.history_days)
        if learns:
            state.knowledge.learn(options.history_days, folds=options.folds)
        return state

    def asked_for(who: str) -> bool:
        return not asked.only or who in asked.only

    if asked_for("fixed"):
        for service in asked.services:
            found = tuned(town.past, service=service, sectors=town.sectors, hot=False)
            yield "fixed", service, Fixed(town, found), start(0.0, learns=False)
    makers: dict[str, Any] = {
        "ours_0": (0.0, Knows.FORECAST),
        "ours_30": (0.3, Knows.FORECAST),
        "ours_100": (1.0, Knows.FORECAST),
        "law without level": (0.0, None),
        "informed": (0.0, Knows.LAW),
        "perfect": (0.0, Knows.FUTURE),
    }
    for who, (share, knows) in makers.items():
        if not asked_for(who):
            continue
        state = start(share, learns=knows is Knows.FORECAST)
        for price in asked.prices:
            policy: Policy = (
                LawWithoutLevel(town, options, overflow_eur=price)
                if knows is None
                else Ours(town, options, overflow_eur=price, knows=knows)
            )
            yield who, price, policy, state


if __name__ == "__main__":
    main()
