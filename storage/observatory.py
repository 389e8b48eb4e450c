"""The making of the observatory's figures in the database: hours are laid out, rated, and summed up.

Whole months are made at a time, some hundred places at once, in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, LiteralString

from storage.database import Connection, statement
from storage.observatory_spans import RolledFrom, next_month, season_of


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservatoryState:
    """How far a commune's figures reach: local days before `observed_until`; from `changed_since` they are not true.

    `rolled_up`: their longer spans are sums of them; False when older code, which knows no spans, made figures.
    """

    observed_until: date
    changed_since: date | None
    rolled_up: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class HoursAsked:
    """Hours of [since, until), UTC, of a commune: told by the local clock of `zone`, its holidays as Sundays."""

    commune_insee: str
    zone: str
    since: datetime
    until: datetime
    holidays: tuple[date, ...]

    def parameters(self, connection: Connection, place_ids: Sequence[str]) -> dict[str, Any]:
        """Return the parameters of the query `hours` for some places."""
        kept = connection.execute(
            statement("observatory", "kept_before"), {"commune_insee": self.commune_insee}
        ).fetchone()
        of_readings, of_sessions = kept or (None, None)
        return {
            "commune_insee": self.commune_insee,
            "zone": self.zone,
            "since": self.since,
            "until": self.until,
            "holidays": list(self.holidays),
            "place_ids": list(place_ids),
            "readings_kept_before": of_readings,
            "sessions_kept_before": of_sessions,
        }


def summed(name: str) -> LiteralString:
    """Return the query `name` with the sums of all columns of figures where it says so: they are written once."""
    sums = statement("observatory", "sums").removeprefix("SELECT").removesuffix(";").strip()
    return statement("observatory", name).replace("%(sums)s", sums)


def state(connection: Connection, commune_insee: str) -> ObservatoryState | None:
    """Return how far the commune's figures reach, None before the first were made."""
    row = connection.execute(statement("observatory", "state"), {"commune_insee": commune_insee}).fetchone()
    return None if row is None else ObservatoryState(observed_until=row[0], changed_since=row[1], rolled_up=row[2])


def rolled_from(connection: Connection, commune_insee: str) -> RolledFrom | None:
    """Return from when on the figures' longer spans can be used, None while they cannot."""
    row = connection.execute(statement("observatory", "rolled_from"), {"commune_insee": commune_insee}).fetchone()
    return None if row is None or None in row else RolledFrom(day=row[0], month=row[1])


def lock(connection: Connection, commune_insee: str) -> bool:
    """Hold the commune's figures until the transaction ends; False when another one does."""
    row = connection.execute(statement("observatory", "lock"), {"commune_insee": commune_insee}).fetchone()
    return bool(row and row[0])


def earliest(connection: Connection, commune_insee: str) -> datetime | None:
    """Return the first moment of which anything is known, None when nothing ever was."""
    row = connection.execute(statement("observatory", "earliest"), {"commune_insee": commune_insee}).fetchone()
    return None if row is None else row[0]


def mark_changed(
    connection: Connection, commune_insee: str, *, after: Sequence[datetime], changed_since: Sequence[datetime]
) -> None:
    """Say that stays after these moments were made anew: part of the transaction that did it."""
    parameters = {"commune_insee": commune_insee, "after": list(after), "changed_since": list(changed_since)}
    connection.execute(statement("observatory", "mark"), parameters)


def mark_done(connection: Connection, commune_insee: str, *, observed_until: date, changed_since: date | None) -> None:
    """Say that the figures are true before `observed_until`; `changed_since` is what was known to have changed."""
    parameters = {"commune_insee": commune_insee, "observed_until": observed_until, "changed_since": changed_since}
    connection.execute(statement("observatory", "done"), parameters)


