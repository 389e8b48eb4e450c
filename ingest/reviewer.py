"""The review's rim: takes what changed, has it judged, and writes down what was found, in one transaction."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import structlog

from ingest.review.alarm_options import AlarmOptions
from ingest.review.calibration import Leftovers
from ingest.review.declared import DeclaredTable
from ingest.review.device_state import HeardDevice, health_of
from ingest.review.habits import days_of, habits_of
from ingest.review.levels import LevelFindings, review_levels
from ingest.review.options import ReviewOptions
from ingest.review_writing import save_alerts, save_bin_levels, save_emptyings
from ingest.watching import watch
from storage import health, levels, review
from storage.database import Connection
from storage.model import DeviceHealth
from storage.review import DeclaredEmptying, Due, Signals, moment
from storage.signal_table import DayTable, Ints, SignalTable

log = structlog.get_logger()

_AT_ONCE = 400
"""So many devices are judged at once: a quarter of a year of hourly readings of each is some 200 MB."""
_HISTORY_DAYS = 28
_LONGEST_LOOK_BACK = timedelta(days=30)
_OCCUPANCY_LOOK_BACK = timedelta(days=3)
_WARM_UP_SHARE = 0.25
"""The first part of what is looked at again is context alone: nothing is known of what came before it."""
_DAY_US = 86_400_000_000
_WORTH_WRITING = 0.004


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewerOptions:
    """What the review believes, and when it tells."""

    review: ReviewOptions = field(default_factory=ReviewOptions)
    alarms: AlarmOptions = field(default_factory=AlarmOptions)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewTally:
    """What one review did; all zero when another worker was at it."""

    devices: int = 0
    readings: int = 0
    verdicts_changed: int = 0
    alerts_opened: int = 0
    alerts_closed: int = 0


def review_commune(
    connection: Connection,
    commune_insee: str,
    *,
    now: datetime,
    wait: bool = False,
    options: ReviewerOptions | None = None,
) -> ReviewTally:
    """Review what changed in the commune since the last review, and watch its devices, at its present `now`.

    In one transaction of its own, or within the caller's. Two workers never review one commune at a time: the second
    returns at once, or does what is left when it is told to `wait`. What changed waits again if this fails.
    """
    with connection.transaction():
        if not review.lock(connection, commune_insee, wait=wait):
            return ReviewTally()
        run = _Run(connection, commune_insee, now=now, options=options or ReviewerOptions())
        due = review.take_due(connection, commune_insee)
        for kind, judge in (("fill", run.review_bins), ("occupancy", run.review_bays)):
            ours = [one for one in due if one.kind == kind]
            for first in range(0, len(ours), _AT_ONCE):
                judge(ours[first : first + _AT_ONCE])
        opened, closed = watch(connection, commune_insee, now=now, options=run.options.alarms)
        run.counts.update(alerts_opened=opened, alerts_closed=closed)
    if due or opened or closed:
        log.info("reviewed", commune=commune_insee, devices=len(due), **run.counts)
    return ReviewTally(devices=len(due), **run.counts)


class _Run:
    """One review of one commune."""

    def __init__(self, connection: Connection, commune_insee: str, *, now: datetime, options: ReviewerOptions) -> None:
        self._connection = connection
        self._insee = commune_insee
        self._now = now
        self.options = options
        self.counts: Counter[str] = Counter()
        self._health: Mapping[int, DeviceHealth] = {
            one.device_id: one for one in health.of_commune(connection, commune_insee)
        }
        self._models = health.models(connection, commune_insee)

    def review_bays(self, due: Sequence[Due]) -> None:
        """Learn from what bays' and spaces' sensors said; there is no level to judge."""
        contexts = [_back(one, _OCCUPANCY_LOOK_BACK) for one in due]
        signals = review.occupancy_signals(self._connection, self._insee, contexts)
        self._learn(due, signals.table)

    def review_bins(self, due: Sequence[Due]) -> None:
        """Judge bins' readings since each one's change, with as much before it as the verdicts need."""
        connection, insee = self._connection, self._insee
        contexts = self._contexts(due)
        signals = review.fill_signals(connection, insee, contexts)
        table = signals.table
        days = self._learn(due, table)
        events = review.declared(
            connection,
            insee,
            sorted({one.place_id for one in due}),
            earliest=min(one.changed_since for one in contexts),
        )
        declared, event_of = _in_columns(contexts, table, events)
        series, at_s, left = levels.leftovers(connection, insee, contexts)
        findings = review_levels(
            table,
            habits_of(days, np.array([one.device_id for one in due], dtype=np.int64)),
            declared,
            until_s=self._now.timestamp(),
            earlier=Leftovers(series=series, at_s=at_s, level=left),
            options=self.options.review,
        )
        since = _authoritative(due, contexts)
        changed = _changed(signals, findings) & (table.measured_us >= since[table.series])
        levels.save_verdicts(connection, insee, due, table=table, verdicts=findings.verdicts, changed=changed)
        levels.forget_displaced(connection, contexts)
        judged = [
            Due(
                kind=one.kind,
                device_id=one.device_id,
                place_id=one.place_id,
                changed_since=moment(int(since[series])),
            )
            for series, one in enumerate(due)
        ]
        save_emptyings(connection, insee, judged, findings, declared=declared, event_of=event_of)
        save_bin_levels(connection, insee, due, table, findings)
        opened, closed = save_alerts(
            connection,
            insee,
            judged,
            table=table,
            findings=findings,
            declared=declared,
            noticed_at=self._now,
            review_options=self.options.review,
            alarms=self.options.alarms,
        )
        self.counts.update(
            readings=len(table),
            verdicts_changed=int(np.count_nonzero(changed)),
            alerts_opened=opened,
            alerts_closed=closed,
        )

    def _contexts(self, due: Sequence[Due]) -> list[Due]:
        """Return from when on each one's readings are read: long enough before the change to judge what follows it."""
        present = {
            (level.place_id, level.device_id): level
            for level in levels.bin_levels(
                self._connection, self._insee, place_ids=sorted({one.place_id for one in due})
            )
        }
        contexts = []
        for one in due:
            since = one.changed_since
            level = present.get((one.place_id, one.device_id))
            if level is not None and level.measured_at is not None:
                # What has not been trusted for long is judged from where it began.
                since = max(min(since, level.measured_at), since - _LONGEST_LOOK_BACK)
            back = timedelta(seconds=self._look_back_s(one.device_id))
            contexts.append(
                Due(
                    kind=one.kind,
                    device_id=one.device_id,
                    place_id=one.place_id,
                    changed_since=since - min(back, _LONGEST_LOOK_BACK),
                )
            )
        return contexts

    def _look_back_s(self, device_id: int) -> float:
        options = self.options.review
        known = self._health.get(device_id)
        if known is None or known.period_s is None or known.repeat_share is None:
            return options.context_s
        repeats = options.stuck_evidence / max(-math.log(min(known.repeat_share, 0.995)), 1e-3)
        return max(options.context_s, known.period_s * max(options.context_readings, 1.5 * repeats))

    def _learn(self, due: Sequence[Due], table: SignalTable) -> DayTable:
        """Store the devices' days and health as `table` tells them; return their last four weeks."""
        device_ids = np.array([one.device_id for one in due], dtype=np.int64)
        days = days_of(table, device_ids)
        first_day: dict[int, int] = {}
        for one in due:
            day = int(one.changed_since.timestamp() * 1e6) // _DAY_US
            first_day[one.device_id] = min(day, first_day.get(one.device_id, day))
        since = np.array([first_day[device_id] for device_id in days.device_id.tolist()], dtype=np.int64)
        health.save_days(self._connection, self._insee, days.where(days.day >= since))
        recent = health.days(self._connection, sorted(first_day), most=_HISTORY_DAYS)
        heard = self._heard(due, table)
        health.save(self._connection, self._insee, health_of(heard, recent, self.options.alarms))
        return recent

    def _heard(self, due: Sequence[Due], table: SignalTable) -> list[HeardDevice]:
        """Return when each device was heard; nothing in the table is later than a frame that is known already."""
        heard: dict[int, HeardDevice] = {}
        for series, one in enumerate(due):
            first, last = np.searchsorted(table.series, [series, series + 1])
            times = np.unique(table.heard_us[first:last])[-2:]
            if len(times) == 0:
                continue
            known = self._health.get(one.device_id)
            moments = {moment(int(time)) for time in times}
            if known is not None:
                moments |= (
                    {known.heard_at} if known.heard_before_at is None else {known.heard_at, known.heard_before_at}
                )
            other = heard.get(one.device_id)
            if other is not None:
                moments |= {other.heard_at}
            ordered = sorted(moments)
            heard[one.device_id] = HeardDevice(
                device_id=one.device_id,
                model=self._models.get(one.device_id, ""),
                place_id=one.place_id if other is None or ordered[-1] == moment(int(times[-1])) else other.place_id,
                network=one.network or (None if known is None else known.network),
                heard_at=ordered[-1],
                heard_before_at=ordered[-2] if len(ordered) > 1 else None,
            )
        return list(heard.values())


