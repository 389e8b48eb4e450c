"""What TimescaleDB adds to the schema, as far as the server's edition offers it: applied at each migration.

Plain PostgreSQL has tables and views. The Apache edition adds hypertables, whose old chunks can be dropped. The
Community edition adds the columnstore and continuous aggregates. Tables, views and columns have the same names
everywhere, and a database that moves to a richer edition gets its features at the next `voirie migrate`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from functools import cache
from typing import Any, LiteralString

from psycopg import sql

from storage.database import SQL_FOLDER, Connection, statement


class Edition(IntEnum):
    """What a server offers; a greater one offers all that a smaller one does."""

    PLAIN = 0
    APACHE = 1
    COMMUNITY = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeSeriesOptions:
    """How time series lie on the disk (docs/decisions/0009-time-series.md).

    `fill_chunk_days`, `occupancy_chunk_days`: event time that one chunk spans; new chunks take a new value.
    `columnstore_after_days`: chunks older than this become columns, where the edition can.
    """

    fill_chunk_days: int = 7
    occupancy_chunk_days: int = 1
    columnstore_after_days: int = 14

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        for name in ("fill_chunk_days", "occupancy_chunk_days", "columnstore_after_days"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _TimeTable:
    """A table of time series. Segments hold one place's rows together, as the present state and histories ask."""

    name: str
    chunk: timedelta
    time_column: str
    segment_by: str
    order_by: str


def _time_tables(options: TimeSeriesOptions) -> tuple[_TimeTable, ...]:
    def of_readings(name: str, chunk_days: int) -> _TimeTable:
        # With the place in front the present state finds each segment by its index, and with the device behind it a
        # late reading looks for its duplicates in one segment only. A place has one device: it costs no segments.
        return _TimeTable(
            name=name,
            chunk=timedelta(days=chunk_days),
            time_column="measured_at",
            segment_by="commune_insee, place_id, device_id",
            order_by="measured_at DESC, record_index DESC",
        )

    def of_hours(name: str) -> _TimeTable:
        return _TimeTable(
            name=name,
            chunk=timedelta(days=28),
            time_column="hour",
            segment_by="commune_insee, place_id",
            order_by="hour DESC",
        )

    return (
        of_readings("fill_reading", options.fill_chunk_days),
        of_readings("reviewed_level", options.fill_chunk_days),
        of_readings("occupancy_reading", options.occupancy_chunk_days),
        of_hours("fill_hourly_kept"),
        of_hours("occupancy_hourly_kept"),
    )


TIME_TABLES = frozenset(
    {
        "fill_reading",
        "reviewed_level",
        "occupancy_reading",
        "fill_hourly_kept",
        "occupancy_hourly_kept",
        "occupancy_session",
    }
)
"""The tables that are hypertables where the server offers them."""

LIVE_VIEWS = ("fill_hourly_live", "occupancy_hourly_live")
"""The hourly figures made from readings: continuous aggregates in the Community edition, views elsewhere."""


def edition(connection: Connection) -> Edition:
    """Return what this database can do: the extension must be created, and the license the server's."""
    row = connection.execute(statement("time_series", "license")).fetchone()
    if row is None:
        return Edition.PLAIN
    return Edition.COMMUNITY if row[0] == "timescale" else Edition.APACHE


def drop_plain_views(connection: Connection) -> None:
    """Drop the live views that hold no data, so that a revision may alter what they stand on."""
    for view in LIVE_VIEWS:
        if not is_aggregate(connection, view):
            connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(sql.Identifier(view)))


