"""Advice as one JSON document: each measure with its evidence, its expected effect, and how it was played. Pure."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimise.occupancy.advice.advise import Advice, Advised, Interval
from optimise.occupancy.advice.measures import MeasureKind, new_area
from optimise.occupancy.advice.options import AdviceOptions
from optimise.occupancy.advice.scene import DAY_CLASSES, Area, distances_m, week_sum


def document_of(
    advice: Advice,
    options: AdviceOptions,
    *,
    commune_insee: str,
    since: date,
    last: date,
    streets: Path | None,
    serve_all: bool,
) -> dict[str, Any]:
    """Return the advice as it is stored, printed and served; docs/kerb.md says what each field is."""
    areas = advice.scene.areas
    return {
        "commune_insee": commune_insee,
        "seen": {
            "from": since.isoformat(),
            "to": last.isoformat(),
            "areas": len(areas),
            "areas_with_sensor": sum(area.wanted is not None for area in areas),
            "shops": advice.shops,
            "spots": len(advice.scene.spots),
            "streets": None if streets is None else streets.name,
        },
        "constraints": {"budget_eur": options.budget_eur, "within_m": options.within_m, "serve_all": serve_all},
        "assumed": {
            name: value
            for name, value in asdict(options).items()
            if name not in {"budget_eur", "within_m", "workers", "solve_s", "seed", "weeks"}
        },
        "played": {"weeks": advice.weeks, "seed": options.seed, "fit": _number(advice.fit, 3)},
        "wanted_per_week": round(advice.wanted, 1),
        "refused_per_week": {
            "before": _interval(advice.refused_before),
            "after": _interval(advice.refused_after),
            "avoided": _interval(advice.avoided),
            "of_shops_not_measured": round(advice.unmeasured_before, 1),
        },
        "gives_back_h_per_week": round(advice.gives_back_h, 1),
        "cost_eur": advice.cost_eur,
        "shops_served": {"before": advice.shops_served_before, "after": advice.shops_served_after},
        "weighed": advice.weighed,
        "proven_best": advice.proven,
        "measures": [_measure(one, advice, options) for one in advice.advised],
        "did_not_hold": [_measure(one, advice, options) for one in advice.dropped],
        "areas": [_area(area) for area in areas],
    }


def _measure(one: Advised, advice: Advice, options: AdviceOptions) -> dict[str, Any]:
    measure, scene = one.measure, advice.scene
    found: dict[str, Any] = {"measure_id": measure.name(scene), "kind": measure.kind.value}
    if measure.area is not None:
        area = scene.areas[measure.area]
        found |= {"area_id": area.area_id, "street": area.street}
        found |= {"longitude_deg": round(area.longitude_deg, 6), "latitude_deg": round(area.latitude_deg, 6)}
    if measure.spot is not None:
        spot = scene.spots[measure.spot]
        found["at"] = {
            "spot_id": spot.spot_id,
            "longitude_deg": round(spot.longitude_deg, 6),
            "latitude_deg": round(spot.latitude_deg, 6),
            "street": spot.street,
        }
    if measure.open is not None:
        found["hours"] = hours_document(measure.open)
    elif measure.spot is not None:
        found["hours"] = hours_document(new_area(scene.spots[measure.spot]).open)
    if measure.max_stay_s is not None:
        found["max_stay_s"] = measure.max_stay_s
    return found | {
        "evidence": _evidence(one, advice, options),
        "expected": {
            "refused_avoided_per_week": _interval(one.avoided),
            "gives_back_h_per_week": round(measure.gives_back_h, 1),
            "cost_eur": measure.cost_eur,
            "worth_eur_per_week": round(one.eur_per_week, 2),
        },
        "positive": one.holds,
    }


def _evidence(one: Advised, advice: Advice, options: AdviceOptions) -> dict[str, Any]:
    """Return what was seen that speaks for a measure: of its area, and of the shops that its spot reaches."""
    measure, scene = one.measure, advice.scene
    found: dict[str, Any] = {}
    if measure.area is not None:
        area = scene.areas[measure.area]
        found |= _area(area) | {"hours_now": hours_document(area.open), "max_stay_now_s": area.max_stay_s}
        if measure.open is not None and area.wanted is not None and area.short is not None:
            changed = measure.open ^ area.open
            found["deliveries_per_week_in_hours_changed"] = round(week_sum(area.wanted * area.short * changed), 1)
    if measure.spot is not None:
        spot = scene.spots[measure.spot]
        shops = distances_m([spot.at], [origin.at for origin in scene.origins])[0]
        apart = distances_m([spot.at], [area.at for area in scene.areas])[0]
        near = [scene.areas[index] for index in np.flatnonzero(apart <= options.within_m).tolist()]
        found["shops_within_reach"] = sum(
            origin.shops
            for origin, metres in zip(scene.origins, shops.tolist(), strict=True)
            if metres <= options.within_m
        )
        found["areas_within_reach"] = [
            {"area_id": area.area_id, "refused_share": _number(area.refused_share, 4)} for area in near
        ]
        found["nearest_area_m"] = round(float(apart.min()))
    return found


def _area(area: Area) -> dict[str, Any]:
    return {
        "area_id": area.area_id,
        "longitude_deg": round(area.longitude_deg, 6),
        "latitude_deg": round(area.latitude_deg, 6),
        "street": area.street,
        "places": area.places,
        "known_h": round(area.known_h, 1),
        "stays_per_week": None if area.seen is None else round(week_sum(area.seen), 1),
        "deliveries_wanted_per_week": None
        if area.wanted is None or area.short is None
        else round(week_sum(area.wanted * area.short), 1),
        "occupied_share": _number(area.occupied_share, 4),
        "refused_share": _number(area.refused_share, 4),
        "overstay_share": _number(area.overstay_share, 4),
    }


def hours_document(open_hours: NDArray[np.bool_]) -> dict[str, list[list[int]]]:
    """Return hours (3, 24) by class of day as [from, until) pairs of local hours."""
    found = {}
    for name, row in zip(DAY_CLASSES, open_hours, strict=True):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
        found[name] = [[int(start), int(end)] for start, end in edges.reshape(-1, 2)]
    return found


def _interval(told: Interval) -> dict[str, float | None]:
    return {name: _number(getattr(told, name), 1) for name in ("mean", "low", "high")}


def _number(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)


__all__ = ["MeasureKind", "document_of", "hours_document"]
