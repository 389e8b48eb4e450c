"""What the pages for drivers show: places around a destination, or the streets of the whole commune."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.bays_near import STRETCH_M, bays_of, known_bays, known_stretches
from api.geo import distance_m
from api.guidance import Asked, Measured, around, measure
from api.here import Here
from api.models.guidance import Vehicle
from api.pages.parking import Item, bay_item, in_order, street_items, stretch_item
from storage import bay_forecasts
from storage.kerb_now import WHOLE_WORLD

_MOST_STREETS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Places in the order in which to try them; `measured` are all bays around that may be used.

    `foretold_at`: until when the forecast knew that was used; None: none was.
    """

    items: list[Item]
    measured: Measured
    foretold_at: datetime | None


def near(here: Here, point: tuple[float, float], *, minutes: int, vehicle: Vehicle, radius_m: int) -> Answer:
    """Return the places around a point (longitude, latitude; degrees): bays for deliveries, else stretches."""
    at = Asked(destination=point, arrival=here.now + timedelta(minutes=minutes))
    run = bay_forecasts.latest_run(here.connection, here.insee)
    view = bays_of(here, vehicle.uses, around(point, radius_m + STRETCH_M))
    known = known_bays(here, view, run, at, vehicle.uses)
    usable = [spot for spot in known.values() if spot.admitted and distance_m(point, spot.point) <= radius_m]
    if vehicle is Vehicle.DELIVERY:
        items = [bay_item(spot, at, view, minutes=minutes) for spot in usable]
    else:
        stretches = known_stretches(here, run, known, at, uses=vehicle.uses, radius_m=radius_m)
        items = [stretch_item(one, at, minutes=minutes) for one in stretches]
        items = [item for item in items if item.places] or street_items(usable, at, minutes=minutes)
    return Answer(
        items=in_order(items),
        measured=measure(usable),
        foretold_at=None if run is None or all(item.tenths is None for item in items) else run.as_of,
    )


def everywhere(here: Here, point: tuple[float, float], *, vehicle: Vehicle) -> Answer:
    """Return the streets with the most free places that sensors see now, and a count of the whole commune."""
    at = Asked(destination=point, arrival=here.now)
    view = bays_of(here, vehicle.uses, WHOLE_WORLD)
    found = [spot for spot in known_bays(here, view, None, at, vehicle.uses).values() if spot.admitted]
    items = [item for item in street_items(found, at, minutes=0) if item.measured.free and item.name]
    items.sort(key=lambda item: (-item.measured.free, item.name or ""))
    return Answer(items=items[:_MOST_STREETS], measured=measure(found), foretold_at=None)
