"""Choose spots along kerbs: at random by weight, with a least distance between neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CLOSER = 0.8
_LEAST_SPACING_M = 2.0
_NARROWEST, _WIDEST = 0.5, 1.8


def choose_spots(
    metres: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    count: int,
    spacing_m: float,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Return indices, shape (count,), of spots drawn by weight and kept apart.

    Neighbours stand `spacing_m` apart where the weight is the median, from half of it where it is high to 1.8 times
    where it is low; where the town is too small for that, all spacings shrink until the places fit. Keys of Efraimidis
    and Spirakis (2006, Information Processing Letters 97:181) make the weighted draw without replacement one sort.

    ValueError when there are fewer spots than asked for.
    """
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    if count > len(metres):
        raise ValueError(f"expected room for {count} places along the streets, found {len(metres)} spots")
    weights = np.maximum(weights, 1e-12)
    with np.errstate(divide="ignore"):
        keys = np.log(generator.random(len(metres))) / weights
    order = np.argsort(-keys, kind="stable")
    radii = spacing_m * np.clip(np.sqrt(np.median(weights) / weights), _NARROWEST, _WIDEST)
    while True:
        chosen = _greedy(metres, radii, order, count=count)
        if len(chosen) == count:
            return np.array(chosen, dtype=np.int64)
        if radii.max() < _LEAST_SPACING_M:
            return order[:count]
        radii = radii * _CLOSER


def _greedy(
    metres: NDArray[np.float64], radii: NDArray[np.float64], order: NDArray[np.int64], *, count: int
) -> list[int]:
    """Take spots in order, but none nearer to one already taken than the mean of their two spacings."""
    cell_m = float(radii.max())
    cells: dict[tuple[int, int], list[tuple[float, float, float]]] = {}
    chosen: list[int] = []
    places, widths = metres.tolist(), radii.tolist()
    for spot in order.tolist():
        (east, north), radius = places[spot], widths[spot]
        column, row = int(east // cell_m), int(north // cell_m)
        too_near = (
            (east - other_east) ** 2 + (north - other_north) ** 2 < ((radius + other_radius) / 2) ** 2
            for c in (column - 1, column, column + 1)
            for r in (row - 1, row, row + 1)
            for other_east, other_north, other_radius in cells.get((c, r), ())
        )
        if any(too_near):
            continue
        cells.setdefault((column, row), []).append((east, north, radius))
        chosen.append(spot)
        if len(chosen) == count:
            break
    return chosen


def cluster(
    metres: NDArray[np.float64], weights: NDArray[np.float64], *, clusters: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return the sector, shape (n,), of each place: compact clusters of like weight (Lloyd, with k-means++ seeding)."""
    clusters = min(clusters, len(metres))
    centres = [metres[generator.integers(len(metres))]]
    for _ in range(clusters - 1):
        nearest = np.min([((metres - centre) ** 2).sum(axis=1) for centre in centres], axis=0)
        mass = np.cumsum(nearest)
        centres.append(metres[min(np.searchsorted(mass, generator.random() * mass[-1]), len(metres) - 1)])
    middle = np.array(centres)
    label = np.zeros(len(metres), dtype=np.int64)
    for _ in range(50):
        label = ((metres[:, None, :] - middle[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
        mass = np.bincount(label, weights=weights, minlength=clusters)
        moved = np.column_stack([np.bincount(label, weights=weights * axis, minlength=clusters) for axis in metres.T])
        moved = np.where(mass[:, None] > 0, moved / np.maximum(mass, 1e-12)[:, None], middle)
        if np.allclose(moved, middle, atol=0.1):
            break
        middle = moved
    # Numbered from west to east, so that names mean something on the map.
    rank = np.argsort(np.argsort(middle[:, 0], kind="stable"), kind="stable")
    return rank[label]
