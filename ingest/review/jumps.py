"""Impossible jumps: a reading or two that leave their neighbours and come back, which no filling or emptying does."""

from __future__ import annotations

import numpy as np

from ingest.review.columns import begins, count_until, shifted
from ingest.review.habits import Habits
from ingest.review.measured import Measured
from ingest.review.options import HOUR_S, ReviewOptions
from storage.signal_table import Flags, Floats

_DEVIATIONS = 6.0
_STEPS = 1.6
_AGREE_DEVIATIONS, _AGREE_LEAST, _FILLED_MEANWHILE = 4.0, 0.06, 0.08
_FILLS_AN_HOUR = 0.05
_WIDTHS = (1, 2)


def find_jumps(measured: Measured, declared_marks: Floats, options: ReviewOptions) -> Flags:
    """Return (n,) which readings are spikes of one or two readings, up or down, between neighbours that agree.

    A rise that ends with a declared emptying is none.
    """
    jumped = np.zeros(len(measured), dtype=np.bool_)
    for width in _WIDTHS:
        kept = np.flatnonzero(~jumped)
        spike = _spikes(measured.at(kept), declared_marks, width, options)
        jumped[kept[spike]] = True
    return jumped


def jump_least(habits: Habits, options: ReviewOptions) -> Floats:
    """Return (n,) what makes a change of level a jump: more than noise and rounding explain."""
    by_device = np.maximum(_DEVIATIONS * habits.noise_fraction, _STEPS * habits.step_fraction)
    least: Floats = np.maximum(options.jump_fraction, by_device)
    return least


def _spikes(measured: Measured, declared_marks: Floats, width: int, options: ReviewOptions) -> Flags:
    """Return (n,) which readings belong to a spike of exactly `width` readings."""
    series, at_s, level, habits = measured.series, measured.at_s, measured.level, measured.habits
    least = jump_least(habits, options)
    agree = np.maximum(
        _AGREE_LEAST, np.maximum(_AGREE_DEVIATIONS * habits.noise_fraction, _STEPS * habits.step_fraction)
    )
    spike = np.zeros(len(series), dtype=np.bool_)
    before, after = shifted(level, series, -1), shifted(level, series, width)
    inside = np.stack([level if step == 0 else shifted(level, series, step) for step in range(width)])
    lowest, highest = inside.min(axis=0), inside.max(axis=0)
    since_s, until_s = shifted(at_s, series, -1), shifted(at_s, series, width)
    with np.errstate(invalid="ignore"):
        back = (after - before <= agree + _FILLED_MEANWHILE) & (before - after <= agree)
        up = lowest - np.maximum(before, after) > least
        down = np.minimum(before, after) - highest > least
        near = until_s - since_s <= (width + 1) * options.spike_span_s
        emptied = count_until(declared_marks, series, np.nan_to_num(until_s, nan=0.0)) > count_until(
            declared_marks, series, np.nan_to_num(since_s, nan=0.0)
        )
        found = back & near & (down | (up & ~emptied))
        if width == 1:
            # Between two spikes the true reading deviates from both: its second neighbours take its side.
            sides = [shifted(level, series, -2), shifted(level, series, 2)]
            found &= ~((np.abs(level - sides[0]) <= agree) & (np.abs(level - sides[1]) <= agree))
    for first in np.flatnonzero(found).tolist():
        spike[first : first + width] = True
    return spike


def find_unconfirmed(measured: Measured, declared_marks: Floats, options: ReviewOptions) -> Flags:
    """Return (n,) which readings are the newest of their series and jump: the next one will tell what they were.

    A fall at a declared emptying is believed at once, and so is any change after a long silence.
    """
    series, at_s, level = measured.series, measured.at_s, measured.level
    newest = np.zeros(len(series), dtype=np.bool_)
    newest[:-1] = begins(series)[1:]
    newest[-1:] = True
    before, since_s = shifted(level, series, -1), shifted(at_s, series, -1)
    tolerance_s = options.declared_tolerance_s
    with np.errstate(invalid="ignore"):
        gap_s = at_s - since_s
        least = jump_least(measured.habits, options)
        rises = level - before > least + _FILLS_AN_HOUR * gap_s / HOUR_S
        emptied = count_until(declared_marks, series, at_s + tolerance_s) > count_until(
            declared_marks, series, np.nan_to_num(since_s, nan=0.0) - tolerance_s
        )
        falls = (before - level > least) & ~emptied
        found: Flags = newest & (rises | falls) & (gap_s <= options.jump_forgotten_s)
    return found
