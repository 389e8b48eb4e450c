"""The depot and the disposal site: on streets at the edge of the town, apart from each other."""

from __future__ import annotations

import numpy as np

from simulators.kerbs import Kerbs, degrees
from simulators.randomness import Stream, stream
from simulators.streets import StreetMap
from storage.model import DisposalSite, Place, PlaceKind

_UNLOAD_S = 900.0
_OUTER = 0.85
"""Both stand beyond this quantile of the distances from the town's middle."""
_APART = 0.9


def place_ends(streets: StreetMap, kerbs: Kerbs, *, commune_insee: str, seed: int) -> tuple[Place, DisposalSite]:
    """Return the depot and the disposal site."""
    generator = stream(seed, Stream.TOWN_ENDS)
    distance = np.hypot(*(kerbs.metres - kerbs.metres.mean(axis=0)).T)
    outer = np.flatnonzero(distance >= np.quantile(distance, _OUTER))
    depot = int(generator.choice(outer))
    # Real ones are rarely neighbours: the disposal site is among the tenth of those spots farthest from the depot.
    apart = np.hypot(*(kerbs.metres[outer] - kerbs.metres[depot]).T)
    disposal = int(generator.choice(outer[apart >= np.quantile(apart, _APART)]))
    (depot_at, disposal_at) = degrees(streets.plane, kerbs.metres[[depot, disposal]])
    return (
        Place(
            commune_insee=commune_insee,
            place_id="DEPOT-1",
            kind=PlaceKind.DEPOT,
            longitude_deg=depot_at[0],
            latitude_deg=depot_at[1],
            street=streets.edges[kerbs.edge[depot]].name,
        ),
        DisposalSite(
            commune_insee=commune_insee,
            place_id="EXUTOIRE-1",
            longitude_deg=disposal_at[0],
            latitude_deg=disposal_at[1],
            street=streets.edges[kerbs.edge[disposal]].name,
            unload_s=_UNLOAD_S,
        ),
    )
