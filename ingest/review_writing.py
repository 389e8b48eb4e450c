"""What a review found, written down: emptyings, the bins' levels, the alerts that readings tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from ingest.review.alarm_options import AlarmOptions
from ingest.review.alerting import reconcile
from ingest.review.conditions import OF_READINGS, find_spans
from ingest.review.declared import DeclaredTable
from ingest.review.levels import LevelFindings
from ingest.review.options import ReviewOptions
from ingest.review.spans import Subjects, alerts_of
from storage import alerts, levels
from storage.database import Connection
from storage.model import BinLevel, DeclaredCheck, DetectedEmptying
from storage.review import DeclaredEmptying, Due, moment
from storage.signal_table import QUALITIES, SignalTable


def save_emptyings(
    connection: Connection,
    commune_insee: str,
    judged: Sequence[Due],
    findings: LevelFindings,
    *,
    declared: DeclaredTable,
    event_of: Sequence[DeclaredEmptying],
) -> None:
    """Store the emptyings that were seen, and what is said of those that were declared (`event_of` each of them)."""
    seen, compared = findings.emptyings, findings.comparison
    found = []
    for index in range(len(seen)):
        one = judged[int(seen.series[index])]
        before = moment(round(seen.before_s[index] * 1e6))
        if before < one.changed_since:
            continue
        partner = int(compared.declared_of[index])
        found.append(
            DetectedEmptying(
                place_id=one.place_id,
                device_id=one.device_id,
                emptied_after=moment(round(seen.after_s[index] * 1e6)),
                emptied_before=before,
                level_before=float(seen.level_before[index]),
                level_after=float(seen.level_after[index]),
                confidence=float(seen.confidence[index]),
                event_id=None if partner < 0 else event_of[partner].event_id,
                declared_after_s=None if partner < 0 else float(compared.late_s[index]),
            )
        )
    levels.replace_emptyings(connection, commune_insee, judged, found)
    checks = []
    for index, verdict in enumerate(compared.verdicts):
        one, event = judged[int(declared.series[index])], event_of[index]
        if verdict is None or event.happened_at < one.changed_since:
            continue
        before_level, after_level = compared.level_before[index], compared.level_after[index]
        checks.append(
            DeclaredCheck(
                event_id=event.event_id,
                place_id=one.place_id,
                device_id=one.device_id,
                happened_at=event.happened_at,
                verdict=verdict,
                level_before=float(before_level) if np.isfinite(before_level) else None,
                level_after=float(after_level) if np.isfinite(after_level) else None,
            )
        )
    levels.save_checks(connection, commune_insee, checks)


def save_bin_levels(
    connection: Connection, commune_insee: str, due: Sequence[Due], table: SignalTable, findings: LevelFindings
) -> None:
    """Store the last trusted level of each bin, and forget those of which no reading is left."""
    found, gone = [], []
    trusted = np.isfinite(findings.causal_fraction)
    for series, one in enumerate(due):
        first, last = np.searchsorted(table.series, [series, series + 1])
        if first == last:
            gone.append(one)
            continue
        newest = int(last) - 1
        believed = np.flatnonzero(trusted[first:last])
        row = int(first + believed[-1]) if len(believed) else None
        battery = None if row is None else float(table.battery_percent[row])
        found.append(
            BinLevel(
                place_id=one.place_id,
                device_id=one.device_id,
                measured_at=None if row is None else moment(int(table.measured_us[row])),
                fill_fraction=None if row is None else float(table.fill_fraction[row]),
                battery_percent=None if battery is None or np.isnan(battery) else battery,
                filtered_fraction=None if row is None else float(findings.causal_fraction[row]),
                filtered_sd=None if row is None else float(findings.causal_sd[row]),
                reviewed_until=moment(int(table.measured_us[newest])),
                newest_quality=QUALITIES[findings.verdicts.quality[newest]],
                newest_reason=findings.verdicts.reasons.get(newest),
            )
        )
    levels.forget_bin_levels(connection, commune_insee, gone)
    levels.save_bin_levels(connection, commune_insee, found)


def save_alerts(
    connection: Connection,
    commune_insee: str,
    judged: Sequence[Due],
    *,
    table: SignalTable,
    findings: LevelFindings,
    declared: DeclaredTable,
    noticed_at: datetime,
    review_options: ReviewOptions,
    alarms: AlarmOptions,
) -> tuple[int, int]:
    """Open and close the alerts that readings tell; return how many (opened, closed)."""
    if len(table) == 0:
        return 0, 0
    subjects = Subjects.of(judged, table)
    earliest = min(one.changed_since for one in judged)
    known = [
        alert for alert in alerts.since(connection, commune_insee, earliest, kinds=OF_READINGS) if subjects.has(alert)
    ]
    spans = find_spans(
        table,
        findings,
        declared,
        already=subjects.already(known),
        options=review_options,
        alarms=alarms,
    )
    found = alerts_of(spans, subjects, noticed_at=noticed_at)
    changes = reconcile(found, known, subjects.judged())
    closed = alerts.close(connection, commune_insee, changes.closes)
    opened = alerts.open_once(connection, commune_insee, changes.opens)
    return opened, closed