def _back(one: Due, by: timedelta) -> Due:
    return Due(kind=one.kind, device_id=one.device_id, place_id=one.place_id, changed_since=one.changed_since - by)


def _authoritative(due: Sequence[Due], contexts: Sequence[Due]) -> Ints:
    """Return (s,) from when on (Unix microseconds) each series' verdicts stand: after the context's own first part."""
    since = []
    for one, context in zip(due, contexts, strict=True):
        warm_up = (one.changed_since - context.changed_since) * _WARM_UP_SHARE
        since.append(int((context.changed_since + warm_up).timestamp() * 1e6))
    return np.array(since, dtype=np.int64)


def _changed(signals: Signals, findings: LevelFindings) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return (n,) which verdicts differ from what is stored."""
    verdicts = findings.verdicts
    known, told = np.isfinite(signals.filtered), np.isfinite(verdicts.filtered_fraction)
    with np.errstate(invalid="ignore"):
        moved = np.abs(signals.filtered - verdicts.filtered_fraction) > _WORTH_WRITING
    changed: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
        (signals.quality != verdicts.quality) | (known != told) | moved
    )
    return changed


def _in_columns(
    contexts: Sequence[Due], table: SignalTable, events: Sequence[DeclaredEmptying]
) -> tuple[DeclaredTable, list[DeclaredEmptying]]:
    """Return the declarations of each series' place while it was heard there, in order, and the event of each."""
    by_place: dict[str, list[DeclaredEmptying]] = {}
    for event in events:
        by_place.setdefault(event.place_id, []).append(event)
    rows: list[tuple[int, DeclaredEmptying]] = []
    for series, one in enumerate(contexts):
        first, last = np.searchsorted(table.series, [series, series + 1])
        if first == last:
            continue
        since = moment(int(table.measured_us[first]))
        rows += [(series, event) for event in by_place.get(one.place_id, []) if event.happened_at >= since]
    return (
        DeclaredTable(
            series=np.array([series for series, _ in rows], dtype=np.int64),
            at_s=np.array([event.happened_at.timestamp() for _, event in rows], dtype=np.float64),
            found=np.array(
                [np.nan if event.found_fraction is None else event.found_fraction for _, event in rows],
                dtype=np.float64,
            ),
        ),
        [event for _, event in rows],
    )