def apply(connection: Connection, options: TimeSeriesOptions) -> None:
    """Bring hypertables, columnstore and live views to what `options` say and the edition offers.

    It is part of the caller's transaction; views that stand on the live ones must be gone.
    """
    connection.execute(statement("time_series", "create_extension"))
    offered = edition(connection)
    after = timedelta(days=options.columnstore_after_days)
    if offered >= Edition.APACHE:
        for table in _time_tables(options):
            _apply_hypertable(connection, table)
            if offered >= Edition.COMMUNITY:
                _apply_columnstore(
                    connection,
                    table.name,
                    kind="TABLE",
                    segment_by=table.segment_by,
                    order_by=table.order_by,
                    after=after,
                )
    for view in LIVE_VIEWS:
        _apply_live_view(connection, view, offered)
        if offered >= Edition.COMMUNITY:
            # A bin says its level once an hour: hourly figures are as many as readings.
            _apply_columnstore(
                connection,
                view,
                kind="MATERIALIZED VIEW",
                segment_by="commune_insee, place_id",
                order_by="hour DESC",
                after=after,
            )
    connection.execute(_text("occupancy_hours"))


def _apply_hypertable(connection: Connection, table: _TimeTable) -> None:
    named = {"table_name": table.name, "time_column": table.time_column, "chunk": table.chunk}
    row = connection.execute(statement("time_series", "chunk_interval"), named).fetchone()
    if row is None:
        connection.execute(statement("time_series", "create_hypertable"), named)
    elif row[0] != table.chunk:
        connection.execute(statement("time_series", "set_chunk_interval"), named)


def _apply_columnstore(
    connection: Connection, name: str, *, kind: LiteralString, segment_by: str, order_by: str, after: timedelta
) -> None:
    if not _holds(connection, "has_columnstore", table_name=name):
        connection.execute(
            sql.SQL(
                "ALTER {} {} SET (timescaledb.enable_columnstore, timescaledb.segmentby = {}, timescaledb.orderby = {})"
            ).format(sql.SQL(kind), sql.Identifier(name), sql.Literal(segment_by), sql.Literal(order_by))
        )
    if not _holds(connection, "has_columnstore_policy", table_name=name, after=after):
        connection.execute(statement("time_series", "remove_columnstore_policy"), {"table_name": name})
        connection.execute(statement("time_series", "add_columnstore_policy"), {"table_name": name, "after": after})


def _apply_live_view(connection: Connection, view: str, offered: Edition) -> None:
    hour = "time_bucket('1 hour', measured_at)" if offered >= Edition.APACHE else _HOUR_WITHOUT_TIMESCALEDB
    select = _text(view).replace("{hour}", hour)
    named = sql.Identifier(view)
    if offered < Edition.COMMUNITY:
        if not is_aggregate(connection, view):
            connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(named))
            connection.execute(sql.SQL("CREATE VIEW {} AS ").format(named) + sql.SQL(select))
        return
    # An aggregate holds data and is made again only when its definition changed; its readings are still there.
    digest = hashlib.sha256(select.encode()).hexdigest()
    if is_aggregate(connection, view):
        if _holds(connection, "has_comment", table_name=view, comment=digest):
            return
        connection.execute(sql.SQL("DROP MATERIALIZED VIEW {}").format(named))
    else:
        connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(named))
    connection.execute(
        sql.SQL(
            "CREATE MATERIALIZED VIEW {} WITH (timescaledb.continuous, timescaledb.materialized_only = false, "
            "timescaledb.create_group_indexes = false, timescaledb.chunk_interval = '28 days') AS "
        ).format(named)
        + sql.SQL(select)
        + sql.SQL(" WITH NO DATA")
    )
    connection.execute(sql.SQL("CREATE INDEX ON {} (commune_insee, place_id, hour DESC)").format(named))
    connection.execute(statement("time_series", "add_refresh_policy"), {"table_name": view})
    connection.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(named, sql.Literal(digest)))


_HOUR_WITHOUT_TIMESCALEDB = "date_bin('1 hour', measured_at, timestamptz '2000-01-01 00:00+00')"


def is_aggregate(connection: Connection, view: str) -> bool:
    """Whether the live view is a continuous aggregate, which holds data, and no plain view."""
    return edition(connection) > Edition.PLAIN and _holds(connection, "is_aggregate", table_name=view)


def _holds(connection: Connection, question: str, **parameters: Any) -> bool:
    row = connection.execute(statement("time_series", question), parameters).fetchone()
    return bool(row and row[0])


@cache
def _text(name: str) -> Any:
    return (SQL_FOLDER / "time_series" / f"{name}.sql").read_text(encoding="utf-8")
