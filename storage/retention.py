"""How long each kind of data is kept, why, and the daily work of forgetting it.

Days are UTC days of the commune's own clock, counting today: of readings kept 31 days there are today's and those of
the 30 days before. Hourly figures of readings are kept before the readings go. Where tables have chunks, those in which
no commune keeps anything are dropped whole; only what is left at the edge is deleted row by row.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import partial

from psycopg.errors import DeadlockDetected

from storage import rollups
from storage.database import Connection, has_timescaledb, statement

_DAY = timedelta(days=1)
_PAUSES_S = (0.1, 0.5, 2.0)
_LEAST_OCCUPANCY_DAYS = 7
"""Occupancy needs its neighbours, up to 30 hours away on either side, and its figures are kept two days ahead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionOptions:
    """Days for which each kind of data is kept, today included.

    `intake_ledger_days`: then a day of the ledger becomes one row. `statistics_days`: hourly figures and emptyings.
    """

    fill_readings_days: int = 400
    occupancy_readings_days: int = 31
    device_events_days: int = 400
    refused_messages_days: int = 90
    intake_ledger_days: int = 7
    forecasts_days: int = 14
    alerts_days: int = 400
    statistics_days: int = 1826

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise ValueError(f"expected {field.name} >= 1, got {getattr(self, field.name)}")
        if self.occupancy_readings_days < _LEAST_OCCUPANCY_DAYS:
            raise ValueError(
                f"expected occupancy_readings_days >= {_LEAST_OCCUPANCY_DAYS}, got {self.occupancy_readings_days}"
            )
        for name in ("fill_readings_days", "occupancy_readings_days"):
            if getattr(self, name) > self.statistics_days:
                raise ValueError(
                    f"expected {name} <= statistics_days ({self.statistics_days}), got {getattr(self, name)}"
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One kind of data: `tables` are what `name` is made of (queries `forget_*`), `days` the option that rules it.

    `figures_ahead`: its hourly figures are kept, this much before it goes. `by_wall_clock`: its times are the server's,
    also in a commune with a clock of its own.
    """

    name: str
    days: str
    why: str
    tables: tuple[str, ...]
    figures_ahead: timedelta | None = None
    by_wall_clock: bool = False


KINDS: tuple[Kind, ...] = (
    Kind(
        name="fill_reading",
        days="fill_readings_days",
        why="forecasts learn from them, and a year can be compared with the last; nobody is behind a bin's level",
        tables=("fill_reading", "reviewed_level", "displaced_fill"),
        figures_ahead=timedelta(0),
    ),
    Kind(
        name="occupancy_reading",
        days="occupancy_readings_days",
        why="single stays of vehicles: only as long as limits are checked and figures are made of them",
        tables=("occupancy_reading", "displaced_occupancy"),
        # What lasts into the first hour after the kept ones began up to 30 hours before it (sql/time_series).
        figures_ahead=timedelta(days=2),
    ),
    Kind(
        name="device_event",
        days="device_events_days",
        why="the devices' health over a year: batteries, radio, restarts",
        tables=("device_event", "device_day"),
    ),
    Kind(
        name="refused_message",
        days="refused_messages_days",
        why="to be replayed once the device is registered or the decoder corrected",
        tables=("refused_message",),
    ),
    Kind(
        name="intake_batch",
        days="intake_ledger_days",
        why="the ledger of single commits, to look into a loss; its sums are kept for good",
        tables=("intake_batch",),
        by_wall_clock=True,
    ),
    Kind(
        name="forecast_run",
        days="forecasts_days",
        why="plans keep their own reasons, so that only recent runs (some 50,000 rows each) are looked at again",
        tables=("forecast_run",),
    ),
    Kind(
        name="alert",
        days="alerts_days",
        why="closed alerts, to compare a year with the last; open ones stay",
        tables=("alert",),
    ),
    Kind(
        name="statistics",
        days="statistics_days",
        why="hourly figures and emptyings, in which no single stay is seen: the observatory's years",
        tables=("fill_hourly_kept", "occupancy_hourly_kept", "detected_emptying", "declared_check"),
    ),
)

KEPT_FOR_GOOD: Mapping[str, str] = {
    "what the town is": "commune simulation place bin delivery_bay parking_space disposal_site vehicle device mounting",
    "what was decided and declared, for who answers for it": (
        "plan planned_route planned_stop plan_left_out service_event device_change"
    ),
    "one row for each place, device or piece of work, replaced": "bin_level device_health review_due forgotten",
}
"""Tables that nothing is forgotten of, by reason. Rows of forecasts go with their run."""


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


def forgotten_before(kind: Kind, options: RetentionOptions, *, now: datetime) -> datetime:
    """Return the moment before which a commune whose clock says `now` keeps nothing of `kind`; a UTC midnight."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days: int = getattr(options, kind.days)
    return today - (days - 1) * _DAY


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
        if before and len(before) == len(nows) and has_timescaledb(connection):
            chunks = _drop_chunks(connection, kind.tables, min(before.values()))
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


def _drop_chunks(connection: Connection, tables: Sequence[str], before: datetime) -> int:
    def drop(table: str) -> int:
        parameters = {"table_name": table, "before": before}
        row = connection.execute(statement("retention", "drop_chunks"), parameters).fetchone()
        return row[0] if row else 0

    return sum(_persistently(connection, partial(drop, table)) for table in tables)


def _delete(connection: Connection, kind: Kind, commune_insee: str, mark: _Mark, before: datetime) -> int:
    parameters = {
        "commune_insee": commune_insee, "kind": kind.name, "before": before, "since": mark.forgotten_before,
    }  # fmt: skip

    def delete() -> int:
        rows = sum(
            connection.execute(statement("retention", f"forget_{table}"), parameters).rowcount for table in kind.tables
        )
        if _is_before(mark.forgotten_before, before):
            connection.execute(statement("retention", "mark_forgotten"), parameters)
        return rows

    return _persistently(connection, delete)


def _persistently(connection: Connection, step: Callable[[], int]) -> int:
    """Take `step` in a transaction; again when the database's own job, turning chunks into columns, stood in its way."""
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
