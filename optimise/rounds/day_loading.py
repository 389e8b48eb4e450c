"""What a day's plan needs, read from storage and from the streets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from optimise.rounds.day import Calendar, Fleet
from optimise.rounds.day_task import Loaded, Measuring, bodies
from optimise.rounds.outlooks import read_outlooks
from optimise.rounds.planner_options import PlannerOptions
from optimise.rounds.travel import Travel, TravelOptions, open_travel
from storage import bins as stored_bins
from storage import communes, places, round_rules
from storage.database import Connection
from storage.errors import InputError
from storage.model import PlaceKind

type Opener = Callable[[TravelOptions], Travel]
"""What opens travel: `travel.open_travel`, or something that keeps streets in memory."""


def load_day(
    connection: Connection,
    commune_insee: str,
    *,
    service_date: date,
    as_of: datetime,
    options: PlannerOptions,
    run_id: UUID | None = None,
) -> Loaded:
    """Read the day: bins, fleet, rules and outlooks, by the forecast `run_id` or by the newest one of data to `as_of`.

    Raises InputError when something that a plan needs is missing.
    """
    commune = communes.one(connection, commune_insee)
    calendar = Calendar(service_date=service_date, time_zone=commune.time_zone)
    fleet = Fleet(
        vehicles=tuple(places.vehicles(connection, commune_insee)),
        depots=tuple(places.of_kind(connection, commune_insee, PlaceKind.DEPOT)),
        disposal_sites=tuple(places.disposal_sites(connection, commune_insee)),
    )
    bins = stored_bins.every(connection, commune_insee)
    strangers = (options.must_serve | options.must_not_serve) - {item.place_id for item in bins}
    if strangers:
        raise InputError(
            f"expected must_serve and must_not_serve to name bins of commune {commune_insee}, "
            f"got {sorted(strangers)[:5]}"
        )
    service_at = calendar.middle(fleet.vehicles)
    outlooks = read_outlooks(
        connection,
        commune_insee,
        bins,
        as_of=as_of,
        service_at=service_at,
        next_at=service_at + timedelta(hours=options.next_chance_h),
        run_id=run_id,
    )
    rules = round_rules.every(connection, commune_insee)
    return Loaded(bins=bins, fleet=fleet, calendar=calendar, outlooks=outlooks, rules=rules)


def measuring_of(loaded: Loaded, options: PlannerOptions, opener: Opener = open_travel) -> Measuring:
    """Open travel for each body of vehicle; streets are prepared for each once."""
    travels = {body: opener(replace(options.travel(), body=body)) for body in bodies(loaded.fleet, loaded.rules)}
    return Measuring(travels=travels, kerb_side=options.kerb_side, max_snap_m=options.max_snap_m)
