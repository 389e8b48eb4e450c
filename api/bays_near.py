"""Reads the bays around a destination with what is foretold of them: what guidance and its pages are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from api.geo import distance_m
from api.guidance import Asked, Spot, Stretch, around, spots, step_at, stretch
from api.here import Here
from storage import bay_forecasts
from storage.kerb.admission import use_of
from storage.kerb_now import KerbView, kerb_now
from storage.model import BayChance, BayForecastRun, BayScope, BayUse, PlaceKind

STRETCH_M = 160.0
"""How far a stretch may reach beyond a circle that its middle is in."""
_KINDS = {
    BayUse.DELIVERY: PlaceKind.DELIVERY_BAY,
    BayUse.CAR: PlaceKind.PARKING_SPACE,
    BayUse.DISABLED: PlaceKind.PARKING_SPACE,
}


def bays_of(
    here: Here,
    uses: Sequence[BayUse],
    bounds: tuple[float, float, float, float],
    *,
    place_ids: Sequence[str] | None = None,
) -> KerbView:
    """Return the kerb within bounds (west, south, east, north), with the kinds of places that these uses have."""
    kinds = {_KINDS[use] for use in uses}
    return kerb_now(
        here.connection, here.insee, now=here.now, zone=here.zone, kinds=kinds, bounds=bounds, place_ids=place_ids
    )


def known_bays(
    here: Here, view: KerbView, run: BayForecastRun | None, at: Asked, uses: Sequence[BayUse] | None
) -> dict[str, Spot]:
    """Return the bays of a view that are of these uses (None: all), by id, as they will be at arrival."""
    step = None if run is None else step_at(run, at.arrival)
    foretold: dict[str, BayChance] = {}
    if step is not None:
        before, share = step
        place_ids = [place.place_id for place in view.places]
        foretold = bay_forecasts.at_step(here.connection, here.insee, place_ids, before=before, share=share)
    found = spots(view, foretold, at)
    if uses is None:
        return found
    return {place_id: spot for place_id, spot in found.items() if use_of(spot.place) in uses}


def known_stretches(
    here: Here,
    run: BayForecastRun | None,
    known: Mapping[str, Spot],
    at: Asked,
    *,
    uses: Sequence[BayUse],
    radius_m: float,
) -> list[Stretch]:
    """Return the stretches around the destination, of those of their bays that are `known`; none without a forecast."""
    if run is None:
        return []
    groups = bay_forecasts.of_groups(
        here.connection,
        here.insee,
        scope=BayScope.STRETCH,
        uses=uses,
        bounds=around(at.destination, radius_m),
    )
    return [
        stretch(group, run, known, at)
        for group in groups
        if distance_m(at.destination, (group.longitude_deg, group.latitude_deg)) <= radius_m
    ]
