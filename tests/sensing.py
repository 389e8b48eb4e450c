"""A simulated commune with sensors on whichever bins one likes, beside its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from optimise.fill.model import FillModel, fit_model
from optimise.fill.readings import HOUR_S
from optimise.fill.report.exposure import usual_interval_h
from optimise.fill.surroundings import read_surroundings
from optimise.fill.training import TrainingData, assemble
from simulators.streets import default_extract
from simulators.world import World, build_world
from storage.level_table import LevelTable
from storage.model import Bin, Emptying, ServiceEventKind
from tests.commune import streets

TEST_H = 168
_AHEAD_H = (3, 6, 12, 24, 36, 48)
_STEP_H = 29
_NOISE, _HEARD = 0.015, 0.95
START = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, eq=False)
class Commune:
    """A simulated commune, with what OpenStreetMap shows around its bins."""

    world: World
    bins: tuple[Bin, ...]

    def heard(self, rows: Sequence[int] | NDArray[np.int64]) -> TrainingData:
        """Return what is known at the history's end, had just the bins `rows` had a sensor all the time."""
        world = self.world
        start_s, end_s = int(world.start.timestamp()), int(world.history_until.timestamp())
        hours = np.arange(start_s, end_s + 1, HOUR_S)
        ids, at_s, fill = [], [], []
        for row in sorted(int(row) for row in rows):
            # A sensor of a bin says the same, whichever others there are.
            random = np.random.default_rng([world.seed, row])
            heard = hours[random.random(len(hours)) < _HEARD]
            level = world.fill.fractions(np.full(len(heard), row), heard)
            ids += [self.bins[row].place_id] * len(heard)
            at_s.append(heard)
            fill.append(np.clip(level + random.normal(0, _NOISE, len(heard)), 0, 1.2))
        return assemble(
            bins=self.bins,
            levels=LevelTable(
                place_id=np.array(ids, dtype=object),
                measured_at_s=np.concatenate([np.zeros(0, np.int64), *at_s]),
                fill_fraction=np.concatenate([np.zeros(0), *fill]).astype(np.float32),
            ),
            emptyings=[
                Emptying(place_id=item.place_id, emptied_at=item.happened_at, found_fraction=item.found_fraction)
                for item in world.declarations
                if item.kind is ServiceEventKind.EMPTIED
            ],
            as_of=world.history_until,
            time_zone=world.time_zone,
        )

    def truth(self, as_of_s: int, valid_s: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return (bins, moments) the fill at `valid_s` had nobody emptied after `as_of_s`."""
        as_of = datetime.fromtimestamp(as_of_s, UTC)
        moments = (datetime.fromtimestamp(int(moment), UTC) for moment in valid_s)
        return np.stack([self.world.fill_if_not_emptied(as_of, moment) for moment in moments], axis=1)

    def next_emptied_s(self, as_of_s: int) -> NDArray[np.float64]:
        """Return (bins,) when each bin was truly emptied next after `as_of_s`, inf when never."""
        after = (np.append(times[times > as_of_s], np.inf)[0] for times in map(self.world.fill.emptyings_s, self._rows))
        return np.fromiter(after, dtype=np.float64)

    @property
    def _rows(self) -> range:
        return range(len(self.bins))


def commune(*, seed: int, bins: int, days: int) -> Commune:
    """Build a commune on the demo's streets."""
    world = build_world(streets(), seed=seed, start=START, days=days, bins=bins, sensor_share=0.0, bays=0, spaces=0)
    around = read_surroundings(default_extract(), [(item.longitude_deg, item.latitude_deg) for item in world.bins])
    return Commune(
        world=world,
        bins=tuple(replace(item, surroundings=near) for item, near in zip(world.bins, around, strict=True)),
    )


def errors_of(town: Commune, sensored: Sequence[int] | NDArray[np.int64], cut_s: int) -> tuple[float, float]:
    """Return the error in points of the middle for all bins, had `sensored` a sensor; fitted until `cut_s`.

    First over two days in which nobody empties, then only until each bin is truly emptied.
    """
    with threadpool_limits(1):
        return _errors_of(town, town.heard(sensored), cut_s)


def _errors_of(town: Commune, heard: TrainingData, cut_s: int) -> tuple[float, float]:
    model = fit_model(heard.at(cut_s), seed=0)
    everyone = np.arange(len(town.bins))
    errors, before = [], []
    for issue_s in range(cut_s, cut_s + (TEST_H - max(_AHEAD_H)) * HOUR_S, _STEP_H * HOUR_S):
        valid_s = issue_s + np.array(_AHEAD_H) * HOUR_S
        expected = model.outlook(heard.at(issue_s), everyone, valid_s).expected
        truth = town.truth(issue_s, valid_s)
        errors.append(np.abs(np.minimum(expected, 1.0) - np.minimum(truth, 1.0)))
        before.append(valid_s[None, :] < town.next_emptied_s(issue_s)[:, None])
    return float(np.mean(errors) * 100), float(np.mean(np.array(errors)[np.array(before)]) * 100)


def fullest(known: TrainingData, model: FillModel, others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `others` by how full they are when they are emptied, as far as that is known, fullest first."""
    full = np.exp(model.rates.log_rate) / known.volume_l * usual_interval_h(known, 48.0)
    return others[np.argsort(-full[others], kind="stable")]
