"""The advice at its rim: what sensors saw of a commune's areas is read, and the advice is written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from optimise.occupancy.advice.advise import advise
from optimise.occupancy.advice.document import document_of
from optimise.occupancy.advice.ground import read_ground
from optimise.occupancy.advice.options import AdviceOptions
from optimise.occupancy.advice.scene import DAY_CLASSES, Area, Scene, Slots, Spot, week_sum
from optimise.occupancy.observe import hours_asked, today
from optimise.occupancy.unmet import Cell, demands
from storage import advice as stored
from storage import communes, kerb_places
from storage import observatory as hours
from storage.database import Connection
from storage.errors import InputError
from storage.kerb.timetable import Timetable
from storage.kerb.usage import DWELL_BOUNDS_S
from storage.kerb_now import timetables_of
from storage.model import KerbPlace, PlaceKind
from storage.model.kerb import RuleUse

_DAY = timedelta(days=1)
_SEEN_DAYS = 56
_LEAST_KNOWN_H = 100.0
_SHARE_WEIGHT = 10.0
"""The share of deliveries in an hour of few stays is that of the whole area."""
_BESIDE_M = 12.0
_METRES_OF_A_DEGREE = 111_195.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A commune's advice as it is stored, by its id."""

    advice_id: str
    document: dict[str, Any]


