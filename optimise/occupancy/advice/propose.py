"""Measures that are worth weighing, with first guesses of what each would do. Pure.

The guesses only choose what is weighed; what is said of a measure comes from weeks that are played.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimise.occupancy.advice.demand import Demand
from optimise.occupancy.advice.measures import Measure, MeasureKind, new_area
from optimise.occupancy.advice.options import AdviceOptions
from optimise.occupancy.advice.scene import Area, Scene, distances_m, week_sum
from storage.kerb.loss import erlang_b

_MOST_SPOTS = 60
_LEAST_SAVED = 1.0
"""Deliveries a week: a bay for fewer is not weighed."""
_KEPT_SHARES = (0.98, 0.92)
"""Hours are shared so that this part of the deliveries still comes in hours that are kept."""
_MOVED_M = 600.0
_MOVED_TO = 6
_BUSY = 0.1
_SHORTER = 2 / 3
_SHORTEST_LIMIT_S = 600
_EXTENDED_H = 3
_TYPICAL_STAY_H = 0.3


def proposals(scene: Scene, demand: Demand, refused: NDArray[np.float64], options: AdviceOptions) -> list[Measure]:
    """Return the measures to weigh; `refused` (o,) are the deliveries refused in a week by origin, as things are."""
    added = _additions(scene, demand, refused, options)
    removed = [one for index in range(len(scene.areas)) if (one := _removal(scene, index, options)) is not None]
    found = [*added, *removed, *_moves(scene, added, removed, options)]
    for index, area in enumerate(scene.areas):
        found += _sharing(index, area, options)
        found += _extending(index, area, options)
        found += _limiting(index, area, options)
    return found


def _additions(scene: Scene, demand: Demand, refused: NDArray[np.float64], options: AdviceOptions) -> list[Measure]:
    """Return bays at the spots that could take the most, each counted after those before it."""
    if not scene.spots:
        return []
    reach = distances_m([spot.at for spot in scene.spots], [one.at for one in demand.origins]) <= options.within_m
    left, found = refused.copy(), []
    open_h = new_area(scene.spots[0]).open_h_per_week
    other_load = week_sum(demand.long_per_place) / 168.0  # vehicles an hour, each about an hour
    for _ in range(min(_MOST_SPOTS, len(scene.spots))):
        waiting = reach @ left
        spot = int(waiting.argmax())
        load = waiting[spot] / open_h * _TYPICAL_STAY_H + other_load
        saves = float(waiting[spot] * (1 - erlang_b(np.array([load]), np.array([1]))[0]))
        if saves < _LEAST_SAVED:
            break
        reached = np.flatnonzero(reach[spot])
        found.append(
            Measure(
                kind=MeasureKind.ADD, spot=spot, cost_eur=options.add_eur, saves=saves, gives_back_h=-open_h,
                reaches=tuple(reached.tolist()),
            )
        )  # fmt: skip
        left[reached] *= 1 - saves / waiting[spot]
        reach[spot] = False
    return found


def _removal(scene: Scene, index: int, options: AdviceOptions) -> Measure | None:
    area = scene.areas[index]
    if area.wanted is None or area.short is None:
        return None  # of an area without a sensor nobody knows who would miss it
    apart = distances_m([area.at], [other.at for other in scene.areas])[0]
    near = [other for number, other in enumerate(scene.areas) if number != index and apart[number] <= options.within_m]
    # Who came here finds the neighbours taken as often as they are.
    taken = float(np.prod([1.0 if one.occupied_share is None else one.occupied_share for one in near])) if near else 1.0
    if area.places > 1 and area.occupied_share is not None:
        taken *= area.occupied_share ** (area.places - 1)
    loses = week_sum(area.wanted * area.short) / area.places * taken
    back = area.open_h_per_week
    if loses * options.refused_eur > back * options.place_hour_eur:
        return None
    return Measure(
        kind=MeasureKind.REMOVE, area=index, cost_eur=options.remove_eur, loses=loses, gives_back_h=back
    )  # fmt: skip


def _moves(scene: Scene, added: list[Measure], removed: list[Measure], options: AdviceOptions) -> Iterator[Measure]:
    for one in removed:
        assert one.area is not None
        here = scene.areas[one.area].at
        spots = [(add, scene.spots[add.spot]) for add in added if add.spot is not None]
        apart = distances_m([here], [spot.at for _, spot in spots])[0] if spots else np.zeros(0)
        for number in np.argsort(apart, kind="stable")[:_MOVED_TO].tolist():
            if apart[number] <= _MOVED_M:
                add = spots[number][0]
                yield replace(
                    add, kind=MeasureKind.MOVE, area=one.area, cost_eur=options.move_eur, loses=one.loses,
                    gives_back_h=add.gives_back_h + one.gives_back_h,
                )  # fmt: skip


def _sharing(index: int, area: Area, options: AdviceOptions) -> Iterator[Measure]:
    """Yield hours in one piece a day that keep nearly all deliveries; the rest goes to others."""
    if area.wanted is None or area.short is None:
        return
    coming = area.wanted * area.short * area.open
    seen: set[bytes] = set()
    for kept in _KEPT_SHARES:
        hours = np.stack([_window(row, kept) & area.open[number] for number, row in enumerate(coming)])
        back = week_sum((area.open & ~hours).astype(np.float64)) * area.places
        if back < 5 or hours.tobytes() in seen:  # noqa: PLR2004 - an hour a day is not worth a sign
            continue
        seen.add(hours.tobytes())
        yield Measure(
            kind=MeasureKind.SHARE, area=index, cost_eur=options.sign_eur, open=hours,
            loses=week_sum(coming * ~hours), gives_back_h=back,
        )  # fmt: skip


def _window(coming: NDArray[np.float64], kept: float) -> NDArray[np.bool_]:
    """Return the shortest hours in one piece, (24,), in which the share `kept` of what comes comes."""
    total, best = float(coming.sum()), (25, 0)
    if total <= 0:
        return np.zeros(24, dtype=np.bool_)
    sums = np.concatenate([[0.0], np.cumsum(coming)])
    for start in range(24):
        end = int(np.searchsorted(sums, sums[start] + kept * total - 1e-9))
        if end <= 24 and end - start < best[0]:  # noqa: PLR2004 - hours of a day
            best = (end - start, start)
    hours = np.zeros(24, dtype=np.bool_)
    hours[best[1] : best[1] + best[0]] = True
    return hours


def _extending(index: int, area: Area, options: AdviceOptions) -> Iterator[Measure]:
    """Yield hours on either side of those that are kept, where deliveries come as they do then."""
    if area.wanted is None or area.short is None or not area.open.any():
        return
    coming = area.wanted * area.short
    hours = area.open.copy()
    for row in range(3):
        if not area.open[row].any():
            continue
        usual = float(coming[row][area.open[row]].mean())
        kept = np.flatnonzero(area.open[row])
        for edge, step in ((int(kept[0]), -1), (int(kept[-1]), 1)):
            for number in range(1, _EXTENDED_H + 1):
                hour = edge + step * number
                if not 0 <= hour < 24 or coming[row, hour] < usual / 2 or usual <= 0:  # noqa: PLR2004 - hours of a day
                    break
                hours[row, hour] = True
    more = hours & ~area.open
    if not more.any():
        return
    share = area.refused_share or 0.0
    yield Measure(
        kind=MeasureKind.EXTEND, area=index, cost_eur=options.sign_eur, open=hours,
        saves=week_sum(coming * more) * share * options.obeys_share,
        gives_back_h=-week_sum(more.astype(np.float64)) * area.places,
    )  # fmt: skip


def _limiting(index: int, area: Area, options: AdviceOptions) -> Iterator[Measure]:
    """Yield a shorter stay where many find no place and many stay for long."""
    if area.max_stay_s is None or (area.refused_share or 0.0) < _BUSY or area.wanted is None or area.short is None:
        return
    limit = max(_SHORTEST_LIMIT_S, round(area.max_stay_s * _SHORTER / 300) * 300)
    if limit >= area.max_stay_s:
        return
    refused = week_sum(area.wanted * area.short) * (area.refused_share or 0.0)
    yield Measure(
        kind=MeasureKind.LIMIT, area=index, cost_eur=options.sign_eur, max_stay_s=limit,
        saves=refused * 0.1 * options.obeys_share,
    )  # fmt: skip
