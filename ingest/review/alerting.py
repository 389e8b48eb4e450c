"""From spans of time to alerts: what is to be opened, what is to be closed, given what is known already.

Alerts live in event time and go forward. A span that is over when it is found (a late message, a history that is taken
in) is kept as an alert that is over; it opens nothing. One that touches a known alert is that alert. A known open alert
that the readings, as they are known now, do not bear out is withdrawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from storage.model import Alert, AlertKind, ClosedBy

type Subject = tuple[AlertKind, str]

_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """Of one kind and subject all was looked at from `since` to `until`, event times."""

    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """Alerts to open (some of them over already), and to close: (alert_id, when, why)."""

    opens: list[Alert]
    closes: list[tuple[int, datetime, ClosedBy]]


def reconcile(found: Iterable[Alert], known: Iterable[Alert], judged: Mapping[Subject, Judged]) -> Changes:
    """Return what to change so that the alerts say what was `found`.

    `known` are the alerts that are open, and those that closed since the earliest `since`.
    """
    found_of: defaultdict[Subject, list[Alert]] = defaultdict(list)
    for alert in found:
        found_of[alert.kind, alert.subject].append(alert)
    known_of: defaultdict[Subject, list[Alert]] = defaultdict(list)
    for alert in known:
        known_of[alert.kind, alert.subject].append(alert)
    changes = Changes(opens=[], closes=[])
    for subject, span in judged.items():
        _reconcile_one(found_of[subject], known_of[subject], span, changes)
    return changes


def _reconcile_one(found: list[Alert], known: list[Alert], span: Judged, changes: Changes) -> None:
    standing = list(known)
    borne_out: set[int] = set()
    for alert in sorted(found, key=lambda one: one.opened_at):
        ends_at = alert.closed_at or _EVER
        if ends_at < span.since:
            continue
        touching = [one for one in standing if one.opened_at <= ends_at and (one.closed_at or _EVER) >= alert.opened_at]
        still_open = next((one for one in touching if one.closed_at is None), None)
        if still_open is not None:
            borne_out.add(still_open.alert_id)
            if alert.closed_at is not None:
                changes.closes.append((still_open.alert_id, alert.closed_at, ClosedBy.RECOVERED))
                standing = [
                    replace(one, closed_at=max(alert.closed_at, one.opened_at), closed_by=ClosedBy.RECOVERED)
                    if one is still_open
                    else one
                    for one in standing
                ]
        elif not touching:
            changes.opens.append(alert)
            standing.append(alert)
        elif alert.closed_at is None:
            # What is past is not opened again: what goes on is a new alert, from where the old one ended.
            closed_at = max(one.closed_at for one in touching if one.closed_at is not None)
            changes.opens.append(replace(alert, opened_at=max(alert.opened_at, closed_at)))
    for one in known:
        if one.closed_at is None and one.alert_id not in borne_out:
            changes.closes.append((one.alert_id, max(span.until, one.opened_at), ClosedBy.WITHDRAWN))
