"""How a day's forecasts of bays held against what their sensors then said. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats
from optimise.occupancy.trial.scores import calibration_error
from storage.bay_sample import SAMPLED_MIN, BaySample
from storage.model import BayForecastScore

_FEWEST_BAYS = 10
_SURE = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class BayDriftOptions:
    """Mean chance and the share that came free agree within `band`, or within three standard errors over bays."""

    band: float = 0.05

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if not 0 < self.band < 1:
            raise ValueError(f"expected 0 < band < 1, got {self.band}")


def score_bay_day(
    day: date, samples: Sequence[BaySample], came: Sequence[Floats], options: BayDriftOptions
) -> list[BayForecastScore]:
    """Return the scores of a local day's `samples`; `came` has (3, p) for each: 1 free, 0 taken then, NaN unknown."""
    scores = []
    for step, ahead_min in enumerate(SAMPLED_MIN):
        chance, free, before = (
            np.concatenate([np.empty(0), *columns])
            for columns in (
                [one.chance[step] for one in samples],
                [one[step] for one in came],
                [one.free for one in samples],
            )
        )
        known = np.isfinite(free)
        names = _joined([one.place_id for one in samples])[known]
        told = _Told(chance=chance[known], free=free[known], before=before[known], bay=names)
        evidence, use = (_joined([getattr(one, name) for one in samples])[known] for name in ("evidence", "use"))
        scores += [_score(day, ahead_min, group, told.where(rows), options) for group, rows in _groups(evidence, use)]
    return scores or [BayForecastScore(day=day, ahead_min=SAMPLED_MIN[0], bay_group="all", answers=0, bays=0)]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Told:
    """(n,) each: chances, what came, the state before (NaN: not known), and whose bay it is."""

    chance: Floats
    free: Floats
    before: Floats
    bay: NDArray[np.object_]

    def where(self, rows: NDArray[np.bool_]) -> _Told:
        return _Told(chance=self.chance[rows], free=self.free[rows], before=self.before[rows], bay=self.bay[rows])


def _joined(columns: Sequence[NDArray[np.object_]]) -> NDArray[np.object_]:
    return np.concatenate([np.empty(0, dtype=object), *columns])


def _groups(evidence: NDArray[np.object_], use: NDArray[np.object_]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each group's name and which of the answers (n,) are in it; none where there is no answer."""
    if not len(evidence):
        return
    yield "all", np.ones(len(evidence), dtype=bool)
    for title, values in (("evidence", evidence), ("use", use)):
        for name in sorted(set(values.tolist())):
            yield f"{title}:{name}", values == name


def _score(day: date, ahead_min: int, group: str, told: _Told, options: BayDriftOptions) -> BayForecastScore:
    off = told.chance - told.free
    _, owner = np.unique(told.bay.astype(str), return_inverse=True)
    by_bay = np.bincount(owner, weights=off) / np.bincount(owner)
    in_band = None
    if len(by_bay) >= _FEWEST_BAYS:
        # Answers of one bay are right or wrong together: bays are what chance is counted in.
        noise = float(by_bay.std(ddof=1)) / np.sqrt(len(by_bay))
        in_band = bool(abs(off.mean()) <= max(options.band, _SURE * noise))
    persisted = np.isfinite(told.before)
    return BayForecastScore(
        day=day,
        ahead_min=ahead_min,
        bay_group=group,
        answers=len(off),
        bays=len(by_bay),
        brier=float(np.mean(off**2)),
        brier_persistence=float(np.mean((told.before - told.free)[persisted] ** 2)) if persisted.any() else None,
        mean_chance=float(told.chance.mean()),
        free_share=float(told.free.mean()),
        calibration_error=calibration_error(told.chance, told.free > 0),
        in_band=in_band,
    )
