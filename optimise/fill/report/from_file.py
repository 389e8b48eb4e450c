"""Any town's file of levels as what the served model takes: bins, levels, emptyings. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import starmap

import numpy as np

from optimise.csv_rows import as_number
from optimise.fill.options import FillOptions
from optimise.fill.readings import HOUR_S, ReadingOptions
from optimise.fill.towns.table import Place
from optimise.fill.towns.town import Town
from optimise.fill.training import TrainingData, assemble
from storage.level_table import LevelTable
from storage.model import Bin, Emptying

_SOME_VOLUME_L = 100.0
_GAPS = 3
_HISTORY_DAYS = 36_500


def training_data_of(town: Town, said: dict[str, Place], places: dict[str, Place]) -> tuple[TrainingData, FillOptions]:
    """Return what the model is told of a town, as known at its last row, and options that suit how often it measures.

    Of bins without a sensor, and of those whose sensor is hidden, the model knows the emptyings: those of the file, or
    in a file of levels those that the levels show. A bin's place is what the file of `places` says, else what rows
    `said`, else the others' median.
    """
    known = [_merged(said.get(name, Place()), places.get(name, Place())) for name in town.names]
    gap_s = max(6 * HOUR_S, int(_GAPS * town.gap_h * HOUR_S))
    options = FillOptions(
        history_days=_HISTORY_DAYS,
        fresh_h=max(24.0, _GAPS * town.gap_h),
        readings=ReadingOptions(max_gap_s=gap_s),
    )
    names = np.array(town.names, dtype=object)
    last_s = max([0, *(int(times.max()) for times in (town.at_s, town.emptied_s) if len(times))])
    of_levels = not town.of_emptyings
    levels = LevelTable(
        place_id=names[town.bin_row] if of_levels else np.zeros(0, dtype=object),
        measured_at_s=town.at_s if of_levels else np.zeros(0, dtype=np.int64),
        fill_fraction=(town.fill if of_levels else np.zeros(0)).astype(np.float32),
    )
    # In a file of levels nobody said what was found: the sensor did, and it is hidden.
    found = town.found if town.of_emptyings else np.full(len(town.emptied_s), np.nan)

    def emptying(row: int, at_s: int, fraction: float) -> Emptying:
        return Emptying(
            place_id=town.names[row],
            emptied_at=datetime.fromtimestamp(at_s, UTC),
            found_fraction=None if math.isnan(fraction) else fraction,
        )

    data = assemble(
        bins=_bins(town, known),
        levels=levels,
        emptyings=list(
            starmap(emptying, zip(town.emptied_row.tolist(), town.emptied_s.tolist(), found.tolist(), strict=True))
        ),
        as_of=datetime.fromtimestamp(last_s, UTC),
        time_zone=town.time_zone,
        options=options.readings,
    )
    return data, options


def _merged(said: Place, place: Place) -> Place:
    located = math.isfinite(place.lon) and math.isfinite(place.lat)
    return Place(
        lon=place.lon if located else said.lon, lat=place.lat if located else said.lat, more=place.more or said.more
    )


def _bins(town: Town, known: list[Place]) -> list[Bin]:
    degrees = np.array([(place.lon, place.lat) for place in known], dtype=np.float64).reshape(-1, 2)
    located = np.isfinite(degrees).all(axis=1)
    middle = np.median(degrees[located], axis=0) if located.any() else np.zeros(2)
    degrees = np.where(located[:, None], degrees, middle)
    usual = float(np.nanmedian(town.volume_l)) if np.isfinite(town.volume_l).any() else _SOME_VOLUME_L
    return [
        Bin(
            commune_insee="",
            place_id=name,
            longitude_deg=float(longitude),
            latitude_deg=float(latitude),
            street=None,
            bin_kind=town.kinds[kind],
            volume_l=float(volume) if math.isfinite(volume) and volume > 0 else usual,
            surroundings={key: number for key, text in place.more if math.isfinite(number := as_number(text))},
        )
        for name, place, kind, volume, (longitude, latitude) in zip(
            town.names, known, town.kind, town.volume_l, degrees, strict=True
        )
    ]
