"""The one number of a sign: how many places are free, and since when that is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.bays_near import bays_of, known_bays
from api.geo import distance_m
from api.guidance import Asked, Spot, around, measure
from api.here import Here
from storage import bay_forecasts
from storage.errors import NotFoundError
from storage.kerb_now import WHOLE_WORLD, newest_word
from storage.model import BayForecastRun, BayGroupForecast, BayScope, BayUse

_WIDE_FIRST = (BayScope.ZONE, BayScope.STREET, BayScope.STREET_FACE, BayScope.DELIVERY_AREA, BayScope.STRETCH)


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """Free places of the `of` bays that something is known of; None: nothing is known, or what is known is too old.

    `heard_at`: when any sensor of the commune's kerb last spoke.
    """

    number: int | None
    of: int
    heard_at: datetime | None


def count_group(here: Here, group: BayGroupForecast, *, minutes: int, max_age_min: int | None) -> Counted:
    """Count the bays of a group."""
    at = _asked(here, (group.longitude_deg, group.latitude_deg), minutes)
    run = bay_forecasts.latest_run(here.connection, here.insee)
    view = bays_of(here, (group.use,), WHOLE_WORLD, place_ids=group.place_ids)
    found = list(known_bays(here, view, run, at, None).values())
    return _count(here, found, run, minutes=minutes, max_age_min=max_age_min)


def count_around(
    here: Here,
    point: tuple[float, float],
    *,
    uses: tuple[BayUse, ...],
    radius_m: float,
    minutes: int,
    max_age_min: int | None,
) -> Counted:
    """Count the bays of `uses` around a point (longitude, latitude; degrees)."""
    at = _asked(here, point, minutes)
    run = bay_forecasts.latest_run(here.connection, here.insee)
    view = bays_of(here, uses, around(point, radius_m))
    near = [
        spot for spot in known_bays(here, view, run, at, uses).values() if distance_m(point, spot.point) <= radius_m
    ]
    return _count(here, near, run, minutes=minutes, max_age_min=max_age_min)


def group_called(here: Here, name: str, uses: tuple[BayUse, ...]) -> BayGroupForecast:
    """Return the group with this id, or the zone, street or area of this id or name; NotFoundError when there is none.

    Groups are what is forecast: before the first forecast there are none.
    """
    for group_id in (name, *(f"{scope.value}:{use.value}:{name}" for scope in _WIDE_FIRST for use in uses)):
        try:
            return bay_forecasts.of_group(here.connection, here.insee, group_id)
        except NotFoundError:
            continue
    raise NotFoundError(f"commune {here.insee} has no zone, street or area {name!r} with a forecast")


def _asked(here: Here, point: tuple[float, float], minutes: int) -> Asked:
    return Asked(destination=point, arrival=here.now + timedelta(minutes=minutes))


def _count(
    here: Here, found: list[Spot], run: BayForecastRun | None, *, minutes: int, max_age_min: int | None
) -> Counted:
    usable = [spot for spot in found if spot.admitted]
    number: int | None
    if minutes == 0:
        measured = measure(usable)
        of = measured.free + measured.occupied
        number = measured.free if of else None
    else:
        chances = [spot.chance for spot in usable if spot.chance is not None]
        of, number = len(chances), int(sum(chances)) if chances else None
    heard = [spot.place.heard_at for spot in found if spot.place.heard_at is not None]
    newest = newest_word(here.connection, here.insee)
    heard_at = max([*heard, *([newest] if newest is not None else [])], default=None)
    if max_age_min is not None:
        oldest = here.now - timedelta(minutes=max_age_min)
        told_at = heard_at if minutes == 0 or run is None else run.as_of
        if told_at is None or told_at < oldest:
            number = None
    return Counted(number=number, of=of, heard_at=heard_at)