def sensed_places(connection: Connection, commune_insee: str, *, since: datetime, until: datetime) -> list[list[str]]:
    """Return the bays and spaces with a sensor within [since, until), a list for those that are part of one place."""
    parameters = {"commune_insee": commune_insee, "since": since, "until": until}
    rows = connection.execute(statement("observatory", "sensed"), parameters)
    return [[place_id for _, place_id in group] for _, group in groupby(rows, key=itemgetter(0))]


def stage_hours(connection: Connection, asked: HoursAsked, place_ids: Sequence[str]) -> None:
    """Lay out the hours of some places, in the place of what was laid out before in this transaction."""
    connection.execute(statement("observatory", "stage"))
    connection.execute(statement("observatory", "unstage"))
    query = statement("observatory", "stage_hours") + "\n" + statement("observatory", "hours")
    # Never prepared: a plan for any places and hours is far slower than one for these.
    connection.execute(query, asked.parameters(connection, place_ids), prepare=False)


def cells(connection: Connection, commune_insee: str) -> list[tuple[str, str, int, list[str], float, float, float]]:
    """Return (pool, day_class, hour, place_ids, known_s, occupied_s, arrivals) of the delivery bays laid out."""
    parameters = {"commune_insee": commune_insee}
    return connection.execute(statement("observatory", "cells"), parameters).fetchall()


def stage_rates(connection: Connection, rates: Iterable[tuple[str, str, int, float, float, float]]) -> None:
    """Put beside the hours (place_id, day_class, hour, wanted_per_s, refused_share, relative_var)."""
    with connection.cursor().copy(statement("observatory", "copy_rates").removesuffix(";")) as copy:
        for row in rates:
            copy.write_row(row)


def months_made(connection: Connection, commune_insee: str) -> list[date]:
    """Return the first days of the months that there are figures of."""
    return [
        month
        for (month,) in connection.execute(statement("observatory", "months_made"), {"commune_insee": commune_insee})
    ]


def mark_rolled_up(connection: Connection, commune_insee: str) -> None:
    """Say that all spans are the sums of the figures that there are."""
    connection.execute(statement("observatory", "rolled_up"), {"commune_insee": commune_insee})


def begin_month(connection: Connection, commune_insee: str, *, first: date, end: date) -> None:
    """Forget the figures of the months within [first, end), and note where places are."""
    parameters = {"commune_insee": commune_insee, "since": first, "until": end}
    for name in ("forget_days", "forget_months", "forget_street_days", "forget_street_months", "forget_hours"):
        connection.execute(statement("observatory", name), parameters)
    connection.execute(statement("observatory", "stage"))
    connection.execute(statement("observatory", "unstage_figures"))
    connection.execute(statement("observatory", "stage_places"), parameters)


def add_places(connection: Connection, commune_insee: str, *, first: date, end: date) -> None:
    """Sum up the hours laid out, of the local days of [first, end) in one month."""
    parameters = {"commune_insee": commune_insee, "since": first, "until": end}
    connection.execute(summed("add_days"), parameters)
    connection.execute(summed("add_figures"), parameters)


def end_month(connection: Connection, commune_insee: str, *, first: date, end: date) -> None:
    """Sum up the month's days, by place and by street, its hours over all places, and the spans that it is in."""
    parameters = {"commune_insee": commune_insee, "since": first, "until": end}
    for name in ("add_months", "add_street_days", "add_street_months", "add_hours"):
        connection.execute(summed(name), parameters)
    roll_up_month(connection, commune_insee, first=first)


def roll_up_month(connection: Connection, commune_insee: str, *, first: date) -> None:
    """Make the longer spans that a month is in anew, of its figures and those of its season's other months."""
    parameters = {
        "commune_insee": commune_insee, "since": first, "until": next_month(first), "season": season_of(first),
    }  # fmt: skip
    for name in ("forget_place_spans", "forget_hour_spans"):
        connection.execute(statement("observatory", name), parameters)
    for name in ("add_parts", "add_season", "add_hour_months", "add_hour_season"):
        connection.execute(summed(name), parameters)
