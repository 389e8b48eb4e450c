"""Choose spots along kerbs: at random by weight, with a least distance between neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CLOSER = 0.8
_LEAST_SPACING_M = 2.0


def choose_spots(
    metres: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    count: int,
    spacing_m: float,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Return indices, shape (count,), of spots drawn by weight, at least `spacing_m` apart.

    Where the town is too small for that, the spacing shrinks until they fit. Keys of Efraimidis and Spirakis (2006,
    Information Processing Letters 97:181) make the weighted draw without replacement one sort.

    ValueError when there are fewer spots than asked for.
    """
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    if count > len(metres):
        raise ValueError(f"expected room for {count} places along the streets, found {len(metres)} spots")
    with np.errstate(divide="ignore"):
        keys = np.log(generator.random(len(metres))) / np.maximum(weights, 1e-12)
    order = np.argsort(-keys, kind="stable")
    while True:
        chosen = _greedy(metres, order, count=count, spacing_m=spacing_m)
        if len(chosen) == count or spacing_m == 0.0:
            return np.array(chosen[:count], dtype=np.int64)
        spacing_m = spacing_m * _CLOSER if spacing_m > _LEAST_SPACING_M else 0.0


def _greedy(metres: NDArray[np.float64], order: NDArray[np.int64], *, count: int, spacing_m: float) -> list[int]:
    if spacing_m == 0.0:
        return [int(spot) for spot in order[:count]]
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    chosen: list[int] = []
    for spot in order:
        east, north = float(metres[spot, 0]), float(metres[spot, 1])
        column, row = int(east // spacing_m), int(north // spacing_m)
        taken = (
            (east - other_east) ** 2 + (north - other_north) ** 2 < spacing_m**2
            for c in (column - 1, column, column + 1)
            for r in (row - 1, row, row + 1)
            for other_east, other_north in cells.get((c, r), ())
        )
        if any(taken):
            continue
        cells.setdefault((column, row), []).append((east, north))
        chosen.append(int(spot))
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
