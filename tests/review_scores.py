"""Recall and false alarms of the review against the truth of a simulated town."""

from __future__ import annotations

import numpy as np

from ingest.review.alarm_options import AlarmOptions
from ingest.review.columns import key
from ingest.review.habits import days_of, habits_of
from ingest.review.levels import LevelFindings
from ingest.review.silence import Heard, judge_silence, silence_limits
from storage.model import Quality, Verdict
from storage.signal_table import CODES
from tests.reviewing import Case

_SPIKE = 0.2
_SATURATED = 1.05
"""Under a heap a sensor reports its nearest distance: wrong, but no spike and no freeze of its own."""
_NEAR_S = 2 * 3600


def scores(case: Case, findings: LevelFindings) -> dict[str, dict[str, float]]:
    """Return the figures of each kind; shares are 0..1, levels in fill fraction."""
    table, quality = case.table, findings.verdicts.quality
    measured = (table.quality == CODES[Quality.OK]) & np.isfinite(table.fill_fraction)
    error = np.abs(table.fill_fraction - case.true_fraction)
    frozen = case.frozen & measured & (table.fill_fraction < 0.97)
    wild = measured & ~case.frozen & (error > _SPIKE) & (case.true_fraction < _SATURATED)
    trusted = (quality == CODES[Quality.OK]) & np.isfinite(table.fill_fraction)
    return {
        "stuck": _detection(quality == CODES[Quality.STUCK], frozen, measured & ~case.frozen)
        | {"episodes": float(len(np.unique(table.series[frozen])))},
        "spike": _detection(quality == CODES[Quality.IMPOSSIBLE_JUMP], wild, measured & ~case.frozen & ~wild),
        "emptying": _emptyings(case, findings, trusted & ~case.frozen),
        "declared": _declared(findings),
        "level": _levels(case, findings, measured, trusted & ~case.frozen, error),
    }


def silence_scores(case: Case, *, learns_s: float = 7 * 86400) -> dict[str, float]:
    """Watch the devices hour by hour after the first week; return how deaths were found, and false alarms."""
    table, options = case.table, AlarmOptions()
    start_s, count = case.world.start.timestamp(), len(case.device_ids)
    days = days_of(table, case.device_ids)
    opened = np.full(count, np.nan)
    false = 0
    delay_h: list[float] = []
    dead = np.zeros(count, dtype=bool)
    for now_s in np.arange(start_s + learns_s, case.until_s, 3600.0):
        known = days.where(days.day < now_s // 86400)
        period_s = habits_of(known, case.device_ids).period_s
        limit_s = silence_limits(known, case.device_ids, period_s, options)
        last = np.searchsorted(key(table.series, table.at_s), key(np.arange(count), np.full(count, now_s))) - 1
        heard_s, before_s = table.at_s[last], table.at_s[np.maximum(last - 1, 0)]
        verdict = judge_silence(
            Heard(
                heard_s=heard_s,
                before_s=before_s,
                limit_s=limit_s,
                excused_s=np.full(count, -np.inf),
                network=np.zeros(count, np.int64),
                silent_since_s=opened,
            ),
            network_out=np.array([False]),
            now_s=now_s,
            options=options,
        )
        for device in np.flatnonzero(verdict.opens):
            opened[device] = now_s
            if case.dies_s[device] < now_s:
                dead[device] = True
                delay_h.append((now_s - max(case.dies_s[device], start_s + learns_s)) / 3600)
            else:
                false += 1
        opened[verdict.closes] = np.nan
    dies = (case.dies_s > start_s + learns_s) & (case.dies_s < case.until_s - 8 * 3600)
    months = count * (case.until_s - start_s - learns_s) / (30 * 86400)
    return {
        "deaths": float(dies.sum()),
        "recall": float(dead[dies].mean()) if dies.any() else 1.0,
        "median_delay_h": float(np.median(delay_h)) if delay_h else float("nan"),
        "false_a_device_month": false / months,
    }


def _detection(told: np.ndarray, true: np.ndarray, honest: np.ndarray) -> dict[str, float]:
    return {
        "true": float(true.sum()),
        "recall": float(told[true].mean()) if true.any() else float("nan"),
        "false": float(told[honest].sum()),
        "false_share": float(told[honest].mean()),
    }


def _emptyings(case: Case, findings: LevelFindings, usable: np.ndarray) -> dict[str, float]:
    """Count true emptyings with usable readings within two hours on either side, and what was seen of them."""
    seen, world, table = findings.emptyings, case.world, case.table
    since, until = world.start.timestamp(), world.history_until.timestamp()
    real = np.zeros(len(seen), dtype=bool)
    found: list[tuple[float, float]] = []
    for series, device in enumerate(world.devices):
        moments = world.fill.emptyings_s(device.place_index)
        moments = moments[(moments >= since) & (moments < until)]
        levels = world.fill.fractions(np.full(len(moments), device.place_index), moments - 1)
        mine = np.flatnonzero(seen.series == series)
        at_s = table.at_s[usable & (table.series == series)]
        for moment, level in zip(moments, levels, strict=True):
            match = mine[(seen.after_s[mine] <= moment + 1) & (seen.before_s[mine] >= moment - 1)]
            real[match] = True
            before = ((at_s >= moment - _NEAR_S) & (at_s < moment)).any()
            if before and ((at_s > moment) & (at_s < moment + _NEAR_S)).any():
                found.append((float(level), float(seen.confidence[match].max(initial=0.0))))
    level, confidence = np.array(found).T
    high, middle = seen.confidence >= 0.9, (seen.confidence >= 0.5) & (seen.confidence < 0.9)
    return {
        "observable": float(len(found)),
        "recall_from_10_percent": float((confidence[level >= 0.1] >= 0.5).mean()),
        "recall_from_30_percent": float((confidence[level >= 0.3] >= 0.5).mean()),
        "precision_at_90": float(real[high].mean()),
        "precision_at_50_to_90": float(real[middle].mean()) if middle.any() else 1.0,
    }


def _declared(findings: LevelFindings) -> dict[str, float]:
    verdicts = [verdict for verdict in findings.comparison.verdicts if verdict is not None]
    return {verdict.value: verdicts.count(verdict) / len(verdicts) for verdict in Verdict}


def _levels(
    case: Case, findings: LevelFindings, measured: np.ndarray, trusted: np.ndarray, error: np.ndarray
) -> dict[str, float]:
    settled = findings.verdicts.filtered_fraction[trusted] - case.true_fraction[trusted]
    causal = findings.causal_fraction[trusted] - case.true_fraction[trusted]
    return {
        "measured_mae": float(error[trusted].mean()),
        "causal_mae": float(np.abs(causal).mean()),
        "settled_mae": float(np.abs(settled).mean()),
        "all_measured_rmse": float(np.sqrt((error[measured] ** 2).mean())),
        "settled_rmse": float(np.sqrt((settled**2).mean())),
        "within_two_deviations": float((np.abs(settled) <= 2 * findings.verdicts.filtered_sd[trusted]).mean()),
    }
