"""The making of sessions at its rim: takes what changed, makes it anew, and writes it down, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from optimise.occupancy.context import steady_before
from optimise.occupancy.frames import told_by
from optimise.occupancy.options import SessionOptions
from optimise.occupancy.present import present_of
from optimise.occupancy.reports import Report
from optimise.occupancy.sessions import Session, sessions_of
from storage import communes, observatory
from storage import sessions as stored
from storage.database import Connection
from storage.kerb.standing import overstay_s
from storage.kerb.timetable import Timetable
from storage.kerb_now import timetables_of
from storage.model import OccupancyPresent, OccupancySession
from storage.sessions import BEGINNING, ReportRow, SessionsDue

log = structlog.get_logger()

_AT_ONCE = 500
"""So many places are made at once: a month of each is some 100 MB."""
_LOOKS_BACK = (timedelta(days=2), timedelta(days=9))
"""How far back a moment is looked for before which nothing can change: most places are free once a day."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_NO_OPTIONS = SessionOptions()


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionsTally:
    """What one run did; all zero when another worker was at it."""

    places: int = 0
    reports: int = 0
    sessions: int = 0


def make_sessions(
    connection: Connection,
    commune_insee: str,
    *,
    wait: bool = False,
    options: SessionOptions = _NO_OPTIONS,
    progress: Callable[[int, int], None] | None = None,
) -> SessionsTally:
    """Make the sessions of all places whose readings changed since the last run; `progress` gets (done, of).

    In transactions of its own of some hundred places each (or within the caller's): what is not done yet stays due.
    Two workers never make one commune's at a time: the second returns at once, or does what is left when it is told to
    `wait`.
    """
    tally = SessionsTally()
    of = 0
    while True:
        with connection.transaction():
            if not stored.lock(connection, commune_insee, wait=wait):
                return tally
            due = stored.take_due(connection, commune_insee)
            of = max(of, tally.places + len(due))
            now, later = due[:_AT_ONCE], due[_AT_ONCE:]
            stored.ask(connection, commune_insee, later)
            done = _make(connection, commune_insee, now, options) if now else SessionsTally()
        tally = SessionsTally(
            places=tally.places + done.places,
            reports=tally.reports + done.reports,
            sessions=tally.sessions + done.sessions,
        )
        if progress is not None and of:
            progress(tally.places, of)
        if not later:
            break
    if tally.places:
        log.debug("sessions_made", commune=commune_insee, places=tally.places, sessions=tally.sessions)
    return tally


def _make(
    connection: Connection, commune_insee: str, due: Sequence[SessionsDue], options: SessionOptions
) -> SessionsTally:
    contexts = _contexts(connection, commune_insee, due, options)
    zone = ZoneInfo(communes.one(connection, commune_insee).time_zone)
    timetables = timetables_of(connection, commune_insee, [one.place_id for one in due], zone=zone)
    made: list[OccupancySession] = []
    present: list[OccupancyPresent] = []
    after: list[tuple[str, datetime]] = []
    empty: list[str] = []
    for one, (steady_us, rows) in zip(due, contexts, strict=True):
        reports = [_report(row) for row in rows if steady_us is None or row.at_us >= steady_us]
        after.append((one.place_id, _moment(_from_us(one, rows) if steady_us is None else steady_us)))
        sessions = sessions_of(reports, options)
        made += [_row(one.place_id, session, timetables.get(one.place_id)) for session in sessions]
        now = present_of(reports, sessions, options)
        if now is None:
            empty.append(one.place_id)
            continue
        present.append(
            OccupancyPresent(
                place_id=one.place_id,
                device_id=now.device_id,
                heard_at=_moment(now.heard_us),
                measured_at=None if now.measured_us is None else _moment(now.measured_us),
                occupied=now.occupied,
                since=None if now.since_us is None else _moment(now.since_us),
                certainty=now.certainty,
            )
        )
    stored.replace(connection, commune_insee, after=after, sessions=made)
    observatory.mark_changed(
        connection,
        commune_insee,
        after=[moment for _, moment in after],
        changed_since=[one.changed_since for one in due],
    )
    stored.save_present(connection, commune_insee, present)
    stored.forget_present(connection, commune_insee, empty)
    return SessionsTally(places=len(due), reports=sum(len(rows) for _, rows in contexts), sessions=len(made))


def _contexts(
    connection: Connection, commune_insee: str, due: Sequence[SessionsDue], options: SessionOptions
) -> list[tuple[int | None, list[ReportRow]]]:
    """Return, for each place, the steady moment before its change (None: it has none) and the readings needed."""
    found: list[tuple[int | None, list[ReportRow]]] = [(None, []) for _ in due]
    open_indices = list(range(len(due)))
    for look_back in (*_LOOKS_BACK, None):
        since = [
            BEGINNING if look_back is None else max(BEGINNING, due[index].changed_since - look_back)
            for index in open_indices
        ]
        places = [due[index].place_id for index in open_indices]
        rows_of = stored.reports(connection, commune_insee, list(zip(places, since, strict=True)))
        still_open = []
        for index, rows in zip(open_indices, rows_of, strict=True):
            changed_us = _micros(due[index].changed_since)
            steady_us = steady_before([_report(row) for row in rows if row.at_us < changed_us], changed_us, options)
            found[index] = (steady_us, rows)
            if steady_us is None:
                still_open.append(index)
        if not still_open:
            break
        open_indices = still_open
    return found


def _from_us(one: SessionsDue, rows: Sequence[ReportRow]) -> int:
    """Return after when a place's sessions go whose readings have no steady moment before the change.

    What began before all readings that are left was made of readings that are forgotten by now, and stays.
    """
    return min([_micros(one.changed_since), *(row.at_us for row in rows[:1])]) - 1


def _report(row: ReportRow) -> Report:
    return Report(
        at_us=row.at_us,
        occupied=row.occupied,
        told=told_by(row.model, row.payload_bytes),
        device_id=row.device_id,
        record_index=row.record_index,
        counter=row.counter,
    )


def _row(place_id: str, session: Session, timetable: Timetable | None) -> OccupancySession:
    started_at = _moment(session.started_us)
    over_s = None
    # How long it stood there is known only where both ends were told.
    if timetable is not None and session.dwell_s is not None and session.ended_us is not None:
        over_s = overstay_s(timetable, arrived_at=started_at, left_at=_moment(session.ended_us))
    return OccupancySession(
        place_id=place_id,
        started_at=started_at,
        started_after=None if session.started_after_us is None else _moment(session.started_after_us),
        start_seen=session.start_seen,
        last_seen_at=_moment(session.last_seen_us),
        ended_at=None if session.ended_us is None else _moment(session.ended_us),
        ended_by=session.ended_by,
        dwell_s=session.dwell_s,
        certainty=session.certainty,
        reports=session.reports,
        device_id=session.device_id,
        overstay_s=over_s,
    )


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
