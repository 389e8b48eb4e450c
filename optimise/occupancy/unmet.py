"""Who came and found no place, from who came and found one: the loss model, pool by pool and hour by hour. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from storage.kerb.loss import offered_load


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """What sensors saw of a pool of places in one hour of one class of days, over a window.

    `known_s` and `occupied_s` are summed over its places; `arrivals` are those who found a place.
    """

    pool: str
    day_class: str
    hour: int
    place_ids: tuple[str, ...]
    known_s: float
    occupied_s: float
    arrivals: float

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if not self.place_ids:
            raise ValueError("expected at least one place in a pool")
        if not 0 <= self.occupied_s <= self.known_s * (1 + 1e-9):
            raise ValueError(f"expected 0 <= occupied_s <= known_s ({self.known_s}), got {self.occupied_s}")
        if self.arrivals < 0:
            raise ValueError(f"expected arrivals >= 0, got {self.arrivals}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """What was wanted of a cell: `wanted_per_s` vehicles in a second of one place's known time.

    Those refused are included: `refused_share` of them found no place. `relative_var` is the number refused over the
    number seen: the variance of the number refused is that number times 1 + `relative_var`.
    """

    wanted_per_s: float
    refused_share: float
    relative_var: float


def demands(cells: Sequence[Cell]) -> list[Demand]:
    """Return the demand in each cell.

    Of one place it is the arrivals over the time in which it was free: the likelihood's maximum of a Poisson stream
    that is seen only while there is room. Of several, by Erlang's formula. The number refused has the variance of a
    Poisson number whose rate was estimated from the arrivals seen.
    """
    if not cells:
        return []
    places = np.array([len(cell.place_ids) for cell in cells], dtype=np.int64)
    known = np.array([cell.known_s for cell in cells])
    occupied = np.array([cell.occupied_s for cell in cells])
    arrivals = np.array([cell.arrivals for cell in cells])
    carried = places * np.divide(occupied, known, out=np.zeros(len(cells)), where=known > 0)
    _, refused = offered_load(carried, places)
    seen = np.divide(arrivals, known, out=np.zeros(len(cells)), where=known > 0)
    # Of a place that nobody came to in the whole window nobody knows who wanted it.
    wanted = seen / (1 - refused)
    return [
        Demand(wanted_per_s=float(rate), refused_share=float(share), relative_var=float(share / (1 - share)))
        for rate, share in zip(wanted, refused, strict=True)
    ]
