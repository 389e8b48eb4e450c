"""Guidance without an account: the nearest likely free places, one number for a sign, and the forecast behind them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response

from api.bays_near import STRETCH_M, bays_of, known_bays, known_stretches
from api.caching import kept
from api.errors import documented
from api.geo import distance_m, rounded
from api.guidance import WALK_M_PER_S, Asked, Spot, Stretch, around, measure
from api.here import Reading
from api.models.fill_models import FillModelModel
from api.models.guidance import (
    BayForecastModel,
    BayForecastsModel,
    BayGroupModel,
    BayModelsModel,
    GuidanceModel,
    GuidanceQuery,
    NumberModel,
    NumberQuery,
    Unit,
)
from api.sign_numbers import count_around, count_group
from storage import bay_forecasts, bay_models
from storage.errors import NotFoundError
from storage.kerb_now import WHOLE_WORLD
from storage.model import BayForecastRun, BayGroupForecast, BayScope, BayUse

router = APIRouter(prefix="/communes/{commune_insee}", tags=["guidance"], responses=documented(404, 422, 503))

_encoder = msgspec.json.Encoder()


@router.get("/guidance", summary="Where to park", response_model=GuidanceModel)
def guide(here: Reading, request: Request, asked: Annotated[GuidanceQuery, Query()]) -> Response:
    """Return the nearest places where a free one is likely at arrival, with the walk. May be kept for 15 seconds."""
    at = Asked(destination=asked.destination, arrival=here.now + timedelta(minutes=asked.at))
    run = bay_forecasts.latest_run(here.connection, here.insee)
    # A stretch may reach beyond the radius.
    view = bays_of(here, asked.vehicle.uses, around(at.destination, asked.radius_m + STRETCH_M))
    known = known_bays(here, view, run, at, asked.vehicle.uses)
    usable = [
        spot for spot in known.values() if spot.admitted and distance_m(at.destination, spot.point) <= asked.radius_m
    ]
    if asked.unit is Unit.PLACE:
        told = [_spot(spot, at) for spot in usable if spot.chance is not None]
    else:
        found = known_stretches(here, run, known, at, uses=asked.vehicle.uses, radius_m=asked.radius_m)
        told = [_stretch(one, at) for one in found if one.chance is not None]
    told = [one for one in told if one["chance"] >= asked.least_chance]
    told.sort(key=lambda one: (one["walk_m"], -one["chance"], one["id"]))
    lon, lat = asked.destination
    document = {
        "as_of": None if run is None else run.as_of,
        "at": asked.at,
        "longitude_deg": lon,
        "latitude_deg": lat,
        "places": told[: asked.limit],
        "around": len(usable),
        "unknown": sum(spot.chance is None for spot in usable),
    }
    return kept(request, _encoder.encode(document), media_type="application/json")


@router.get(
    "/guidance/number",
    summary="One number for a sign",
    response_model=NumberModel,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def count_free(here: Reading, request: Request, asked: Annotated[NumberQuery, Query()]) -> Response:
    """Return how many places are free, `?` where nothing is known: measured now, or foretold and rounded down."""
    if asked.group_id is not None:
        group = bay_forecasts.of_group(here.connection, here.insee, asked.group_id)
        counted = count_group(here, group, minutes=asked.at, max_age_min=asked.max_age_min)
    else:
        assert asked.lon is not None  # the query's own rule
        assert asked.lat is not None
        counted = count_around(
            here,
            rounded(asked.lon, asked.lat),
            uses=asked.vehicle.uses,
            radius_m=asked.radius_m,
            minutes=asked.at,
            max_age_min=asked.max_age_min,
        )
    number = counted.number
    if not asked.as_json:
        return kept(request, ("?" if number is None else str(number)).encode(), media_type="text/plain; charset=utf-8")
    age_s = None if counted.heard_at is None else max(0, int((here.now - counted.heard_at).total_seconds()))
    document = {"number": number, "kind": "predicted" if asked.at else "measured", "of": counted.of, "heard_s": age_s}
    return kept(request, _encoder.encode(document), media_type="application/json")


@router.get("/occupancy-forecast", summary="The occupancy forecast")
def list_groups(
    here: Reading,
    scope: Annotated[BayScope, Query(description="What bays are counted together")] = BayScope.STREET,
    use: Annotated[list[BayUse] | None, Query(description="Only bays of these uses")] = None,
) -> BayForecastsModel:
    """Return the newest forecast of every street, stretch, area or car park: predicted, never measured."""
    run = bay_forecasts.latest_run(here.connection, here.insee)
    if run is None:
        return BayForecastsModel(as_of=None, made_at=None, model_id=None, method=None, places=0, sensed=0, groups=[])
    groups = bay_forecasts.of_groups(
        here.connection, here.insee, scope=scope, uses=use or tuple(BayUse), bounds=WHOLE_WORLD
    )
    return BayForecastsModel(
        as_of=run.as_of,
        made_at=run.made_at,
        model_id=run.model_id,
        method=run.method,
        places=run.places,
        sensed=run.sensed,
        groups=[_group(run, group) for group in groups],
    )


@router.get("/occupancy-forecast/places/{place_id}", summary="The forecast of one bay")
def show_bay(
    here: Reading,
    place_id: Annotated[str, Path(min_length=1, max_length=100, description="The place's id", examples=["STA-0001"])],
) -> BayForecastModel:
    """Return the chance that one bay or space is free, minutes after the forecast's `as_of`."""
    run = bay_forecasts.latest_run(here.connection, here.insee)
    found = bay_forecasts.of_places(here.connection, here.insee, [place_id])
    if run is None or not found:
        raise NotFoundError(f"commune {here.insee} has no forecast of a bay {place_id!r}")
    (one,) = found
    return BayForecastModel(
        place_id=one.place_id,
        as_of=run.as_of,
        use=one.use,
        evidence=one.evidence,
        ahead_min=list(run.ahead_min),
        chance=_listed(one.chance),
        chance_low=_listed(one.chance_low),
        chance_high=_listed(one.chance_high),
    )


