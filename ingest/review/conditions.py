"""From readings to spans of time in which something was wrong: each begins and ends at a reading, by event time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingest.review.alarm_options import AlarmOptions
from ingest.review.columns import begins, held, runs, shifted
from ingest.review.declared import DeclaredTable
from ingest.review.levels import LevelFindings
from ingest.review.options import ReviewOptions
from storage.model import AlertKind, Quality, Verdict
from storage.signal_table import CODES, Flags, Floats, Ints, SignalTable

_WELL_AGAIN = 0.6
"""An offset that was told is over below this share of what tells it."""
_BRIM = 1.0
"""The filter lags a little behind a bin that fills fast; a trusted level at the brim needs no second one."""
_IN_DEGREES = {AlertKind.FIRE, AlertKind.HOT}


OF_READINGS = (
    AlertKind.FIRE,
    AlertKind.HOT,
    AlertKind.TILTED,
    AlertKind.OVERFLOW,
    AlertKind.MISSED_EMPTYING,
    AlertKind.SENSOR_FAULT,
    AlertKind.STUCK,
    AlertKind.BLOCKED,
    AlertKind.OUT_OF_CALIBRATION,
)
"""The kinds that readings tell; the others are told by silence, batteries and radio."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """`kind` held in `series` from `opened_s` to `closed_s` (Unix seconds; None: still), with `evidence`."""

    kind: AlertKind
    series: int
    opened_s: float
    closed_s: float | None
    evidence: dict[str, float]


def find_spans(
    table: SignalTable,
    findings: LevelFindings,
    declared: DeclaredTable,
    *,
    already: Mapping[AlertKind, Ints],
    options: ReviewOptions,
    alarms: AlarmOptions,
) -> list[Span]:
    """Return every span of every condition in the table, ordered by kind, series and time.

    `already` are the series of which an alert is open since before the table begins: their condition holds until a
    reading ends it.
    """
    quality = findings.verdicts.quality
    fine: Flags = quality == CODES[Quality.OK]
    level = findings.causal_fraction
    temperature = table.temperature_c
    with np.errstate(invalid="ignore"):
        warmed = temperature - shifted(temperature, table.series, -1)
        quickly = table.at_s - shifted(table.at_s, table.series, -1) <= alarms.fire_rise_s
        burns = (temperature >= alarms.fire_c) | (
            (warmed >= alarms.fire_rise_c) & quickly & (temperature >= alarms.hot_c)
        )
        cool = np.isnan(temperature) | (temperature < alarms.fire_over_c)
        heaped = (quality == CODES[Quality.BLIND_ZONE]) & (_last(level, table.series) >= options.near_fraction)
        offset_on = findings.offset_fraction >= options.offset_told
        offset_off = ~(findings.offset_fraction >= _WELL_AGAIN * options.offset_told)
        low = fine & ((level <= alarms.overflow_over_fraction) | np.isnan(table.fill_fraction))
        switches: dict[AlertKind, tuple[Flags, Flags]] = {
            AlertKind.FIRE: (table.fire | burns, ~table.fire & cool),
            AlertKind.HOT: (temperature >= alarms.hot_c, temperature < alarms.hot_over_c),
            AlertKind.TILTED: _steady(table.tilted, table.series, alarms),
            AlertKind.OVERFLOW: (
                table.full | (level >= alarms.overflow_fraction) | (fine & (table.fill_fraction >= _BRIM)) | heaped,
                ~table.full & low,
            ),
            AlertKind.SENSOR_FAULT: _faulty(table, quality, alarms),
            AlertKind.STUCK: (quality == CODES[Quality.STUCK], fine),
            AlertKind.BLOCKED: (quality == CODES[Quality.BLOCKED], fine),
            AlertKind.OUT_OF_CALIBRATION: (
                (quality == CODES[Quality.OUT_OF_CALIBRATION]) | offset_on,
                fine & offset_off,
            ),
        }
    shown = {
        AlertKind.FIRE: temperature,
        AlertKind.HOT: temperature,
        AlertKind.OVERFLOW: level,
        AlertKind.STUCK: table.fill_fraction,
        AlertKind.BLOCKED: table.fill_fraction,
        AlertKind.OUT_OF_CALIBRATION: findings.offset_fraction,
    }
    spans: list[Span] = []
    for kind, (on, off) in switches.items():
        spans += _spans(kind, table, on, off, already=already.get(kind), value=shown.get(kind))
    return spans + _missed(declared, findings, already=already.get(AlertKind.MISSED_EMPTYING), options=options)


def _spans(
    kind: AlertKind, table: SignalTable, on: Flags, off: Flags, *, already: Ints | None, value: Floats | None
) -> list[Span]:
    if already is not None and len(already):
        # The alert's own beginning lies before the table: its first reading keeps it up, unless it ends it.
        on = on | (begins(table.series) & np.isin(table.series, already) & ~off)
    if not on.any():
        return []
    state = held(on, off, table.series)
    same = np.zeros(len(state), dtype=np.bool_)
    same[1:] = (state[1:] == state[:-1]) & ~begins(table.series)[1:]
    _, starts, ends = runs(same)
    spans = []
    for start, end in zip(starts[state[starts]].tolist(), ends[state[starts]].tolist(), strict=True):
        over = end + 1 < len(state) and table.series[end + 1] == table.series[end]
        evidence: dict[str, float] = {"readings": float(end + 1 - start)}
        if value is not None and np.isfinite(value[start : end + 1]).any():
            highest = float(np.nanmax(value[start : end + 1]))
            if kind in _IN_DEGREES:
                evidence["highest"] = round(highest, 1)
            else:
                evidence["highest_percent"] = round(100 * highest, 1)
        spans.append(
            Span(
                kind=kind,
                series=int(table.series[start]),
                opened_s=float(table.at_s[start]),
                closed_s=float(table.at_s[end + 1]) if over else None,
                evidence=evidence,
            )
        )
    return spans


def _steady(flag: Flags, series: Ints, alarms: AlarmOptions) -> tuple[Flags, Flags]:
    """Return where `flag` was up, and where it was down, for as many readings in a row as count."""
    return _in_a_row(flag, series, alarms.steady_readings), _in_a_row(~flag, series, alarms.steady_readings)


def _in_a_row(flag: Flags, series: Ints, least: int) -> Flags:
    continues = flag & np.roll(flag, 1) & ~begins(series)
    _, starts, _ = runs(continues)
    position = np.arange(len(flag)) - np.repeat(starts, np.diff(np.append(starts, len(flag)))) + 1
    counted: Flags = flag & (position >= least)
    return counted


def _faulty(table: SignalTable, quality: Ints, alarms: AlarmOptions) -> tuple[Flags, Flags]:
    bad = np.isin(quality, [CODES[one] for one in (Quality.SENSOR_FAULT, Quality.NO_TARGET, Quality.IMPLAUSIBLE)])
    continues = bad & np.roll(bad, 1) & ~begins(table.series)
    run, starts, _ = runs(continues)
    lasts_s = table.at_s - table.at_s[starts][run] if len(run) else table.at_s
    return (
        _in_a_row(bad, table.series, alarms.fault_readings) & (lasts_s >= alarms.fault_s),
        _in_a_row(~bad, table.series, alarms.steady_readings),
    )


def _last(values: Floats, series: Ints) -> Floats:
    """Return (n,) the last known value up to each reading of its series, NaN before the first."""
    if len(values) == 0:
        return values
    known = np.isfinite(values)
    first = begins(series)
    last = np.maximum.accumulate(np.where(known | first, np.arange(len(values)), 0))
    answer: Floats = values[last]
    return answer


def _missed(
    declared: DeclaredTable, findings: LevelFindings, *, already: Ints | None, options: ReviewOptions
) -> list[Span]:
    """Return a span from each declared emptying that the sensor did not see to the next emptying that it did."""
    told = [
        (int(declared.series[index]), float(declared.at_s[index]), float(findings.comparison.level_before[index]))
        for index, verdict in enumerate(findings.comparison.verdicts)
        if verdict is Verdict.NOT_SEEN
    ]
    sure = findings.emptyings.confidence >= options.emptying_believed
    ended = [
        (int(series), float(at_s))
        for series, at_s in zip(findings.emptyings.series[sure], findings.emptyings.before_s[sure], strict=True)
    ]
    held_before = {} if already is None else dict.fromkeys(already.tolist(), -np.inf)
    spans: list[Span] = []
    for series in sorted({series for series, _, _ in told} | set(held_before)):
        moments = [(at_s, level) for own, at_s, level in told if own == series]
        if series in held_before:
            moments.insert(0, (-np.inf, float("nan")))
        until = -np.inf
        for at_s, level in moments:
            if at_s < until or (spans and spans[-1].series == series and spans[-1].closed_s is None):
                continue  # one alert stands for all of them until an emptying is seen
            closed = min((moment for own, moment in ended if own == series and moment > at_s), default=None)
            until = np.inf if closed is None else closed
            evidence = {} if np.isnan(level) else {"level_before_percent": round(100 * level, 1)}
            spans.append(
                Span(kind=AlertKind.MISSED_EMPTYING, series=series, opened_s=at_s, closed_s=closed, evidence=evidence)
            )
    return spans
