"""A simulated town as months are played on it: the simulator's truth as arrays, on real streets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cli.provision import fleet
from optimise.fill.surroundings import read_surroundings
from optimise.rounds.day import Fleet
from optimise.rounds.months.fixed import Past
from optimise.rounds.months.law import LAW_WEEKS, Law
from optimise.rounds.months.options import MonthsOptions
from optimise.rounds.months.policies import HORIZON_DAYS
from optimise.rounds.months.sizing import Sizing, sized
from optimise.rounds.months.town import PLANNED_AT, Town, first_morning, full_litres
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
from storage.model import Bin, DisposalSite, Place

FIRST_DAY = date(2025, 3, 3)
"""A Monday: the same town in every run, whenever it is run. Its first weeks are the old rounds'."""
_YEAR_BEFORE, _PAST_WEEKS = 1000, 26
"""The weeks on whose waste the town chose bins and calendar: of the same town and law, but never played."""
_YEARS_AFTER = 2000
"""The first of the weeks that tell each bin's law to those who are to know it: never played either."""
_COMMUNE, _TIME_ZONE = "93051", "Europe/Paris"
_BINS_PER_SECTOR = 40
_DEPTH_MM = (520, 760)
_NOISE_MM, _WILD, _LOST = 7.0, 0.004, 0.02
_DEAD, _DEATH_DAYS = 0.03, 90
_FORGOTTEN, _SAYS, _EYE_BIAS, _EYE_SIGMA = 0.03, 0.35, 0.04, 0.12


@dataclass(frozen=True, kw_only=True, slots=True)
class TownPlan:
    """What is built on the streets of `extract`.

    `waste` multiplies what the simulator's town throws away, into as many bins as its own waste needs.
    """

    extract: Path
    bins: int
    vehicles: int
    waste: float
    travel: TravelOptions
    options: MonthsOptions

    def __post_init__(self) -> None:
        for name in ("bins", "vehicles", "waste"):
            if not getattr(self, name) > 0:
                raise InputError(f"expected {name} > 0, got {getattr(self, name)}")


def build_towns(plan: TownPlan, *, seed: int, progress: Callable[[str], None]) -> list[Town]:
    """Return `options.seeds` towns on the extract's streets, of seeds `seed`, `seed` + 1, ...

    Raises InputError when the streets have no room for so many bins, or a bin cannot be reached.
    """
    streets = read_streets(plan.extract)
    kerbs = find_kerbs(streets)
    travel = open_travel(plan.travel)
    towns = []
    for number in range(seed, seed + plan.options.seeds):
        progress(f"town {number}: {plan.bins} bins on {streets.source}")
        try:
            towns.append(_town(streets, kerbs, travel, plan, seed=number))
        except ValueError as error:
            raise InputError(f"this town cannot be built: {error}") from error
    return towns


