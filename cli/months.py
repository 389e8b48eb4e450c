"""A simulated town as months are played on it: the simulator's truth as arrays, on real streets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cli.provision import fleet
from optimise.fill.surroundings import read_surroundings
from optimise.rounds.day import Fleet
from optimise.rounds.months.fixed import Past
from optimise.rounds.months.options import MonthsOptions
from optimise.rounds.months.policies import HORIZON_DAYS
from optimise.rounds.months.sizing import Sizing, sized
from optimise.rounds.months.town import Town, first_morning, full_litres
from optimise.rounds.travel import Matrices, Travel, TravelOptions, open_travel, unreachable
from simulators.bins import place_bins
from simulators.character import characters
from simulators.fill_process import FillProcess
from simulators.kerbs import Kerbs, find_kerbs
from simulators.local_time import WEEK_HOURS
from simulators.placing import cluster
from simulators.randomness import Stream, stream
from simulators.streets import StreetMap, read_streets
from simulators.town_ends import place_ends
from storage.errors import InputError

FIRST_DAY = date(2025, 3, 3)
"""A Monday: the same town in every run, whenever it is run. Its first weeks are the old rounds'."""
_YEAR_BEFORE, _PAST_WEEKS = 1000, 26
"""The weeks on whose waste the town chose bins and calendar: of the same town and law, but never played."""
_COMMUNE, _TIME_ZONE = "93051", "Europe/Paris"
_BINS_PER_SECTOR = 40
_DEPTH_MM = (520, 760)
_NOISE_MM, _WILD, _LOST = 7.0, 0.004, 0.02
_DEAD, _DEATH_DAYS = 0.03, 90
_FORGOTTEN, _SAYS, _EYE_BIAS, _EYE_SIGMA = 0.03, 0.35, 0.04, 0.12


def build_towns(
    extract: Path, *, bins: int, vehicles: int, seed: int, options: MonthsOptions, travel: TravelOptions,
    progress: Callable[[str], None],
) -> list[Town]:
    """Return `options.seeds` towns on the extract's streets, of seeds `seed`, `seed` + 1, ...

    Raises InputError when the streets have no room for so many bins, or for nonsense in the numbers.
    """
    if bins < 1 or vehicles < 1:
        raise InputError(f"expected at least one bin and one vehicle, got {bins} and {vehicles}")
    streets = read_streets(extract)
    kerbs = find_kerbs(streets)
    measured = open_travel(travel)
    towns = []
    for number in range(seed, seed + options.seeds):
        progress(f"town {number}")
        try:
            town = _town(
                streets, kerbs, measured, extract=extract, bins=bins, vehicles=vehicles, seed=number, options=options,
                max_snap_m=travel.max_snap_m,
            )
        except ValueError as error:
            raise InputError(f"this town cannot be built: {error}") from error
        towns.append(town)
    return towns


def _town(
    streets: StreetMap, kerbs: Kerbs, travel: Travel, *, extract: Path, bins: int, vehicles: int, seed: int,
    options: MonthsOptions, max_snap_m: float,
) -> Town:
    placed = place_bins(streets, kerbs, commune_insee=_COMMUNE, seed=seed, count=bins)
    depot, site = place_ends(streets, kerbs, commune_insee=_COMMUNE, seed=seed)
    vans = fleet(_COMMUNE, depot.place_id, vehicles=vehicles)
    owned = Fleet(vehicles=tuple(vans), depots=(depot,), disposal_sites=(site,))
    matrices = _matrices(travel, owned, placed.bins, max_snap_m=max_snap_m)
    character = characters(placed, seed=seed)
    start = first_morning(FIRST_DAY, _TIME_ZONE)
    process = FillProcess(character, seed=seed, start=start, time_zone=_TIME_ZONE)
    days = options.history_days + options.warmup_days + options.days + HORIZON_DAYS
    weeks = -(-days * 24 // WEEK_HOURS)
    deposits_l = np.concatenate([process.week_litres(week) for week in range(weeks)], axis=1)[:, : days * 24]
    volume_l = np.array([item.volume_l for item in placed.bins])
    past_l = np.concatenate([process.week_litres(_YEAR_BEFORE + week) for week in range(_PAST_WEEKS)], axis=1)
    sizes = sized(
        past_l,
        full_litres(volume_l, character.compaction),
        options=Sizing(service=options.service),
    )
    around = read_surroundings(extract, [(item.longitude_deg, item.latitude_deg) for item in placed.bins])
    places = tuple(
        replace(
            item,
            volume_l=item.volume_l * float(size),
            service_s=item.service_s + Sizing.more_bin_s * (float(size) - 1),
            surroundings=surroundings,
        )
        for item, size, surroundings in zip(placed.bins, sizes, around, strict=True)
    )
    full_l = full_litres(volume_l * sizes, character.compaction)
    heard, echo = _hearing(len(places), days, seed)
    eye = stream(seed, Stream.DECLARATIONS, 0, 0)
    shape = (len(places), days)
    return Town(
        seed=seed,
        time_zone=_TIME_ZONE,
        start=start,
        bins=places,
        deposits_l=deposits_l.astype(np.float32),
        full_l=full_l,
        press=character.compaction,
        heard=heard,
        echo=echo,
        eye=eye.normal(_EYE_BIAS, _EYE_SIGMA, shape),
        mute=eye.random(shape) < _FORGOTTEN,
        says=eye.random(shape) < _SAYS,
        fleet=owned,
        matrices=matrices,
        sectors=_sectors(placed.metres, seed),
        past=Past.of(past_l.astype(np.float32), full_l),
    )


def _matrices(travel: Travel, fleet: Fleet, bins: tuple, *, max_snap_m: float) -> Matrices:
    everywhere = [*fleet.anchors, *bins]
    anchors = len(fleet.anchors)
    found = travel.matrices(
        [(place.longitude_deg, place.latitude_deg) for place in everywhere],
        kerb=[False] * anchors + [True] * len(bins),
    )
    cut_off = unreachable(
        found, anchors=range(anchors), max_snap_m=max_snap_m, names=[place.place_id for place in everywhere]
    )
    if cut_off:
        raise InputError(f"the vehicle cannot reach {', '.join(everywhere[row].place_id for row in sorted(cut_off)[:5])}")
    return found


def _hearing(bins: int, days: int, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Return whether a sensor on each bin would be heard in each hour, (n, h), and how wrong it would be, (n, h)."""
    generator = stream(seed, Stream.TRANSMISSIONS, 0, 0)
    shape = (bins, days * 24)
    heard = generator.random(shape) >= _LOST
    dies_h = generator.integers(24, _DEATH_DAYS * 24, bins)
    dead = (generator.random(bins) < _DEAD)[:, None] & (np.arange(shape[1]) >= dies_h[:, None])
    depth_mm = generator.integers(*_DEPTH_MM, bins)[:, None]
    noise = generator.normal(0.0, _NOISE_MM, shape) / depth_mm
    wild = generator.random(shape) < _WILD
    return heard & ~dead, np.where(wild, generator.uniform(-1.0, 1.0, shape), noise).astype(np.float32)


def _sectors(metres: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Return each bin's sector, (n,): compact ones of some forty bins."""
    count = max(2, round(len(metres) / _BINS_PER_SECTOR))
    return cluster(metres, np.ones(len(metres)), clusters=count, generator=stream(seed, Stream.SECTORS, 0, 0))
