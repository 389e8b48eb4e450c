"""Candidate spots along the kerbs of the town's streets, with what draws people near each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from simulators.osm_tags import POINT_KINDS
from simulators.plane import Plane
from simulators.streets import StreetMap

_STEP_M = 4.0
_KERB_OFFSET_M = 3.0
_DRAW_SCALE_M = 60.0
"""How far a shop's customers carry what they throw away: the e-folding distance of a point's pull."""
_DRAW_REACH_M = 240.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Kerbs:
    """Candidate spots, n of them, every few metres on both sides of fronted streets.

    `metres`: float64 (n, 2), east and north; `edge`: int64 (n,), index into the street map's edges; `along_m`: float64
    (n,), metres from the edge's start; `side`: int64 (n,), +1 left, -1 right; `draw`: float64 (n, kinds), the pull of
    points of interest by `POINT_KINDS`; `bustle`: float64 (n,), density of junctions, which stands in for points of
    interest where the extract has few.
    """

    metres: NDArray[np.float64]
    edge: NDArray[np.int64]
    along_m: NDArray[np.float64]
    side: NDArray[np.int64]
    draw: NDArray[np.float64]
    bustle: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.edge)

    def pull_of(self, kind: str) -> NDArray[np.float64]:
        """Return the pull, shape (n,), of one kind of point of interest."""
        column: NDArray[np.float64] = self.draw[:, POINT_KINDS.index(kind)]
        return column


def find_kerbs(streets: StreetMap) -> Kerbs:
    """Return the candidate spots of the town."""
    metres, edge, along, side = [], [], [], []
    for number, street in enumerate(streets.edges):
        if not street.fronted:
            continue
        line = streets.plane.to_metres(street.coordinates)
        count = max(1, int(street.length_m // _STEP_M))
        where = (np.arange(count) + 0.5) * street.length_m / count
        for sign in (1, -1):
            metres.append(kerb_at(line, where, side=sign))
            edge.append(np.full(count, number))
            along.append(where)
            side.append(np.full(count, sign))
    spots = np.vstack(metres)
    return Kerbs(
        metres=spots,
        edge=np.concatenate(edge).astype(np.int64),
        along_m=np.concatenate(along),
        side=np.concatenate(side).astype(np.int64),
        draw=_draw(streets, spots),
        bustle=_bustle(streets, spots),
    )


def kerb_at(line: NDArray[np.float64], along_m: NDArray[np.float64], *, side: int) -> NDArray[np.float64]:
    """Return the kerb's points, shape (k, 2), `along_m` (k,) metres along a street's middle `line` (v, 2)."""
    steps = np.diff(line, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    moves = lengths > 0
    if not moves.any():
        return np.repeat(line[:1], len(along_m), axis=0)
    steps, lengths, corners = steps[moves], lengths[moves], line[:-1][moves]
    starts = np.concatenate([[0.0], np.cumsum(lengths)])
    piece = np.clip(np.searchsorted(starts, along_m, side="right") - 1, 0, len(lengths) - 1)
    tangents = steps[piece] / lengths[piece, None]
    normals = np.column_stack([-tangents[:, 1], tangents[:, 0]])
    points: NDArray[np.float64] = (
        corners[piece] + tangents * (along_m - starts[piece])[:, None] + side * _KERB_OFFSET_M * normals
    )
    return points


def degrees(plane: Plane, metres: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Return [lon, lat] of spots, rounded to a centimetre as a survey would."""
    return [(round(float(lon), 7), round(float(lat), 7)) for lon, lat in plane.to_degrees(metres)]


def _draw(streets: StreetMap, spots: NDArray[np.float64]) -> NDArray[np.float64]:
    pull = np.zeros((len(spots), len(POINT_KINDS)))
    for column, kind in enumerate(POINT_KINDS):
        points = [(p.longitude_deg, p.latitude_deg) for p in streets.points if p.kind == kind]
        if points:
            pull[:, column] = _kernel_sum(streets.plane.to_metres(points), spots)
    return pull


def _bustle(streets: StreetMap, spots: NDArray[np.float64]) -> NDArray[np.float64]:
    ends = np.array([end for edge in streets.edges for end in (edge.coordinates[0], edge.coordinates[-1])])
    return _kernel_sum(np.unique(streets.plane.to_metres(ends).round(1), axis=0), spots)


def _kernel_sum(points: NDArray[np.float64], spots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, at each spot (n,), the sum over points within reach of exp(-distance / scale)."""
    near = cKDTree(points).sparse_distance_matrix(cKDTree(spots), _DRAW_REACH_M, output_type="ndarray")
    return np.bincount(near["j"], weights=np.exp(-near["v"] / _DRAW_SCALE_M), minlength=len(spots))