@router.get("/occupancy-models", summary="Occupancy models")
def list_models(
    here: Reading, limit: Annotated[int, Query(ge=1, le=1000, description="At most so many")] = 20
) -> BayModelsModel:
    """Return the newest models of how bays fill, refused ones too, with their scores and why each has its status."""
    found = bay_models.every(here.connection, here.insee, most=limit)
    return BayModelsModel(models=[FillModelModel.of(model) for model in found])


def _spot(spot: Spot, at: Asked) -> dict[str, Any]:
    chance = round(spot.chance or 0.0, 2)
    return {
        "id": spot.place.place_id,
        "name": spot.place.street,
        **_way(at, spot.point),
        "places": 1,
        "measured": msgspec.to_builtins(measure([spot])),
        "chance": chance,
        "expected": chance,
        "low": int(chance > 0.9),  # noqa: PLR2004 - one of ten cases lies below
        "high": int(chance >= 0.1),  # noqa: PLR2004 - one of ten cases lies above
    }


def _stretch(one: Stretch, at: Asked) -> dict[str, Any]:
    group = one.group
    return {
        "id": group.group_id,
        "name": group.name,
        **_way(at, (group.longitude_deg, group.latitude_deg)),
        "places": one.measured.free + one.measured.occupied + one.measured.unknown,
        "measured": msgspec.to_builtins(one.measured),
        "chance": round(one.chance or 0.0, 2),
        "expected": round(one.expected or 0.0, 1),
        "low": one.low,
        "high": one.high,
    }


def _way(at: Asked, point: tuple[float, float]) -> dict[str, Any]:
    walk_m = at.walk_m(point)
    return {
        "longitude_deg": round(point[0], 5),
        "latitude_deg": round(point[1], 5),
        "walk_m": round(walk_m),
        "walk_s": round(walk_m / WALK_M_PER_S),
    }


def _group(run: BayForecastRun, group: BayGroupForecast) -> BayGroupModel:
    return BayGroupModel(
        group_id=group.group_id,
        scope=group.scope,
        use=group.use,
        name=group.name,
        longitude_deg=group.longitude_deg,
        latitude_deg=group.latitude_deg,
        places=len(group.place_ids),
        sensed=group.sensed,
        ahead_min=list(run.ahead_min),
        known=list(group.known),
        chance=_listed(group.chance) if any(group.known) else None,
        expected=[round(each, 2) for each in group.expected],
        low=list(group.low),
        high=list(group.high),
    )


def _listed(values: Sequence[float] | None) -> list[float] | None:
    return None if values is None else [round(each, 3) for each in values]
