"""Where the commune's parking spaces are: in rows along the kerbs, clear of delivery bays and corners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.bays import PlacedBays
from simulators.kerbs import Kerbs, degrees, kerb_at
from simulators.randomness import Stream, stream
from simulators.streets import StreetMap
from storage.model import ParkingSpace

_SPACE_M = 5.5
_CLEAR_OF_CORNER_M = 6.0
_LEAST_APART_M = 4.5
_SHORTEST_ROW, _LONGEST_ROW = 3, 14
_PMR_SHARE = 0.03  # two places in a hundred is the law's least (decree 2006-1658); towns have some more
_SHORT_STAY_SHARE = 0.06

_Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlacedSpaces:
    """The parking spaces; `shops` (n,) is the pull of shops and food at each."""

    spaces: tuple[ParkingSpace, ...]
    shops: NDArray[np.float64]


def place_spaces(
    streets: StreetMap, kerbs: Kerbs, bays: PlacedBays, *, commune_insee: str, seed: int, count: int
) -> PlacedSpaces:
    """Lay `count` spaces in rows. ValueError when the kerbs have no room for them."""
    generator = stream(seed, Stream.SPACES)
    taken: dict[tuple[int, int], list[_Interval]] = {}
    for bay, spot in zip(bays.bays, bays.spots, strict=True):
        where, half = float(kerbs.along_m[spot]), bay.length_cm / 200.0
        taken.setdefault((int(kerbs.edge[spot]), int(kerbs.side[spot])), []).append((where - half, where + half))
    shops = kerbs.pull_of("shop") + kerbs.pull_of("food")
    weights = 0.3 + np.log1p(shops + kerbs.bustle)
    order = np.argsort(-np.log(generator.random(len(kerbs))) / weights, kind="stable")
    metres: list[NDArray[np.float64]] = []
    names: list[str | None] = []
    pulls: list[float] = []
    for spot in order:
        wanted = min(int(generator.integers(_SHORTEST_ROW, _LONGEST_ROW + 1)), count - len(names))
        if wanted == 0:
            break
        edge = streets.edges[kerbs.edge[spot]]
        row = _row(float(kerbs.along_m[spot]), wanted, edge.length_m)
        key = (int(kerbs.edge[spot]), int(kerbs.side[spot]))
        if row is None or any(row[0] < end and start < row[1] for start, end in taken.get(key, ())):
            continue
        middles = np.linspace(row[0] + _SPACE_M / 2, row[1] - _SPACE_M / 2, wanted, dtype=np.float64)
        here = kerb_at(streets.plane.to_metres(edge.coordinates), middles, side=key[1])
        # The inside of a bend has no room, nor has a kerb that the map draws twice (a street and its slip road).
        if _nearest_m(here, np.vstack([np.zeros((0, 2)), *metres, here])) < _LEAST_APART_M:
            continue
        taken.setdefault(key, []).append(row)
        metres.append(here)
        names += [edge.name] * wanted
        pulls += [float(shops[spot])] * wanted
    if len(names) < count:
        raise ValueError(f"expected kerbs with room for {count} parking spaces, found room for {len(names)}")
    return PlacedSpaces(
        spaces=_spaces(
            degrees(streets.plane, np.vstack([np.zeros((0, 2)), *metres])),
            names,
            np.array(pulls),
            commune_insee,
            generator,
        ),
        shops=np.array(pulls),
    )


def _row(start: float, wanted: int, length_m: float) -> _Interval | None:
    """Return the row's interval along its street, None where the street is too short for it."""
    end = start + wanted * _SPACE_M
    fits = start >= _CLEAR_OF_CORNER_M and end <= length_m - _CLEAR_OF_CORNER_M
    return (start, end) if fits else None


def _nearest_m(spots: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Return the least distance between `spots` (k, 2) and `others` (m, 2), the last k of which are the spots."""
    apart = np.hypot(*(spots[:, None, :] - others[None, :, :]).transpose(2, 0, 1))
    itself = np.arange(len(spots))
    apart[itself, len(others) - len(spots) + itself] = np.inf
    return float(apart.min())


def _spaces(
    where: list[tuple[float, float]],
    names: list[str | None],
    pulls: NDArray[np.float64],
    commune_insee: str,
    generator: np.random.Generator,
) -> tuple[ParkingSpace, ...]:
    luck = generator.random(len(where))
    busy = pulls >= (np.median(pulls) if len(pulls) else 0.0)
    width = max(4, len(str(len(where))))

    def kind(number: int) -> str:
        if luck[number] < _PMR_SHARE:
            return "pmr"
        # Short stays are marked in front of shops, so only there, and twice as often.
        return "short_stay" if busy[number] and luck[number] < _PMR_SHARE + 2 * _SHORT_STAY_SHARE else "standard"

    return tuple(
        ParkingSpace(
            commune_insee=commune_insee,
            place_id=f"STA-{number + 1:0{width}d}",
            longitude_deg=lon,
            latitude_deg=lat,
            street=names[number],
            space_kind=kind(number),
        )
        for number, (lon, lat) in enumerate(where)
    )
