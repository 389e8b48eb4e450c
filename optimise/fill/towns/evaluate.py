"""The answer: every protocol on one town, or why its data cannot support it. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships neither types nor stubs

from optimise.fill.evaluation import POINTS
from optimise.fill.readings import HOUR_S, Floats
from optimise.fill.towns import sensored, unsensored
from optimise.fill.towns.moments import last_emptying
from optimise.fill.towns.present import history_of
from optimise.fill.towns.prior import usable_looks
from optimise.fill.towns.scores import floor_of, own_curve_floor, score
from optimise.fill.towns.serving import score_served, served
from optimise.fill.towns.setting import Setting, Tested, set_up
from optimise.fill.towns.town import Town
from optimise.fill.towns.worth import compared, worth

HORIZONS_H = (6, 24, 72)
LOOKS = (1, 3, 10)
_FEWEST_BINS = 6
_FEWEST_CASES = 200

type Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class TrialOptions:
    """How a town is tried: `folds` of bins, the `seed` of every choice, and about how many moments are looked at.

    The method in service, which is trained anew for each fold, is tried in towns of at most `served_bin_hours`.
    """

    folds: int = 5
    seed: int = 0
    moments: int = 30_000
    served_bin_hours: int = 3_000_000

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if self.folds < 3:  # noqa: PLR2004 - to learn from, to validate on, to test on
            raise ValueError(f"expected folds >= 3 (to learn from, to validate on, to test on), got {self.folds}")
        if self.moments < 1000:  # noqa: PLR2004 - less says nothing
            raise ValueError(f"expected moments >= 1000, got {self.moments}")


def evaluate(town: Town, options: TrialOptions, progress: Progress | None = None) -> dict[str, Any]:
    """Return `protocols`, `why` some of them are null, and what the data itself allows (`noise_floor`).

    Of a town with weather also `weather`: what it changed, by a second trial without it.
    """
    say = progress or (lambda _stage: None)
    # One thread: the same seed gives the same figures on every machine.
    with threadpool_limits(1):
        tried = Tries()
        found = _evaluate(town, options, say, tried)
        if not town.weather:
            return found
        untold = Tries()
        again = _evaluate(replace(town, weather=()), options, lambda stage: say(f"without weather: {stage}"), untold)
    found["seconds_by_part"]["without_weather"] = sum(again["seconds_by_part"].values())
    return found | {"weather": {"days": len({one.day for one in town.weather}), "protocols": tried.beside(untold)}}


@dataclass(frozen=True, kw_only=True, eq=False)
class Tries:
    """What was tested, by the name of its protocol, and what the method in service said of bins without a sensor."""

    parts: dict[str, list[Tested]] = field(default_factory=dict)
    marks: dict[str, Floats] = field(default_factory=dict)
    in_service: list[Floats] = field(default_factory=list)

    def keep(self, name: str, parts: list[Tested], marks: Floats) -> None:
        """Keep what was tested under a protocol."""
        self.parts[name], self.marks[name] = parts, marks

    def beside(self, other: Tries) -> dict[str, Any]:
        """Return, by protocol, how these tries did beside the `other`, which had the same cases and were told less."""
        found = {name: worth(parts, other.parts[name], self.marks[name]) for name, parts in self.parts.items()}
        if self.in_service and other.in_service:
            parts = self.parts["unsensored"]
            actual = np.concatenate([part.actual for part in parts])
            told, untold = (np.abs(one.in_service[0][:, 1] - actual) * POINTS for one in (self, other))
            row = np.concatenate([part.bin_row for part in parts])
            found["in_service"] = compared(row, told=told, untold=untold)
        return found


def _evaluate(town: Town, options: TrialOptions, say: Progress, tried: Tries) -> dict[str, Any]:
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
        _sensored(setting, options, protocols["sensored"], why, say, tried=tried)
        seconds["sensored"] = time.perf_counter() - started
        floor["own_curve"] = _unsensored(setting, options, protocols, why, say, tried=tried)
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
    setting: Setting,
    options: TrialOptions,
    results: dict[str, Any],
    why: dict[str, str],
    say: Progress,
    *,
    tried: Tries,
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
            tried.keep(f"sensored.{hours}", [tested], setting.marks)


def _unsensored(
    setting: Setting,
    options: TrialOptions,
    protocols: dict[str, Any],
    why: dict[str, str],
    say: Progress,
    *,
    tried: Tries,
) -> float | None:
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
    tried.keep("unsensored", parts, setting.marks)
    say("the method in service")
    in_service = served(setting, parts, most_bin_hours=options.served_bin_hours)
    if in_service is not None:
        tried.in_service.append(in_service)
    protocols["unsensored"] = scores | {
        "noise_floor": floor_of(scores, own_curve),
        "in_service": None if in_service is None else score_served(parts, in_service),
    }
    for looks in LOOKS:
        if not usable_looks(town).any():
            why[f"few_looks.{looks}"] = "no bin was emptied twice with a known level: there is nothing to look at"
            continue
        seen = unsensored.run(setting, held, looks=looks)
        scores = score(setting, seen)
        tried.keep(f"few_looks.{looks}", seen, setting.marks)
        floor = floor_of(scores, own_curve_floor(seen, _plain_age_h(town, seen)))
        protocols["few_looks"][str(looks)] = scores | {"noise_floor": floor}
    return own_curve


def _plain_age_h(town: Town, parts: list[Tested]) -> np.typing.NDArray[np.float64]:
    row = np.concatenate([part.bin_row for part in parts])
    at_s = np.concatenate([part.at_s for part in parts])
    return np.asarray((at_s - town.emptied_s[last_emptying(town, row, at_s)]) / HOUR_S)
