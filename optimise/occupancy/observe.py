"""The making of the observatory's figures at its rim: hours are laid out, judged by the loss model, and summed up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from optimise.occupancy.unmet import Cell, demands
from storage import communes
from storage import observatory as stored
from storage.database import Connection
from storage.kerb.french_holidays import is_holiday
from storage.observatory_spans import next_month

log = structlog.get_logger()

_AT_ONCE = 500
"""So many places at once: a month of them is some 400,000 hours."""
_AGAIN_DAYS = 7
"""Days that are told again each time: stays end, and sensors that store send later."""
_WINDOW_DAYS = 28
"""The loss model sees at least four of each weekday."""
_LATE = timedelta(hours=2)
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """What one run did: nothing when another worker was at it, or nothing is known yet."""

    months: int = 0
    places: int = 0
    observed_until: date | None = None


def observation_is_due(*, now: datetime, time_zone: str, state: stored.ObservatoryState | None) -> bool:
    """Whether a local day is over, for two hours, that is not in the figures, or one in them or a span has changed."""
    if state is None or not state.rolled_up or state.changed_since is not None:
        return True
    return state.observed_until < today(now, time_zone)


def today(now: datetime, time_zone: str) -> date:
    """Return the local day before which all days are over, for two hours: sensors store and send later."""
    return (now.astimezone(ZoneInfo(time_zone)) - _LATE).date()


def observe(
    connection: Connection,
    commune_insee: str,
    *,
    now: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> Observed:
    """Bring the commune's figures up to its `now`: each month in a transaction of its own; `progress` gets (done, of).

    A month that changed is made anew as a whole. What is forgotten by retention comes from the hourly figures that are
    kept.
    """
    commune = communes.one(connection, commune_insee)
    until = today(now, commune.time_zone)
    state = stored.state(connection, commune_insee)
    if state is not None and not state.rolled_up and not _roll_up(connection, commune_insee):
        return Observed()
    since = _since(connection, commune_insee, state, commune.time_zone)
    if since is None or since >= until:
        return Observed()
    months = list(_months(since, until))
    places = 0
    for done, first in enumerate(months):
        end = min(next_month(first), until)
        with connection.transaction():
            if not stored.lock(connection, commune_insee):
                return Observed()
            places = max(places, _observe_month(connection, commune_insee, commune.time_zone, first=first, end=end))
            if end == until:
                stored.mark_done(
                    connection,
                    commune_insee,
                    observed_until=until,
                    changed_since=None if state is None else state.changed_since,
                )
        if progress is not None:
            progress(done + 1, len(months))
    log.info("observed", commune=commune_insee, months=len(months), places=places, until=until.isoformat())
    return Observed(months=len(months), places=places, observed_until=until)


def _roll_up(connection: Connection, commune_insee: str) -> bool:
    """Make all longer spans of the figures that there are; False when another worker is at them."""
    with connection.transaction():
        if not stored.lock(connection, commune_insee):
            return False
        months = stored.months_made(connection, commune_insee)
        for first in months:
            stored.roll_up_month(connection, commune_insee, first=first)
        stored.mark_rolled_up(connection, commune_insee)
    log.info("observatory_rolled_up", commune=commune_insee, months=len(months))
    return True


def _since(
    connection: Connection, commune_insee: str, state: stored.ObservatoryState | None, time_zone: str
) -> date | None:
    earliest = stored.earliest(connection, commune_insee)
    if earliest is None:
        return None
    first = earliest.astimezone(ZoneInfo(time_zone)).date()
    if state is None:
        return first
    again = state.observed_until - _AGAIN_DAYS * _DAY
    # What was made of hours that are forgotten by now stays as it is.
    return max(first, again if state.changed_since is None else min(again, state.changed_since))


def _observe_month(connection: Connection, commune_insee: str, time_zone: str, *, first: date, end: date) -> int:
    window_from = min(first, end - _WINDOW_DAYS * _DAY)
    asked = hours_asked(commune_insee, time_zone, since=window_from, until=end)
    places = stored.sensed_places(connection, commune_insee, since=asked.since, until=asked.until)
    stored.begin_month(connection, commune_insee, first=first, end=next_month(first))
    for some in _portions(places):
        stored.stage_hours(connection, asked, some)
        found = [
            Cell(
                pool=pool, day_class=day_class, hour=hour, place_ids=tuple(place_ids), known_s=known_s,
                occupied_s=min(occupied_s, known_s), arrivals=arrivals,
            )
            for pool, day_class, hour, place_ids, known_s, occupied_s, arrivals in stored.cells(
                connection, commune_insee
            )
        ]  # fmt: skip
        stored.stage_rates(
            connection,
            (
                (place_id, cell.day_class, cell.hour, one.wanted_per_s, one.refused_share, one.relative_var)
                for cell, one in zip(found, demands(found), strict=True)
                for place_id in cell.place_ids
            ),
        )
        stored.add_places(connection, commune_insee, first=first, end=end)
    stored.end_month(connection, commune_insee, first=first, end=end)
    return sum(map(len, places))


def _portions(groups: Iterable[list[str]]) -> Iterator[list[str]]:
    """Yield places of whole groups, about `_AT_ONCE` at once: the loss model sees an area as a whole."""
    portion: list[str] = []
    for group in groups:
        portion += group
        if len(portion) >= _AT_ONCE:
            yield portion
            portion = []
    if portion:
        yield portion


def hours_asked(commune_insee: str, time_zone: str, *, since: date, until: date) -> stored.HoursAsked:
    """Return the question for the hours of the local days of [since, until)."""
    zone = ZoneInfo(time_zone)
    days = (since + number * _DAY for number in range((until - since).days))
    return stored.HoursAsked(
        commune_insee=commune_insee,
        zone=time_zone,
        since=datetime.combine(since, time(), zone).astimezone(UTC),
        until=datetime.combine(until, time(), zone).astimezone(UTC),
        holidays=tuple(day for day in days if is_holiday(day, commune_insee)),
    )


def _months(since: date, until: date) -> Iterator[date]:
    """Yield the first days of the months that touch [since, until)."""
    first = since.replace(day=1)
    while first < until:
        yield first
        first = next_month(first)
