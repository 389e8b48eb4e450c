"""Where the commune's street bins stand: along kerbs, denser where people eat, shop and wait."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.kerbs import Kerbs, degrees
from simulators.placing import choose_spots, cluster
from simulators.randomness import Stream, stream
from simulators.streets import StreetMap
from storage.model import Bin

_SPACING_M = 28.0
_BINS_PER_SECTOR = 100
_MOST_SECTORS = 24
_CORNER_M = 12.0
_PULLS = {"shop": 0.5, "food": 0.6, "transport": 0.8, "school": 0.4, "park": 0.6, "market": 0.8, "leisure": 0.4}
_CLASS_WEIGHT = {"residential": 0.7, "unclassified": 0.9}
_VOLUMES_L = {"street": (80.0, 100.0, 120.0), "transport_stop": (100.0, 120.0), "park": (120.0, 180.0, 240.0)}
_SERVICE_S = {"street": 40.0, "transport_stop": 40.0, "park": 55.0}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlacedBins:
    """The bins with what shapes their filling. Arrays follow the order of `bins`.

    `metres`: (n, 2) east and north; `draw`: (n, kinds) pull of points of interest; `bustle`: (n,) pull of junctions.
    """

    bins: tuple[Bin, ...]
    metres: NDArray[np.float64]
    draw: NDArray[np.float64]
    bustle: NDArray[np.float64]


def place_bins(streets: StreetMap, kerbs: Kerbs, *, commune_insee: str, seed: int, count: int) -> PlacedBins:
    """Choose `count` spots for bins, name them sector by sector, and give each a kind and a volume."""
    generator = stream(seed, Stream.BINS)
    spots = choose_spots(kerbs.metres, _weights(streets, kerbs), count=count, spacing_m=_SPACING_M, generator=generator)
    metres = kerbs.metres[spots]
    sectors = min(_MOST_SECTORS, max(2, round(count / _BINS_PER_SECTOR)))
    sector = cluster(metres, np.ones(count), clusters=sectors, generator=stream(seed, Stream.SECTORS))
    order = np.lexsort((kerbs.along_m[spots], kerbs.edge[spots], sector))
    spots, sector = spots[order], sector[order]
    kinds = _kinds(kerbs, spots, generator)
    width = max(4, len(str(count)))
    bins = []
    for number, (lon, lat) in enumerate(degrees(streets.plane, kerbs.metres[spots])):
        kind = kinds[number]
        bins.append(
            Bin(
                commune_insee=commune_insee,
                place_id=f"COR-{number + 1:0{width}d}",
                longitude_deg=lon,
                latitude_deg=lat,
                street=streets.edges[kerbs.edge[spots[number]]].name,
                bin_kind=kind,
                volume_l=float(generator.choice(_VOLUMES_L[kind])),
                service_s=_SERVICE_S[kind],
                sector=f"Secteur {sector[number] + 1}",
            )
        )
    return PlacedBins(bins=tuple(bins), metres=kerbs.metres[spots], draw=kerbs.draw[spots], bustle=kerbs.bustle[spots])


def _weights(streets: StreetMap, kerbs: Kerbs) -> NDArray[np.float64]:
    """Return how much each spot invites a bin; corners do, and any street has a few."""
    weight = 0.15 + 0.5 * kerbs.bustle / max(float(np.median(kerbs.bustle)), 1e-9)
    for kind, share in _PULLS.items():
        weight = weight + share * np.log1p(kerbs.pull_of(kind))
    lengths = np.array([edge.length_m for edge in streets.edges])[kerbs.edge]
    corner = np.minimum(kerbs.along_m, lengths - kerbs.along_m) < _CORNER_M
    classes = np.array([_CLASS_WEIGHT.get(edge.highway, 1.0) for edge in streets.edges])[kerbs.edge]
    weights: NDArray[np.float64] = weight * np.where(corner, 1.6, 1.0) * classes
    return weights


def _kinds(kerbs: Kerbs, spots: NDArray[np.int64], generator: np.random.Generator) -> list[str]:
    """Return the kind of each bin: most near a park are park bins, most at a stop are a stop's."""
    park, stop = kerbs.pull_of("park")[spots], kerbs.pull_of("transport")[spots]
    luck = generator.random(len(spots))
    is_park = (park > 0.35) & (luck < 0.7)  # noqa: PLR2004 - within some 60 m of one park
    is_stop = ~is_park & (stop > 0.7) & (luck < 0.5)  # noqa: PLR2004 - within some 20 m of one stop
    return ["park" if p else "transport_stop" if s else "street" for p, s in zip(is_park, is_stop, strict=True)]
