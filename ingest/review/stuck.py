"""Stuck sensors: one value again and again, while by the device's own habit it should have changed."""

from __future__ import annotations

import numpy as np

from ingest.review.columns import count_until, runs, shifted
from ingest.review.measured import Measured
from ingest.review.options import ReviewOptions
from storage.signal_table import Flags, Floats

_EMPTY, _FULL = 0.01, 0.99
_WORTH_SEEING = 0.25
_LEAST_SHARE, _MOST_SHARE = 0.02, 0.995


def find_stuck(
    measured: Measured, *, value: Floats, by_distance: Flags, declared_marks: Floats, options: ReviewOptions
) -> Flags:
    """Return (n,) which of the readings with a level repeat a frozen value; the first of a run is not one of them.

    An honest night without filling is constant too, and coarse sensors step: a run is judged by how often the device
    repeats itself at all, in nats, and by the declared emptyings (`declared_marks`) that it slept
    through. `value` is what the device said; `by_distance` whether that was a distance.
    """
    series, at_s, level = measured.series, measured.at_s, measured.level
    same = shifted(value, series, -1) == value
    run, starts, ends = runs(same)
    length = ends - starts + 1
    level_of = level[starts]
    # A sensor under a heap says its nearest distance again and again; a percentage also ends at 0.
    saturated = (level_of >= _FULL) | (~by_distance[starts] & (level_of <= _EMPTY))
    surprise = -np.log(np.clip(measured.habits.repeat_share[starts], _LEAST_SHARE, _MOST_SHARE))
    tolerance_s = options.declared_tolerance_s
    since = count_until(declared_marks, series[starts], at_s[starts] + tolerance_s)
    unseen = np.maximum(count_until(declared_marks, series[starts], at_s[ends] - tolerance_s) - since, 0)
    evidence = np.where(saturated, 0.0, (length - 1) * surprise)
    evidence += np.where(level_of >= _WORTH_SEEING, unseen * options.unseen_emptying_evidence, 0.0)
    lasts_s = at_s[ends] - at_s[starts]
    stuck = (evidence >= options.stuck_evidence) & (length >= options.stuck_least) & (lasts_s >= options.stuck_least_s)
    flags: Flags = stuck[run] & same
    return flags
