"""The answer: every protocol on one town, or why its data cannot support it. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships neither types nor stubs

from optimise.fill.readings import HOUR_S
from optimise.fill.towns import sensored, unsensored
from optimise.fill.towns.moments import last_emptying
from optimise.fill.towns.present import history_of
from optimise.fill.towns.prior import usable_looks
from optimise.fill.towns.scores import floor_of, own_curve_floor, score
from optimise.fill.towns.serving import in_service
from optimise.fill.towns.setting import Setting, Tested, set_up
from optimise.fill.towns.town import Town

HORIZONS_H = (6, 24, 72)
LOOKS = (1, 3, 10)
_FEWEST_BINS = 6
_FEWEST_CASES = 200

type Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class TrialOptions:
    """How a town is tried: `folds` of bins, the `seed` of every choice, and about how many moments are looked at."""

    folds: int = 5
    seed: int = 0
    moments: int = 30_000

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if self.folds < 3:  # noqa: PLR2004 - to learn from, to validate on, to test on
            raise ValueError(f"expected folds >= 3 (to learn from, to validate on, to test on), got {self.folds}")
        if self.moments < 1000:  # noqa: PLR2004 - less says nothing
            raise ValueError(f"expected moments >= 1000, got {self.moments}")


def evaluate(town: Town, options: TrialOptions, progress: Progress | None = None) -> dict[str, Any]:
    """Return `protocols`, `why` some of them are null, and what the data itself allows (`noise_floor`)."""
    say = progress or (lambda _stage: None)
    # One thread: the same seed gives the same figures on every machine.
    with threadpool_limits(1):
        return _evaluate(town, options, say)


def _evaluate(town: Town, options: TrialOptions, say: Progress) -> dict[str, Any]:
    started = time.perf_counter()
    why: dict[str, str] = {}
    seconds: dict[str, float] = {}
    nothing = too_little(town)
    protocols: dict[str, Any] = {
        "sensored": {str(hours): None for hours in HORIZONS_H},
        "unsensored": None,
        "few_looks": {str(looks): None for looks in LOOKS},
    }
    floor: dict[str, float | None] = {"step": town.step * 100, "rounding": town.step * 25, "own_curve": None}
    if nothing:
        names = [f"sensored.{h}" for h in HORIZONS_H] + ["unsensored"] + [f"few_looks.{k}" for k in LOOKS]
        why = dict.fromkeys(names, nothing)
    else:
        setting = set_up(town, folds=options.folds, seed=options.seed, most=options.moments)
        _sensored(setting, options, protocols["sensored"], why, say)
        seconds["sensored"] = time.perf_counter() - started
        floor["own_curve"] = _unsensored(setting, protocols, why, say)
        seconds["unsensored_and_few_looks"] = time.perf_counter() - started - seconds["sensored"]
    return {"protocols": protocols, "why": why, "noise_floor": floor, "seconds_by_part": seconds}


def too_little(town: Town) -> str | None:
    """Return why nothing can be tried at all."""
    moments = int((last_emptying(town, town.bin_row, town.at_s) >= 0).sum())
    if moments < _FEWEST_CASES:
        return f"{moments} levels have an emptying before them: it takes {_FEWEST_CASES}"
    if len(np.unique(town.at_s)) < 10:  # noqa: PLR2004 - no part of them is later than another
        return "all rows are of the same few moments: nothing is later"
    return None


def _sensored(
    setting: Setting, options: TrialOptions, results: dict[str, Any], why: dict[str, str], say: Progress
) -> None:
    town = setting.town
    if town.of_emptyings:
        reason = "emptyings tell levels only when a bin is emptied: none is known some hours after another"
        why |= {f"sensored.{hours}": reason for hours in HORIZONS_H}
        return
    history, learnt = history_of(town), sensored.learnings(setting)
    for hours in HORIZONS_H:
        say(f"sensored, {hours} h")
        tested = sensored.run(setting, history, learnt, hours, most=options.moments)
        if tested is None:
            why[f"sensored.{hours}"] = (
                f"too few readings of a bin are about {hours} h apart (usually {town.gap_h:.3g} h): "
                f"it takes {sensored.FEWEST} to learn from, to validate on and to test on"
            )
        else:
            results[str(hours)] = score(setting, [tested])


def _unsensored(setting: Setting, protocols: dict[str, Any], why: dict[str, str], say: Progress) -> float | None:
    """Fill in both protocols of bins whose levels nobody sees; return the floor that no rate goes under."""
    town = setting.town
    bins = len(np.unique(setting.cases.bin_row))
    if bins < _FEWEST_BINS:
        reason = f"{bins} bins have levels and emptyings: to hold out whole bins takes {_FEWEST_BINS}"
        why |= dict.fromkeys(("unsensored", *(f"few_looks.{looks}" for looks in LOOKS)), reason)
        return None
    held = unsensored.forecast_scenes(setting, lambda share: say(f"bins held out: {share:.0%}"))
    parts = unsensored.run(setting, held)
    if not parts:
        reason = "no bin has levels both before and after the times that part learning, validation and test"
        why |= dict.fromkeys(("unsensored", *(f"few_looks.{looks}" for looks in LOOKS)), reason)
        return None
    own_curve = own_curve_floor(parts, _plain_age_h(town, parts))
    scores = score(setting, parts)
    say("the method in service")
    protocols["unsensored"] = scores | {
        "noise_floor": floor_of(scores, own_curve),
        "in_service": in_service(setting, parts),
    }
    for looks in LOOKS:
        if not usable_looks(town).any():
            why[f"few_looks.{looks}"] = "no bin was emptied twice with a known level: there is nothing to look at"
            continue
        seen = unsensored.run(setting, held, looks=looks)
        scores = score(setting, seen)
        floor = floor_of(scores, own_curve_floor(seen, _plain_age_h(town, seen)))
        protocols["few_looks"][str(looks)] = scores | {"noise_floor": floor}
    return own_curve


def _plain_age_h(town: Town, parts: list[Tested]) -> np.typing.NDArray[np.float64]:
    row = np.concatenate([part.bin_row for part in parts])
    at_s = np.concatenate([part.at_s for part in parts])
    return np.asarray((at_s - town.emptied_s[last_emptying(town, row, at_s)]) / HOUR_S)
