"""Travel along streets, by OSRM in this process: with contraction hierarchies a 1,000 x 1,000 matrix takes a second."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import osrm
from numpy.typing import NDArray

from optimise.rounds.osrm_steps import driven_way
from optimise.rounds.problem import Integers
from optimise.rounds.travel import NO_WAY, Matrices, Point, Way

_CUT_OFF_SHARE = 0.5


class Streets:
    """Measures travel on prepared streets (`osrm_cache.prepared_streets`)."""

    def __init__(self, data: Path, *, name: str) -> None:
        self._name = name
        self._osrm = osrm.OSRM(algorithm="CH", storage_config=str(data), use_shared_memory=False)

    @property
    def source(self) -> str:
        """Return "osrm:FILE"."""
        return f"osrm:{self._name}"

    def matrices(self, points: Sequence[Point], *, kerb: Sequence[bool]) -> Matrices:
        """Return travel between all points.

        A place that the vehicle cannot come to, or leave, on the side asked for (the far end of a one-way maze, the
        edge of the extract) is served from either side instead.
        """
        sides = list(kerb)
        duration, distance, snap_m = self._table(points, sides)
        missing = np.isnan(duration)
        cut_off = (missing.mean(axis=1) > _CUT_OFF_SHARE) | (missing.mean(axis=0) > _CUT_OFF_SHARE)
        if any(cut and side for cut, side in zip(cut_off, sides, strict=True)):
            sides = [side and not cut for cut, side in zip(cut_off.tolist(), sides, strict=True)]
            duration, distance, snap_m = self._table(points, sides)
        return Matrices(
            duration_s=_whole(duration), distance_m=_whole(distance), snap_m=tuple(snap_m), kerb=tuple(sides)
        )

    def _table(
        self, points: Sequence[Point], kerb: Sequence[bool]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], list[float]]:
        asked = osrm.TableParameters(
            coordinates=list(points),
            annotations=["duration", "distance"],
            approaches=_approaches(kerb),
            generate_hints=False,
        )
        answer = self._osrm.Table(asked)
        snap_m = [float(place["distance"]) for place in answer["sources"]]
        return _array(answer["durations"]), _array(answer["distances"]), snap_m

    def way(self, points: Sequence[Point], *, kerb: Sequence[bool]) -> Way:
        """Return the way through `points`, which is the one that the matrices measured, with its steps.

        All legs are asked for at once: a pair by itself could be put on a bit of street that leads nowhere. Turning
        round is allowed at each point, as it is between two rows of a matrix; `kerb` forbids it where asked.
        """
        asked = osrm.RouteParameters(
            coordinates=list(points),
            approaches=_approaches(kerb),
            continue_straight=False,
            steps=True,
            geometries="geojson",
            overview="false",  # the steps draw the same line, and say where on it they are
            generate_hints=False,
        )
        return driven_way(self._osrm.Route(asked)["routes"][0]["legs"])


def _approaches(kerb: Iterable[bool]) -> list[str]:
    return ["curb" if side else "unrestricted" for side in kerb]


def _array(rows: Any) -> NDArray[np.float64]:
    """Return OSRM's nested JSON array as one of numpy; null (no way) becomes NaN."""
    return np.array([list(row) for row in rows], dtype=np.float64)


def _whole(measured: NDArray[np.float64]) -> Integers:
    """Round to whole units, never to less than measured; a place is at no distance from itself."""
    whole = np.where(np.isnan(measured), NO_WAY, np.ceil(np.nan_to_num(measured))).astype(np.int64)
    np.fill_diagonal(whole, 0)
    return whole
