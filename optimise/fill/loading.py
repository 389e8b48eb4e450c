"""What is known of a commune's bins, read from the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from optimise.fill.calendar import TownCalendar
from optimise.fill.options import FillOptions
from optimise.fill.training import TrainingData, assemble
from storage import bins, communes, levels, plans, town_events, weather
from storage.database import Connection

_LATELY = timedelta(days=14)
"""A commune with a plan within these days drives what is planned, and declares it."""


def load(connection: Connection, commune_insee: str, *, as_of: datetime, options: FillOptions) -> TrainingData:
    """Return all that is known of the commune's bins before `as_of`. Raises NotFoundError for an unserved commune."""
    commune = communes.one(connection, commune_insee)
    since = as_of - timedelta(days=options.history_days)
    known = assemble(
        bins=bins.every(connection, commune_insee),
        levels=levels.trusted(connection, commune_insee, since=since, until=as_of),
        emptyings=bins.emptyings(connection, commune_insee, since=since, until=as_of),
        as_of=as_of,
        time_zone=commune.time_zone,
        options=options.readings,
        calendar=TownCalendar(
            school_zone=commune.school_zone,
            events=tuple(town_events.every(connection, commune_insee, since=since)),
            weather=tuple(weather.every(connection, commune_insee, since=since.date())),
        ),
    )
    lately = plans.planned_dates(connection, commune_insee, since=(as_of - _LATELY).date())
    return replace(known, planned=any(date <= as_of.date() for date in lately))
