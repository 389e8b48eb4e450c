"""Hourly figures: how full a bin was, how long a place was occupied. UTC hours; they outlive their readings."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.errors import DeadlockDetected, LockNotAvailable

from storage.database import Connection, fetch, statement
from storage.errors import UnavailableError
from storage.time_series import LIVE_VIEWS, Edition, edition, is_aggregate

_HOUR = timedelta(hours=1)
_OTHERS_REFRESH_S = 0.2
"""The database refuses a refresh while another (its own, each quarter of an hour) covers the same hours, and one that
meets its other jobs may be the victim of a deadlock."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FillHour:
    """A bin's measured levels in one hour. Fractions are None when none of its `readings` had a level."""

    place_id: str
    hour: datetime
    readings: int
    measured: int
    mean_fraction: float | None
    min_fraction: float | None
    max_fraction: float | None
    last_fraction: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OccupancyHour:
    """A place in one hour: occupied for `occupied_s` of the `known_s` seconds (3600 or fewer) whose state is known.

    `arrivals` counts changes from free to occupied.
    """

    place_id: str
    hour: datetime
    readings: int
    measured: int
    known_s: float
    occupied_s: float
    arrivals: int


def fill_hours(
    connection: Connection, commune_insee: str, *, since: datetime, until: datetime, place_id: str | None = None
) -> list[FillHour]:
    """Return the hours of [since, until) that have readings, of all bins or of one, by place and hour."""
    parameters = {"commune_insee": commune_insee, "since": since, "until": until, "place_id": place_id}
    return fetch(connection, FillHour, statement("rollups", "fill_hours"), parameters)


def occupancy_hours(
    connection: Connection, commune_insee: str, *, since: datetime, until: datetime, place_id: str | None = None
) -> list[OccupancyHour]:
    """Return the hours of [since, until) that are known in part, of all places or of one, by place and hour."""
    parameters: dict[str, Any] = {
        "commune_insee": commune_insee, "since": since, "until": until, "place_id": place_id,
    }  # fmt: skip
    # As a plain value the planner can put it to the chunks' bounds.
    row = connection.execute(statement("rollups", "occupancy_kept_before"), parameters).fetchone()
    parameters["kept_before"] = row[0] if row else since
    return fetch(connection, OccupancyHour, statement("rollups", "occupancy_hours"), parameters)


def refresh(
    connection: Connection, *, since: datetime | None = None, until: datetime | None = None, patience_s: float = 60.0
) -> None:
    """Make the figures of the hours that touch [since, until) equal to the readings, after a backfill; None: no bound.

    Where figures are plain views they always are. In the Community edition the database does it by itself within a
    quarter of an hour. Only hours whose readings changed cost anything. Needs a connection in autocommit mode; raises
    UnavailableError when other refreshes of the same hours take longer than `patience_s`.
    """
    if not connection.autocommit:
        raise ValueError("refreshing commits as it goes: expected a connection in autocommit mode")
    since = None if since is None else _floor(since)
    until = None if until is None else _floor(until + _HOUR - timedelta(microseconds=1))
    if edition(connection) < Edition.COMMUNITY:
        return
    deadline = time.monotonic() + patience_s
    for view in LIVE_VIEWS:
        while is_aggregate(connection, view):
            parameters = {"table_name": view, "since": since, "until": until}
            try:
                connection.execute(statement("time_series", "refresh"), parameters)
            except (DeadlockDetected, LockNotAvailable) as error:
                if time.monotonic() > deadline:
                    raise UnavailableError("another refresh of the same hourly figures is taking long") from error
                time.sleep(_OTHERS_REFRESH_S)
            else:
                break


def _floor(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def keep(connection: Connection, commune_insee: str, *, kind: str, since: datetime | None, until: datetime) -> int:
    """Keep the figures of [since, until) of readings of `kind`, which are about to be forgotten; return their number.

    Without `since`: all before `until`. It is part of the caller's transaction, which also says so in `forgotten`.
    """
    parameters = {"commune_insee": commune_insee, "since": since, "until": until}
    return connection.execute(statement("rollups", f"keep_{kind}"), parameters).rowcount
