"""From spans of series to alerts about places and devices, and back: which series a known alert is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np

from ingest.review.alerting import Judged, Subject
from ingest.review.conditions import OF_READINGS, Span
from ingest.review.messages import SEVERITIES, message_of
from storage.model import Alert, AlertKind, ClosedBy
from storage.signal_table import Ints, SignalTable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_PLACES = {AlertKind.FIRE, AlertKind.HOT, AlertKind.TILTED, AlertKind.OVERFLOW, AlertKind.MISSED_EMPTYING}
"""These are about the bin, whichever device tells; the other kinds are about the device."""


class OnPlace(Protocol):
    """A device on a place, whose verdicts stand from `changed_since` on."""

    @property
    def device_id(self) -> int: ...  # noqa: D102 - said above

    @property
    def place_id(self) -> str: ...  # noqa: D102 - same

    @property
    def changed_since(self) -> datetime: ...  # noqa: D102 - same


@dataclass(frozen=True, kw_only=True, slots=True)
class Subjects:
    """What the series of one review are about: device and place of each, and the first and last reading seen of it.

    Series without a reading are about nothing.
    """

    due: Sequence[OnPlace]
    first: Mapping[int, datetime]
    last: Mapping[int, datetime]
    series_of: Mapping[Subject, int]

    @classmethod
    def of(cls, due: Sequence[OnPlace], table: SignalTable) -> Subjects:
        """Return the subjects of the table's series; `changed_since` of each is from when on its verdicts stand."""
        known, first = np.unique(table.series, return_index=True)
        last = np.append(first[1:], len(table)) - 1
        last_of = {int(one): _moment(table.measured_us[row]) for one, row in zip(known, last, strict=True)}
        # Of several devices that were on a place the one heard last tells how it is there.
        ordered = sorted(last_of, key=lambda series: last_of[series])
        return cls(
            due=due,
            first={int(one): _moment(table.measured_us[row]) for one, row in zip(known, first, strict=True)},
            last=last_of,
            series_of={(kind, _subject(kind, due[series])): series for series in ordered for kind in OF_READINGS},
        )

    def subject(self, kind: AlertKind, series: int) -> str:
        """Return what an alert of this kind is about."""
        return _subject(kind, self.due[series])

    def has(self, alert: Alert) -> bool:
        """Whether the alert is about one of these series."""
        return (alert.kind, alert.subject) in self.series_of

    def already(self, known: Iterable[Alert]) -> dict[AlertKind, Ints]:
        """Return of each kind the series whose alert is open since before their first reading here."""
        found: dict[AlertKind, list[int]] = {}
        for alert in known:
            series = self.series_of.get((alert.kind, alert.subject))
            if series is not None and alert.closed_at is None and alert.opened_at <= self.first[series]:
                found.setdefault(alert.kind, []).append(series)
        return {kind: np.array(series, dtype=np.int64) for kind, series in found.items()}

    def judged(self) -> dict[Subject, Judged]:
        """Return what was looked at, and from when to when."""
        return {
            subject: Judged(since=self.due[series].changed_since, until=self.last[series])
            for subject, series in self.series_of.items()
        }


def alerts_of(spans: Iterable[Span], subjects: Subjects, *, noticed_at: datetime) -> list[Alert]:
    """Return the spans as alerts; one whose beginning is not known begins with its series."""
    found = []
    for span in spans:
        one = subjects.due[span.series]
        opened_at = (
            _EPOCH + timedelta(seconds=span.opened_s) if np.isfinite(span.opened_s) else subjects.first[span.series]
        )
        closed_at = None if span.closed_s is None else max(opened_at, _EPOCH + timedelta(seconds=span.closed_s))
        found.append(
            Alert(
                kind=span.kind,
                subject=subjects.subject(span.kind, span.series),
                severity=SEVERITIES[span.kind],
                place_id=one.place_id,
                device_id=one.device_id,
                opened_at=opened_at,
                noticed_at=noticed_at,
                closed_at=closed_at,
                closed_by=None if closed_at is None else ClosedBy.RECOVERED,
                message=message_of(span.kind, span.evidence),
                evidence=dict(span.evidence),
            )
        )
    return found


def _subject(kind: AlertKind, one: OnPlace) -> str:
    return f"place:{one.place_id}" if kind in _OF_PLACES else f"device:{one.device_id}"


def _moment(micros: np.int64) -> datetime:
    return _EPOCH + timedelta(microseconds=int(micros))