def advise_commune(
    connection: Connection,
    commune_insee: str,
    *,
    now: datetime,
    options: AdviceOptions,
    extract: Path | None,
    serve_all: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> Told:
    """Advise on the commune's delivery areas by what was seen until `now`, and store it, in the caller's transaction.

    Without an `extract` no shops are known: bays are advised beside areas alone. InputError where nothing is measured.
    """
    commune = communes.one(connection, commune_insee)
    until = today(now, commune.time_zone)
    observed = hours.state(connection, commune_insee)
    # Where nothing came for months, what came before is what there is to go by.
    until = until if observed is None else min(until, observed.observed_until)
    since = until - _SEEN_DAYS * _DAY
    areas = _areas(connection, commune_insee, commune.time_zone, since=since, until=until, options=options)
    if not any(area.wanted is not None for area in areas):
        raise InputError(
            f"commune {commune_insee} has no delivery area of which a sensor told {_LEAST_KNOWN_H:g} hours or more "
            f"since {since}: there is nothing to advise on"
        )
    origins, spots = ((), ()) if extract is None else read_ground(
        extract, [area.at for area in areas], within_m=options.within_m
    )  # fmt: skip
    scene = Scene(areas=tuple(areas), origins=origins, spots=(*spots, *_beside(areas)))
    made = advise(scene, options, serve_all=serve_all, progress=progress)
    document = document_of(
        made, options, commune_insee=commune_insee, since=since, last=until - _DAY, streets=extract, serve_all=serve_all
    )
    return Told(advice_id=stored.save(connection, commune_insee, as_of=now, document=document), document=document)


def _beside(areas: Sequence[Area]) -> list[Spot]:
    """Return a spot beside each area, for one more bay."""
    return [
        Spot(
            spot_id=f"{area.area_id}+1",
            longitude_deg=area.longitude_deg,
            latitude_deg=area.latitude_deg + _BESIDE_M / _METRES_OF_A_DEGREE,
            street=area.street,
        )
        for area in areas
    ]


def _areas(
    connection: Connection, commune_insee: str, time_zone: str, *, since: date, until: date, options: AdviceOptions
) -> list[Area]:
    pools = _pools(connection, commune_insee, day=until)
    ids = [bay.place_id for bays in pools.values() for bay in bays]
    tables = timetables_of(connection, commune_insee, ids, zone=ZoneInfo(time_zone))
    hours.stage_hours(connection, hours_asked(commune_insee, time_zone, since=since, until=until), ids)
    seen = _seen(connection, commune_insee, options)
    areas = []
    for pool, bays in sorted(pools.items()):
        timetable = next((tables[bay.place_id] for bay in bays if bay.place_id in tables), None)
        open_hours, max_stay_s = _open_hours(timetable, ZoneInfo(time_zone), day=until)
        area = Area(
            area_id=pool,
            longitude_deg=float(np.mean([bay.longitude_deg for bay in bays])),
            latitude_deg=float(np.mean([bay.latitude_deg for bay in bays])),
            street=bays[0].street,
            places=len(bays),
            open=open_hours,
            max_stay_s=max_stay_s,
        )
        told = seen.get(pool)
        if told is not None and told.known_h >= _LEAST_KNOWN_H:
            # Bays of an area without a sensor are used as those with one.
            more = len(bays) / told.sensed
            area = replace(
                area,
                wanted=told.wanted * more,
                seen=told.seen * more,
                short=told.short,
                dwell_counts=told.dwell_counts,
                occupied_share=told.occupied_share,
                refused_share=told.refused_share,
                overstay_share=told.overstay_share,
                known_h=told.known_h,
            )
        areas.append(area)
    return areas


def _pools(connection: Connection, commune_insee: str, *, day: date) -> dict[str, list[KerbPlace]]:
    """Return the living delivery bays by the area that they are part of, or each by itself."""
    found = kerb_places.of_commune(
        connection, commune_insee, kinds=[PlaceKind.DELIVERY_BAY, PlaceKind.DELIVERY_AREA], day=day
    )
    areas = {place.place_id: place for place in found if place.kind is PlaceKind.DELIVERY_AREA}
    pools: dict[str, list[KerbPlace]] = {}
    for place in found:
        if place.kind is PlaceKind.DELIVERY_BAY:
            pool = place.part_of if place.part_of in areas else place.place_id
            pools.setdefault(str(pool), []).append(place)
    return pools | {area_id: [area] for area_id, area in areas.items() if area_id not in pools}


def _open_hours(timetable: Timetable | None, zone: ZoneInfo, *, day: date) -> tuple[NDArray[np.bool_], int | None]:
    """Return when rules keep a bay for deliveries, (3, 24), in the week after `day`, and the usual limit of a stay.

    Without rules it is kept always: that is how it is signed.
    """
    if timetable is None:
        return np.ones((3, 24), dtype=np.bool_), None
    kept, days = np.zeros((3, 24)), np.zeros(3)
    limits: list[int] = []
    monday = day + (7 - day.weekday()) % 7 * _DAY
    for number in range(7):
        row = max(0, number - 4)
        days[row] += 1
        for hour in range(24):
            moment = datetime.combine(monday + number * _DAY, time(hour, 30), zone).astimezone(UTC)
            rule = timetable.at(moment).rule
            if rule is not None and rule.use is RuleUse.DELIVERY:
                kept[row, hour] += 1
                if rule.max_stay_s is not None:
                    limits.append(rule.max_stay_s)
    return kept > days[:, None] / 2, int(np.median(limits)) if limits else None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Seen:
    """What sensors saw of a pool: (3, 24) vehicles an hour of all its sensed places, and shares."""

    sensed: int
    known_h: float
    wanted: Slots
    seen: Slots
    short: Slots
    dwell_counts: tuple[int, ...]
    occupied_share: float
    refused_share: float
    overstay_share: float | None


def _seen(connection: Connection, commune_insee: str, options: AdviceOptions) -> dict[str, _Seen]:
    cells: dict[str, list[Cell]] = {}
    for pool, day_class, hour, place_ids, known_s, occupied_s, arrivals in hours.cells(connection, commune_insee):
        cells.setdefault(pool, []).append(
            Cell(
                pool=pool, day_class=day_class, hour=hour, place_ids=tuple(place_ids), known_s=known_s,
                occupied_s=min(occupied_s, known_s), arrivals=arrivals,
            )
        )  # fmt: skip
    stays = stored.stays(connection, commune_insee)
    classes = sum(bound <= options.delivery_max_s for bound in DWELL_BOUNDS_S)
    return {pool: _seen_of(of_pool, stays.get(pool, []), classes) for pool, of_pool in cells.items()}


def _seen_of(cells: Sequence[Cell], stays: Sequence[stored.Stays], classes: int) -> _Seen:
    wanted, seen = np.zeros((3, 24)), np.zeros((3, 24))
    refused = 0.0
    for cell, demand in zip(cells, demands(cells), strict=True):
        slot = DAY_CLASSES.index(cell.day_class), cell.hour
        places = len(cell.place_ids)
        wanted[slot] = demand.wanted_per_s * 3600 * places
        seen[slot] = cell.arrivals / cell.known_s * 3600 * places
        refused += demand.wanted_per_s * demand.refused_share * cell.known_s
    counts = np.sum([one.dwell_counts for one in stays], axis=0) if stays else np.zeros(len(DWELL_BOUNDS_S) + 1)
    overall = float(counts[:classes].sum() / counts.sum()) if counts.sum() else 1.0
    short = np.full((3, 24), overall)
    for one in stays:
        told = np.array(one.dwell_counts)
        share = (told[:classes].sum() + _SHARE_WEIGHT * overall) / (told.sum() + _SHARE_WEIGHT)
        short[DAY_CLASSES.index(one.day_class), one.hour] = share
    known_s, arrivals = sum(cell.known_s for cell in cells), sum(cell.arrivals for cell in cells)
    limited = sum(one.limited for one in stays)
    return _Seen(
        sensed=max(len(cell.place_ids) for cell in cells),
        known_h=known_s / 3600,
        wanted=wanted,
        seen=seen,
        short=short,
        dwell_counts=tuple(int(count) for count in counts),
        occupied_share=sum(cell.occupied_s for cell in cells) / known_s,
        refused_share=refused / (refused + arrivals) if refused + arrivals else 0.0,
        overstay_share=sum(one.overstays for one in stays) / limited if limited else None,
    )


def seen_per_week(area: Area) -> float | None:
    """Return the stays in a week that sensors saw at an area, None without a sensor."""
    return None if area.seen is None else week_sum(area.seen)
