"""Which bays make up a street, a stretch of it that one sees at a glance, an area or a car park. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optimise.fill.readings import Ints
from optimise.occupancy.forecast.questions import Bays
from storage.kerb.admission import use_of
from storage.model import BayScope, BayUse, KerbNow, PlaceKind

_STRETCH_M = 150.0
_DEGREE_M = 111_195.0
_MOST_LEVELS = 8
USES = tuple(BayUse)


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """Bays of one `use` that belong together: rows of bays, and a name for people (None: the place's id tells)."""

    group_id: str
    scope: BayScope
    use: BayUse
    name: str | None
    members: Ints


def stretches_of(places: Sequence[KerbNow]) -> list[Group]:
    """Return the stretches: bays of one use and street (or square of the map) within 150 m of each other, in order."""
    streets: dict[tuple[BayUse, str], list[int]] = defaultdict(list)
    for row, place in enumerate(places):
        street = place.street or f"{place.longitude_deg:.3f},{place.latitude_deg:.3f}"
        streets[use_of(place), street].append(row)
    found = []
    for (use, street), rows in sorted(streets.items()):
        lon = np.array([places[row].longitude_deg for row in rows])
        lat = np.array([places[row].latitude_deg for row in rows])
        metres = np.column_stack([(lon - lon.mean()) * np.cos(np.radians(lat.mean())), lat - lat.mean()]) * _DEGREE_M
        # Along the direction in which they spread most.
        along = metres @ np.linalg.svd(metres, full_matrices=False)[2][0] if len(rows) > 1 else np.zeros(1)
        along = along if _eastward(along, lon) else -along
        piece = np.floor((along - along.min()) / _STRETCH_M).astype(np.int64)
        numbers = np.unique(piece)
        for number, each in enumerate(numbers, start=1):
            found.append(
                Group(
                    group_id=f"stretch:{use.value}:{street}:{number}",
                    scope=BayScope.STRETCH,
                    use=use,
                    name=places[rows[0]].street,
                    members=np.array(rows)[piece == each],
                )
            )
    return found


def _eastward(along: np.ndarray, lon: np.ndarray) -> bool:
    return float(along @ (lon - lon.mean())) >= 0


def bays_of(places: Sequence[KerbNow], stretches: Sequence[Group]) -> Bays:
    """Return the bays as learners know them."""
    near = np.zeros(len(places), dtype=np.int64)
    for number, stretch in enumerate(stretches):
        near[stretch.members] = number
    return Bays(near=near, alike=np.array([USES.index(use_of(place)) for place in places], dtype=np.int64))


def wider_groups(
    places: Sequence[KerbNow], above: Mapping[str, tuple[PlaceKind, str | None, str | None]]
) -> list[Group]:
    """Return streets, and what bays are part of: areas, street faces, zones and car parks.

    `above`: kind, name and what it is part of itself, by the place's id.
    """
    members: dict[tuple[BayScope, BayUse, str], list[int]] = defaultdict(list)
    for row, place in enumerate(places):
        use = use_of(place)
        if place.street:
            members[BayScope.STREET, use, place.street].append(row)
        higher, levels = place.part_of, 0
        while higher is not None and higher in above and levels < _MOST_LEVELS:
            kind, _, further = above[higher]
            members[BayScope(kind.value), use, higher].append(row)
            higher, levels = further, levels + 1
    return [
        Group(
            group_id=f"{scope.value}:{use.value}:{name}",
            scope=scope,
            use=use,
            name=name if scope is BayScope.STREET else above[name][1],
            members=np.array(rows),
        )
        for (scope, use, name), rows in sorted(members.items())
    ]
