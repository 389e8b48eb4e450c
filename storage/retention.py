"""The daily work of forgetting what is kept no longer (storage/retention_kinds.py), by each commune's own clock.

Hourly figures of readings are kept before the readings go. Where tables have chunks, those in which no commune keeps
anything are dropped whole; only what is left at the edge is deleted row by row.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from psycopg.errors import DeadlockDetected

from storage import audit, people, rollups
from storage.audit_chain import FORGOTTEN
from storage.database import Connection, has_timescaledb, statement
from storage.retention_kinds import KINDS, Kind, RetentionOptions, forgotten_before

_PAUSES_S = (0.1, 0.5, 2.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Forgotten:
    """What one run forgot of one kind: rows deleted (or folded into others) and whole chunks dropped."""

    kind: str
    rows: int
    chunks: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mark:
    forgotten_before: datetime | None = None
    kept_before: datetime | None = None


def is_due(
    connection: Connection, commune_insee: str, *, now: datetime, wall_now: datetime, options: RetentionOptions
) -> bool:
    """Whether the commune keeps something longer than `options` say at its `now`."""
    marks = _marks(connection, commune_insee)
    return any(
        _is_before(
            marks.get(kind.name, _Mark()).forgotten_before,
            forgotten_before(kind, options, now=wall_now if kind.by_wall_clock else now),
        )
        for kind in KINDS
    )


def forget(
    connection: Connection, nows: Mapping[str, datetime | None], *, wall_now: datetime, options: RetentionOptions
) -> list[Forgotten]:
    """Forget what is older than `options` say, by each commune's now; return what was forgotten of each kind.

    `nows` has every commune of the installation; one without a now keeps all. Needs a connection in autocommit mode.
    A run that was interrupted is made good by the next.
    """
    if not connection.autocommit:
        raise ValueError("forgetting commits as it goes: expected a connection in autocommit mode")
    marks = {commune: _marks(connection, commune) for commune in nows}
    done = []
    for kind in KINDS:
        before = {
            commune: forgotten_before(kind, options, now=wall_now if kind.by_wall_clock else now)
            for commune, now in nows.items()
            if now is not None
        }
        of_kind = {commune: marks[commune].get(kind.name, _Mark()) for commune in before}
        if kind.figures_ahead is not None:
            until = {commune: moment + kind.figures_ahead for commune, moment in before.items()}
            _keep_figures(connection, kind, of_kind, until)
        chunks = 0
        if before and len(before) == len(nows) and not kind.names_only and has_timescaledb(connection):
            chunks = _drop_chunks(connection, kind, min(before.values()))
        rows = sum(_delete(connection, kind, commune, of_kind[commune], moment) for commune, moment in before.items())
        if kind.figures_ahead is not None and (rows or chunks):
            # What the aggregates made of the readings goes with them.
            rollups.refresh(connection, until=max(before.values()))
        done.append(Forgotten(kind=kind.name, rows=rows, chunks=chunks))
    return done


def _keep_figures(
    connection: Connection, kind: Kind, marks: Mapping[str, _Mark], until: Mapping[str, datetime]
) -> None:
    ahead = {commune: moment for commune, moment in until.items() if _is_before(marks[commune].kept_before, moment)}
    if not ahead:
        return
    rollups.refresh(connection, until=max(ahead.values()))
    for commune_insee, moment in ahead.items():
        with connection.transaction():
            rollups.keep(
                connection, commune_insee, kind=kind.name, since=marks[commune_insee].kept_before, until=moment
            )
            connection.execute(
                statement("retention", "mark_kept"),
                {"commune_insee": commune_insee, "kind": kind.name, "before": moment},
            )


def _drop_chunks(connection: Connection, kind: Kind, before: datetime) -> int:
    def drop(table: str) -> int:
        parameters = {"table_name": table, "before": before}
        row = connection.execute(statement("retention", "drop_chunks"), parameters).fetchone()
        chunks = row[0] if row else 0
        if chunks:
            taken = {"tables": [table], "before": before.isoformat(), "chunks": chunks}
            audit.record(connection, audit.INSTALLATION, "voirie", FORGOTTEN, kind.name, taken)
        return chunks

    return sum(_persistently(connection, partial(drop, table)) for table in kind.tables)


def _delete(connection: Connection, kind: Kind, commune_insee: str, mark: _Mark, before: datetime) -> int:
    parameters = {
        "commune_insee": commune_insee, "kind": kind.name, "before": before, "since": mark.forgotten_before,
    }  # fmt: skip

    def delete() -> int:
        if kind.names_only:
            # Notes itself what it sealed anew; the rows are still there.
            rows = people.forget_names(connection, commune_insee, kind.tables, before=before)
            if _is_before(mark.forgotten_before, before):
                connection.execute(statement("retention", "mark_forgotten"), parameters)
            return rows
        rows = sum(
            connection.execute(statement("retention", f"forget_{table}"), parameters).rowcount for table in kind.tables
        )
        if _is_before(mark.forgotten_before, before):
            connection.execute(statement("retention", "mark_forgotten"), parameters)
        if rows:
            taken = {"tables": list(kind.tables), "before": before.isoformat(), "rows": rows}
            audit.record(connection, commune_insee, "voirie", FORGOTTEN, kind.name, taken)
        return rows

    return _persistently(connection, delete)


def _persistently(connection: Connection, step: Callable[[], int]) -> int:
    """Take `step` in a transaction; again when the database's own job, making columns of chunks, stood in its way."""
    for pause_s in _PAUSES_S:
        with contextlib.suppress(DeadlockDetected), connection.transaction():
            return step()
        time.sleep(pause_s)
    with connection.transaction():
        return step()


def _marks(connection: Connection, commune_insee: str) -> dict[str, _Mark]:
    rows = connection.execute(statement("retention", "marks"), {"commune_insee": commune_insee})
    return {kind: _Mark(forgotten_before=before, kept_before=kept) for kind, before, kept in rows}


def _is_before(mark: datetime | None, moment: datetime) -> bool:
    return mark is None or mark < moment
