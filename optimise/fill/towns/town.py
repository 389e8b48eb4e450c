"""A town's data as a trial sees it: levels, emptyings, places; frozen sensors left aside. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.csv_rows import as_number
from optimise.fill.readings import HOUR_S, Floats, Ints, ReadingOptions, Readings, find_emptyings, mend_spikes
from optimise.fill.slots import DAY_H
from optimise.fill.towns.table import Place, Table
from storage.model import DayWeather

_EARTH_KM_PER_DEG = 111.195
_MOST_STEPS = 26
_FROZEN_S = 7 * DAY_H * HOUR_S
_FROZEN_READINGS = 40
_EMPTY, _FULL = 0.05, 0.95
_MOST_KINDS = 12
_FINE = 0.01


@dataclass(frozen=True, kw_only=True, eq=False)
class Town:
    """What a trial may look at; arrays over bins are (bins,), over readings (n,), over emptyings (m,), in order.

    `bin_row`, `at_s`, `fill`: readings (of a town of emptyings: what was found). `emptied_row`, `emptied_s`: emptyings,
    with `found`, the level before each, NaN when unknown, and `found_s`, since when that is known. `step`: the distance
    of the levels that the data tells apart. `kind`: index into `kinds`. `position_km` (bins, 2): NaN where unknown.
    `features` (bins, k): numbers of the place, standardised, 0 where unknown. `weather`: of the days that were told.
    """

    names: tuple[str, ...]
    of_emptyings: bool
    time_zone: str
    bin_row: Ints
    at_s: Ints
    fill: Floats
    emptied_row: Ints
    emptied_s: Ints
    found: Floats
    step: float
    gap_h: float
    frozen: int
    kinds: tuple[str, ...]
    kind: Ints
    volume_l: Floats
    position_km: Floats
    features: Floats
    feature_names: tuple[str, ...]
    weather: tuple[DayWeather, ...] = ()

    @property
    def bins(self) -> int:
        """The number of bins."""
        return len(self.names)


def build_town(
    table: Table,
    *,
    of_emptyings: bool,
    places: dict[str, Place] | None = None,
    time_zone: str = "UTC",
    weather: Sequence[DayWeather] = (),
) -> Town:
    """Return the town that `table` and `places` (which go before what rows say of a place) tell of."""
    step = level_step(table.fill)
    readings = Readings(bin_row=table.bin_row, at_s=table.at_s, fill=table.fill)
    frozen = np.zeros(len(readings), dtype=bool)
    if of_emptyings:
        emptied_row, emptied_s, found = readings.bin_row, readings.at_s, readings.fill
    else:
        frozen = frozen_runs(readings)
        readings = readings.where(~frozen)
        emptied_row, emptied_s, found = detect(readings, step)
    known = [_merged(table.places.get(name), (places or {}).get(name)) for name in table.names]
    kinds, kind = _kinds(known)
    features, feature_names = _features(known)
    gaps_h = np.diff(readings.at_s)[np.diff(readings.bin_row) == 0] / HOUR_S
    return Town(
        names=table.names,
        of_emptyings=of_emptyings,
        time_zone=time_zone,
        bin_row=readings.bin_row,
        at_s=readings.at_s,
        fill=readings.fill,
        emptied_row=emptied_row,
        emptied_s=emptied_s,
        found=found,
        step=step,
        gap_h=float(np.median(gaps_h)) if len(gaps_h) else 1.0,
        frozen=int(frozen.sum()),
        kinds=kinds,
        kind=kind,
        volume_l=np.array([place.volume_l for place in known], dtype=np.float64),
        position_km=_positions_km(known),
        features=features,
        feature_names=feature_names,
        weather=tuple(weather),
    )


def level_step(fill: Floats) -> float:
    """Return the distance of the levels that the data tells apart: 0.2 of fullness in fifths, 0.01 of percents."""
    values = np.unique(np.round(fill, 4))
    if not 1 < len(values) <= _MOST_STEPS:
        return _FINE
    # Classes may be uneven (0, 25, 50, 75, 90, 100): the usual distance is what rounding does.
    return float(max(np.median(np.diff(values)), _FINE))


def frozen_runs(readings: Readings) -> NDArray[np.bool_]:
    """Return (n,) which readings repeat one value for over a week and forty readings: no level, but a stuck sensor.

    Near empty and near full a sensor may well say the same for weeks, so runs there stand.
    """
    fill, row, at_s = readings.fill, readings.bin_row, readings.at_s
    frozen = np.zeros(len(fill), dtype=bool)
    if not len(fill):
        return frozen
    first = np.flatnonzero(np.append(True, (np.diff(fill) != 0) | (np.diff(row) != 0)))
    last = np.append(first[1:], len(fill)) - 1
    long = (at_s[last] - at_s[first] > _FROZEN_S) & (last - first >= _FROZEN_READINGS)
    long &= (fill[first] > _EMPTY) & (fill[first] < _FULL)
    for start, end in zip(first[long], last[long], strict=True):
        frozen[start + 1 : end + 1] = True  # the first of them was news
    return frozen


def detect(readings: Readings, step: float) -> tuple[Ints, Ints, Floats]:
    """Return bin rows, times and levels before of the emptyings that the levels show.

    A fall by one step of coarse levels is what rounding does, so an emptying takes more than that.
    """
    options = ReadingOptions(fall=min(max(0.15, 1.25 * step), 0.5))
    row, at_s = find_emptyings(mend_spikes(readings, spike=options.spike), options)
    keys = readings.bin_row * (1 << 34) + readings.at_s
    before = np.searchsorted(keys, row * (1 << 34) + at_s) - 1
    return row, at_s, readings.fill[before] if len(row) else np.zeros(0)


def _merged(said: Place | None, place: Place | None) -> Place:
    said, place = said or Place(), place or Place()
    return Place(
        lon=said.lon if np.isnan(place.lon) else place.lon,
        lat=said.lat if np.isnan(place.lat) else place.lat,
        kind=place.kind or said.kind,
        volume_l=said.volume_l if np.isnan(place.volume_l) else place.volume_l,
        more=place.more,
    )


def _kinds(known: list[Place]) -> tuple[tuple[str, ...], Ints]:
    said = [place.kind or "unknown" for place in known]
    count = {name: said.count(name) for name in sorted(set(said))}
    # A kind of its own for each bin is no kind: the rare ones share one.
    often = sorted(count, key=lambda name: (-count[name], name))[:_MOST_KINDS]
    names = tuple(sorted({name if name in often else "other" for name in said}))
    return names, np.array([names.index(name if name in often else "other") for name in said], dtype=np.int64)


def _positions_km(known: list[Place]) -> Floats:
    degrees = np.array([(place.lon, place.lat) for place in known], dtype=np.float64).reshape(-1, 2)
    degrees[np.isnan(degrees).any(axis=1)] = np.nan
    if np.isnan(degrees).all():
        return degrees
    middle = np.nanmean(degrees, axis=0)
    scale = np.array([np.cos(np.radians(middle[1])), 1.0]) * _EARTH_KM_PER_DEG
    result: Floats = (degrees - middle) * scale
    return result


def _features(known: list[Place]) -> tuple[Floats, tuple[str, ...]]:
    """Return (bins, k) the numbers and classes that the file of places gives beyond those of the format."""
    names = list(dict.fromkeys(name for place in known for name, _ in place.more))
    columns: list[Floats] = []
    kept: list[str] = []

    def keep(name: str, column: Floats) -> None:
        seen = np.isfinite(column)
        spread = column[seen].std() if seen.any() else 0.0
        if spread > 0:
            columns.append(np.where(seen, (column - column[seen].mean()) / spread, 0.0))
            kept.append(name)

    for name in names:
        cells = [dict(place.more).get(name, "") for place in known]
        numbers = np.array([as_number(cell) for cell in cells])
        filled = np.array([bool(cell) for cell in cells])
        if filled.any() and np.isfinite(numbers[filled]).mean() > 0.8:  # noqa: PLR2004 - a number with slips
            # Counts and distances are skewed; a logarithm that minds the sign tames them.
            keep(name, np.sign(numbers) * np.log1p(np.abs(numbers)))
            continue
        classes = sorted(set(cells))
        if 1 < len(classes) <= _MOST_KINDS:
            for value in classes:
                keep(f"{name}={value}", np.array([float(cell == value) for cell in cells]))
    table = np.column_stack(columns) if columns else np.zeros((len(known), 0))
    return table, tuple(kept)