def _town(streets: StreetMap, kerbs: Kerbs, travel: Travel, plan: TownPlan, *, seed: int) -> Town:
    placed = place_bins(streets, kerbs, commune_insee=_COMMUNE, seed=seed, count=plan.bins)
    depot, site = place_ends(streets, kerbs, commune_insee=_COMMUNE, seed=seed)
    owned = Fleet(
        vehicles=tuple(fleet(_COMMUNE, depot.place_id, vehicles=plan.vehicles)), depots=(depot,), disposal_sites=(site,)
    )
    matrices = _matrices(travel, owned, placed.bins, max_snap_m=plan.travel.max_snap_m)
    character = characters(placed, seed=seed)
    start = first_morning(FIRST_DAY, _TIME_ZONE)
    process = FillProcess(character, seed=seed, start=start, time_zone=_TIME_ZONE)
    days = plan.options.history_days + plan.options.warmup_days + plan.options.days + HORIZON_DAYS
    deposits_l = _weeks(process, 0, -(-days * 24 // WEEK_HOURS))[:, : days * 24]
    past_l = _weeks(process, _YEAR_BEFORE, _PAST_WEEKS)
    volume_l = np.array([item.volume_l for item in placed.bins])
    sizes = sized(past_l, full_litres(volume_l, character.compaction), options=Sizing(service=plan.options.service))
    full_l = full_litres(volume_l * sizes, character.compaction)
    heard, echo = _hearing(plan.bins, days, seed)
    notes, shape = stream(seed, Stream.DECLARATIONS, 0, 0), (plan.bins, days)
    return Town(
        seed=seed,
        time_zone=_TIME_ZONE,
        start=start,
        bins=_enlarged(placed.bins, sizes, plan.extract),
        deposits_l=(plan.waste * deposits_l).astype(np.float32),
        full_l=full_l,
        press=character.compaction,
        heard=heard,
        echo=echo,
        eye=notes.normal(_EYE_BIAS, _EYE_SIGMA, shape),
        mute=notes.random(shape) < _FORGOTTEN,
        says=notes.random(shape) < _SAYS,
        fleet=owned,
        matrices=matrices,
        sectors=_sectors(placed.metres, seed),
        past=Past.of((plan.waste * past_l).astype(np.float32), full_l),
        law=Law.of(plan.waste * _weeks(process, _YEARS_AFTER, LAW_WEEKS)),
    )


def _weeks(process: FillProcess, first: int, weeks: int) -> NDArray[np.float64]:
    return np.concatenate([process.week_litres(week) for week in range(first, first + weeks)], axis=1)


def _enlarged(bins: tuple[Bin, ...], sizes: NDArray[np.int64], extract: Path) -> tuple[Bin, ...]:
    """Return the bins of each spot as one, with what the map shows around it."""
    around = read_surroundings(extract, [(item.longitude_deg, item.latitude_deg) for item in bins])
    return tuple(
        replace(
            item,
            volume_l=item.volume_l * size,
            service_s=item.service_s + Sizing.more_bin_s * (size - 1),
            surroundings=surroundings,
        )
        for item, size, surroundings in zip(bins, sizes.tolist(), around, strict=True)
    )


def _matrices(travel: Travel, fleet: Fleet, bins: tuple[Bin, ...], *, max_snap_m: float) -> Matrices:
    everywhere: list[Place | DisposalSite | Bin] = [*fleet.anchors, *bins]
    anchors = len(fleet.anchors)
    found = travel.matrices(
        [(place.longitude_deg, place.latitude_deg) for place in everywhere],
        kerb=[False] * anchors + [True] * len(bins),
    )
    cut_off = unreachable(
        found, anchors=range(anchors), max_snap_m=max_snap_m, names=[place.place_id for place in everywhere]
    )
    if cut_off:
        raise InputError(
            f"the vehicle cannot reach {', '.join(everywhere[row].place_id for row in sorted(cut_off)[:5])}"
        )
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


def assumptions(towns: Sequence[Town]) -> dict[str, Any]:
    """Return what the towns are like and what is taken for granted: whoever reads the figures should know it."""
    daily = [town.deposits_l.mean(axis=1) * 24 / town.full_l for town in towns]
    volume_l = [np.array([item.volume_l for item in town.bins]) for town in towns]
    vehicle = towns[0].fleet.vehicles[0]
    return {
        "service_level": "share of bin-days on which nothing that was thrown in found the bin full",
        "emptied_before_full": "share of emptyings that found the bin not full: Groningen's service level",
        "litres_kept": "share of the litres thrown in that found room",
        "perfect": "the coming days themselves are known",
        "informed": "every bin's law and level are known, not the coming days: Groningen's perfect information",
        "mean_daily_fill": float(np.mean([one.mean() for one in daily])),
        "daily_fill_p10_p50_p90": [float(np.mean([np.quantile(one, q) for one in daily])) for q in (0.1, 0.5, 0.9)],
        "mean_volume_l": float(np.mean([one.mean() for one in volume_l])),
        "waste": "the simulator's: visitors by the hour, regulars, markets, dumped bags, weather, days that differ",
        "spots": "as many bins as daily rounds need to use a tenth of the overflows that the promise allows",
        "fixed": "each sector of some 40 bins as often as its past 26 weeks, known in truth, need",
        "fixed_hot": "the same, and the bins that hold a sector back on a daily round of their own",
        "threshold": "sensors on every bin, one level for all",
        "sensors": "hourly, 7 mm of noise, 0.4 % wild echoes, 2 % lost, 3 % die within 90 days; drawn at random",
        "crews": "declare every emptying on a tablet and say in quarters how full it was, 4 points high, sigma 12",
        "history": "paper: 3 % of emptyings forgotten, 35 % with a look",
        "not_played": "blocked bins, breakdowns, streets closed, holidays, loads that differ from those expected",
        "planned_at": f"{PLANNED_AT:%H:%M}, every day of the week",
        "vehicle": {
            "capacity_l": vehicle.capacity_l,
            "shift": f"{vehicle.shift_from:%H:%M}-{vehicle.shift_until:%H:%M}",
            "break_s": vehicle.break_s,
        },
        "engine": "ruin and recreate, the same steps for every policy; every plan accepted by the checker",
    }
