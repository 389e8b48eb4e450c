"""A model applied to the present: every bay, and every group of bays, at all moments ahead. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats, Ints
from optimise.occupancy.forecast.counts import added, count_pmf, interval, mean
from optimise.occupancy.forecast.model import Model
from optimise.occupancy.forecast.questions import AHEAD_S, Bays, Known
from optimise.occupancy.forecast.usual import Usual, filled, group_mean, group_sums
from storage.model import BayEvidence


@dataclass(frozen=True, kw_only=True, eq=False)
class Present:
    """p bays at `asked_s`: `now` (p,) free 1, taken 0, NaN unknown, which holds for `held_s` (p,).

    `usual` has a row for each; `usable` (ahead, p): whether the rules let its own vehicles stand there then.
    """

    bays: Bays
    asked_s: int
    now: Floats
    held_s: Floats
    usual: Usual
    usable: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class BayChances:
    """What is foretold of p bays, (p, ahead) each, NaN: unknown.

    `chance` of being free; `if_changed`: had it just turned to the other state (bays with a sensor that speaks);
    `low`, `high`: the 80 % interval of the chance itself (the others). `evidence` (p,): what it is made of.
    """

    chance: Floats
    if_changed: Floats
    low: Floats
    high: Floats
    evidence: tuple[BayEvidence, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupCounts:
    """How many bays of a group are free and may be used, (ahead,) each: `places` may be used and something is known of.

    `expected` number with its 80 % interval from `low` to `high`; `chance` of at least one.
    """

    places: Ints
    expected: Floats
    low: Floats
    high: Floats
    chance: Floats


def foretell(model: Model, present: Present) -> BayChances:
    """Return what the model says of each bay."""
    moments = len(AHEAD_S)
    asked_s = np.full(moments, present.asked_s, dtype=np.int64)
    target_s = asked_s + AHEAD_S
    bays = present.bays

    # Where no past tells what is usual, the present of the others of its kind does.
    others_now = group_mean(present.now[None, :], bays.alike)

    def told(moment_s: Ints) -> Floats:
        usual = filled(present.usual.at(moment_s), bays.near, bays.alike)
        return np.where(np.isnan(usual), others_now, usual)

    now = np.broadcast_to(present.now, (moments, len(bays)))
    known = Known(
        now=now,
        held_s=np.broadcast_to(present.held_s, now.shape),
        usual_now=np.broadcast_to(told(asked_s[:1]), now.shape),
        usual_then=told(target_s),
    )
    zone = present.usual.time_zone
    chance = model.chance(known, bays, asked_s=asked_s, target_s=target_s, time_zone=zone)
    if_changed = model.chance(known, bays, asked_s=asked_s, target_s=target_s, time_zone=zone, changed=True)
    odd_sum, speaking = group_sums(known.now - known.usual_now, bays.near)
    share = model.hidden.share(known.usual_then, odd_sum, speaking, AHEAD_S[:, None].astype(np.float64))
    low, high = model.hidden.interval(share)
    silent = np.isnan(now)
    return BayChances(
        chance=np.where(silent, share, chance).T,
        if_changed=if_changed.T,
        low=np.where(silent, low, np.nan).T,
        high=np.where(silent, high, np.nan).T,
        evidence=_evidence(present.now, share[-1], speaking[-1]),
    )


def _evidence(now: Floats, share: Floats, speaking: Floats) -> tuple[BayEvidence, ...]:
    found = np.where(
        ~np.isnan(now),
        BayEvidence.SENSOR.value,
        np.where(
            np.isnan(share),
            BayEvidence.NOTHING.value,
            np.where(speaking > 0, BayEvidence.STREET.value, BayEvidence.PROFILE.value),
        ),
    )
    return tuple(BayEvidence(str(each)) for each in found)


def add_up(model: Model, present: Present, foretold: BayChances, groups: Sequence[Ints]) -> list[GroupCounts]:
    """Return how many bays of each group (rows of bays) are free at all moments ahead."""
    return [_count(model, present, foretold, members) for members in groups]


def _count(model: Model, present: Present, foretold: BayChances, members: Ints) -> GroupCounts:
    chance = foretold.chance[members].T
    known = np.isfinite(chance) & present.usable[:, members]
    sensed = ~np.isnan(present.now[members])
    # A bay that nobody may use is never a free one.
    pmf = count_pmf(np.where(known, chance, 0.0)[:, sensed], model.shock)
    hidden = known & ~sensed[None, :]
    if hidden.any():
        pmf = added(pmf, _hidden_pmf(model, np.where(hidden, chance, np.nan)))
    low, high = interval(pmf)
    return GroupCounts(
        places=known.sum(axis=1), expected=mean(pmf), low=low, high=high, chance=np.clip(1 - pmf[:, 0], 0, 1)
    )


def _hidden_pmf(model: Model, share: Floats) -> Floats:
    """Return (ahead, n + 1) the distribution of the free among bays without a sensor: their mean share, together."""
    count = np.isfinite(share).sum(axis=1)
    together = np.where(count > 0, np.nansum(share, axis=1) / np.maximum(count, 1), 0.5)
    pmf = np.zeros((len(share), share.shape[1] + 1))
    for number in np.unique(count):
        rows = count == number
        pmf[rows, : number + 1] = model.hidden.count_pmf(together[rows], int(number))
    return pmf
