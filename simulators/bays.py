"""Where the commune's delivery bays are, near shops, each with its rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

import numpy as np
from numpy.typing import NDArray

from simulators.kerbs import Kerbs, degrees
from simulators.placing import choose_spots
from simulators.randomness import Stream, stream
from simulators.streets import StreetMap
from storage.model import DeliveryBay

_SPACING_M = 70.0
_GRACE_S = 300
# (ISO weekdays, from, until, most minutes, share of bays): a town has a usual rule and some exceptions.
_RULES = (
    ((1, 2, 3, 4, 5, 6), time(7, 0), time(20, 0), 30, 0.6),
    ((1, 2, 3, 4, 5), time(7, 0), time(13, 0), 20, 0.2),
    ((1, 2, 3, 4, 5, 6), time(6, 0), time(22, 30), 30, 0.15),
    ((1, 2, 3, 4, 5, 6, 7), time(0, 0), time(23, 59, 59), 15, 0.05),
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlacedBays:
    """The delivery bays; `spots` (n,) are their indices in the kerbs, `shops` (n,) the pull of shops and food there."""

    bays: tuple[DeliveryBay, ...]
    spots: NDArray[np.int64]
    shops: NDArray[np.float64]


def place_bays(streets: StreetMap, kerbs: Kerbs, *, commune_insee: str, seed: int, count: int) -> PlacedBays:
    """Choose `count` spots for delivery bays by the pull of shops, food and offices."""
    generator = stream(seed, Stream.BAYS)
    shops = kerbs.pull_of("shop") + kerbs.pull_of("food") + 0.3 * kerbs.pull_of("office")
    weights = 0.02 + shops + 0.1 * kerbs.bustle
    spots = choose_spots(kerbs.metres, weights, count=count, spacing_m=_SPACING_M, generator=generator)
    spots = spots[np.lexsort((kerbs.along_m[spots], kerbs.edge[spots]))]
    rules = generator.choice(len(_RULES), size=count, p=[rule[-1] for rule in _RULES])
    lengths = generator.choice([1000, 1200, 1500, 2000], size=count, p=[0.35, 0.4, 0.2, 0.05])
    width = max(2, len(str(count)))
    bays = []
    for number, (lon, lat) in enumerate(degrees(streets.plane, kerbs.metres[spots])):
        days, since, until, minutes, _ = _RULES[rules[number]]
        bays.append(
            DeliveryBay(
                commune_insee=commune_insee,
                place_id=f"ADL-{number + 1:0{width}d}",
                longitude_deg=lon,
                latitude_deg=lat,
                street=streets.edges[kerbs.edge[spots[number]]].name,
                length_cm=int(lengths[number]),
                max_stay_s=minutes * 60,
                grace_s=_GRACE_S,
                enforced_days=days,
                enforced_from=since,
                enforced_until=until,
            )
        )
    return PlacedBays(bays=tuple(bays), spots=spots, shops=shops[spots])
