"""Which of OpenStreetMap's ways a drawn line follows: what a chef closes is a stroke on the map, not a number.

The line is walked in short steps; each step lies on the way that is nearest, a way at an angle counting as farther. A
way is followed when the line lies on it for a stretch, so that streets which are merely crossed stay open.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray

from storage.errors import InputError

type Floats = NDArray[np.float64]

_METRES_PER_DEGREE = 111_195.0
_STEP_M = 4.0
_FARTHEST_M = 25.0
_AT_AN_ANGLE_M = 20.0
"""How much farther a way at a right angle to the line counts."""
_LEAST_M = 16.0
_LEAST_SHARE = 0.5
_LONGEST_M = 5_000.0
_NOT_FOR_VEHICLES = frozenset(
    {
        "footway",
        "steps",
        "path",
        "cycleway",
        "bridleway",
        "corridor",
        "elevator",
        "platform",
        "proposed",
        "construction",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchedWay:
    """A way that a line follows, for how long."""

    way_id: int
    name: str | None
    metres: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StreetLines:
    """The k straight pieces of an extract's streets: `ends` (k, 4) lon, lat, lon, lat in degrees; `way` (k,)."""

    ends: Floats
    way: NDArray[np.int64]
    names: dict[int, str]
    length_m: dict[int, float]

    def along(self, line: Sequence[tuple[float, float]]) -> list[MatchedWay]:
        """Return the ways that a line of (longitude, latitude) follows, longest first.

        Raises InputError for a line that is too long, and for one that follows no street.
        """
        scale = np.array([math.cos(math.radians(line[0][1])), 1.0]) * _METRES_PER_DEGREE
        points = np.array(line) * scale
        length_m = float(np.hypot(*np.diff(points, axis=0).T).sum())
        if length_m > _LONGEST_M:
            raise InputError(f"expected a line of at most {_LONGEST_M:.0f} m, got {length_m:.0f} m")
        pieces = self.ends.reshape(-1, 2, 2) * scale
        low, high = points.min(axis=0) - _FARTHEST_M, points.max(axis=0) + _FARTHEST_M
        near = np.flatnonzero(((pieces.max(axis=1) >= low) & (pieces.min(axis=1) <= high)).all(axis=1))
        on: Counter[int] = Counter()
        for middle, heading in _steps(points):
            found = _nearest(middle, heading, pieces[near])
            if found is not None:
                on[int(self.way[near[found]])] += 1
        matched = [
            MatchedWay(way_id=way, name=self.names.get(way), metres=steps * _STEP_M)
            for way, steps in on.most_common()
            if steps * _STEP_M >= min(_LEAST_M, _LEAST_SHARE * self.length_m[way])
        ]
        if not matched:
            raise InputError(f"the line follows no street within {_FARTHEST_M:.0f} m that a vehicle may use")
        return matched


def read_street_lines(extract: Path) -> StreetLines:
    """Read the streets of an extract that vehicles may use, a second for a town. Raises InputError for no extract."""
    if not extract.is_file():
        raise InputError(f"expected the extract to be a file, got {extract}")
    ends: list[tuple[float, float, float, float]] = []
    ways: list[int] = []
    names: dict[int, str] = {}
    for way in osmium.FileProcessor(str(extract)).with_locations().with_filter(osmium.filter.KeyFilter("highway")):
        if not isinstance(way, osmium.osm.Way) or way.tags.get("highway") in _NOT_FOR_VEHICLES:
            continue
        nodes = [(node.lon, node.lat) for node in way.nodes if node.location.valid()]
        for (a_lon, a_lat), (b_lon, b_lat) in pairwise(nodes):
            ends.append((a_lon, a_lat, b_lon, b_lat))
            ways.append(way.id)
        name = way.tags.get("name")
        if name:
            names[way.id] = name
    array = np.array(ends, dtype=np.float64).reshape(-1, 4)
    east = (array[:, 2] - array[:, 0]) * np.cos(np.radians(array[:, 1]))
    metres = np.hypot(east, array[:, 3] - array[:, 1]) * _METRES_PER_DEGREE
    length_m: dict[int, float] = {}
    for way_id, length in zip(ways, metres.tolist(), strict=True):
        length_m[way_id] = length_m.get(way_id, 0.0) + length
    return StreetLines(ends=array, way=np.array(ways, dtype=np.int64), names=names, length_m=length_m)


def _steps(points: Floats) -> list[tuple[Floats, Floats]]:
    """Return the middle and the heading (a unit vector) of each short step along a line."""
    found = []
    for a, b in pairwise(points):
        length = float(np.hypot(*(b - a)))
        if length > 0:
            count = max(1, round(length / _STEP_M))
            found += [(a + (b - a) * (number + 0.5) / count, (b - a) / length) for number in range(count)]
    return found


def _nearest(at: Floats, heading: Floats, pieces: Floats) -> int | None:
    """Return the piece nearest to a point, one at an angle counting as farther; None when all are too far."""
    if not len(pieces):
        return None
    a, along = pieces[:, 0], pieces[:, 1] - pieces[:, 0]
    square = np.maximum((along**2).sum(axis=1), 1e-9)
    share = np.clip(((at - a) * along).sum(axis=1) / square, 0, 1)
    away = np.hypot(*(a + along * share[:, None] - at).T)
    across = np.abs(along[:, 0] * heading[1] - along[:, 1] * heading[0]) / np.sqrt(square)
    found = int((away + _AT_AN_ANGLE_M * across).argmin())
    return found if away[found] <= _FARTHEST_M else None
