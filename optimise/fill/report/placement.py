"""Where the next sensors would lower the expected error most. Pure.

A sensor on a bin ends most of that bin's own error, and tells of the rates of bins that are alike or near: the
posterior of a Gaussian process is known before anything is measured. Sensors are chosen one by one, each for what it
lowers beside those chosen before, which for such gains is near the best choice of all of them together.
Sources: Krause, Singh, Guestrin, Near-Optimal Sensor Placements in Gaussian Processes, JMLR 9 (2008); not looking again
at candidates whose gain was small before: Minoux, Accelerated greedy algorithms (1978).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.features import positions_km
from optimise.fill.readings import Floats, Ints
from optimise.fill.report.exposure import Exposure
from storage.model import Bin

_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class PlacementOptions:
    """How many `sensors` to place, at least `apart_m` metres from each other, each heard for `sensor_days`."""

    sensors: int = 10
    apart_m: float = 60.0
    sensor_days: float = 28.0

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if self.sensors < 0:
            raise ValueError(f"expected sensors >= 0, got {self.sensors}")
        if self.apart_m < 0:
            raise ValueError(f"expected apart_m >= 0, got {self.apart_m}")
        if not self.sensor_days > 0:
            raise ValueError(f"expected sensor_days > 0, got {self.sensor_days}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Placed:
    """A sensor on bin `row`: by how many points it lowers the sum of errors, `own` at its bin, `others` elsewhere.

    `helped`: how many other bins err less by at least a tenth of a point.
    """

    row: int
    own: float
    others: float
    helped: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Advice:
    """Bins for the next sensors, best first; errors are means over all bins, in points of fill.

    `error_now` before any of them, `error_after[k]` with the first k + 1.
    """

    placed: tuple[Placed, ...]
    error_now: float
    error_after: tuple[float, ...]


def place_sensors(
    bins: tuple[Bin, ...],
    *,
    covariance: Floats,
    has_sensor: NDArray[np.bool_],
    exposure: Exposure,
    options: PlacementOptions,
) -> Advice:
    """Choose bins for the next sensors; `covariance` (bins, bins) of the log rates, given what is known."""
    chooser = _Chooser(covariance=covariance.copy(), has_sensor=has_sensor.copy(), exposure=exposure)
    where_m = positions_km(bins) * 1000
    free = ~has_sensor
    error_now, placed, after = chooser.mean_error(), [], []
    gain = np.full(len(bins), np.inf)
    for _ in range(options.sensors):
        row = _best(chooser, gain, np.flatnonzero(free))
        if row is None:
            break
        placed.append(chooser.place(row))
        after.append(chooser.mean_error())
        free &= np.linalg.norm(where_m - where_m[row], axis=1) >= options.apart_m
        free[row] = False
    return Advice(placed=tuple(placed), error_now=error_now, error_after=tuple(after))


def _best(chooser: _Chooser, gain: Floats, candidates: Ints) -> int | None:
    """Return the candidate that lowers errors most; `gain` (bins,) are upper bounds, and made exact where looked at."""
    order = candidates[np.argsort(-gain[candidates], kind="stable")]
    best, best_gain = None, 0.0
    for first in range(0, len(order), _AT_ONCE):
        part = order[first : first + _AT_ONCE]
        if gain[part[0]] <= best_gain:
            break
        own, others = chooser.gains(part)
        gain[part] = own + others.sum(axis=1)
        top = int(np.argmax(gain[part]))
        if gain[part[top]] > best_gain:
            best, best_gain = int(part[top]), float(gain[part[top]])
    return best


@dataclass(kw_only=True, eq=False)
class _Chooser:
    """What is known so far; `covariance` and `has_sensor` change with each sensor that is placed."""

    covariance: Floats
    has_sensor: NDArray[np.bool_]
    exposure: Exposure

    def __post_init__(self) -> None:
        self._sensed = self.exposure.sensed_error()

    def errors(self) -> Floats:
        """Return (bins,) the error of each bin, in points."""
        return np.where(
            self.has_sensor, self._sensed, self.exposure.unsensed_error(np.maximum(np.diag(self.covariance), 0.0))
        )

    def mean_error(self) -> float:
        return float(self.errors().mean()) if len(self.has_sensor) else 0.0

    def gains(self, rows: Ints) -> tuple[Floats, Floats]:
        """Return what a sensor on each of `rows` (k,) lowers: at its own bin (k,), and at every other (k, bins)."""
        now, variance = self.errors(), np.diag(self.covariance)
        told = self.covariance[rows] ** 2 / (variance[rows] + self.exposure.sensor_variance[rows])[:, None]
        lower = self.exposure.unsensed_error(np.maximum(variance[None, :] - told, 0.0))
        others = np.where(self.has_sensor[None, :], 0.0, now[None, :] - lower)
        others[np.arange(len(rows)), rows] = 0.0
        return np.maximum(now - self._sensed, 0.0)[rows], others

    def place(self, row: int) -> Placed:
        """Put a sensor on bin `row`."""
        own, others = self.gains(np.array([row]))
        column = self.covariance[:, row].copy()
        self.covariance -= np.outer(column, column) / (column[row] + self.exposure.sensor_variance[row])
        self.has_sensor[row] = True
        return Placed(
            row=row,
            own=float(own[0]),
            others=float(others.sum()),
            helped=int((others[0] >= 0.1).sum()),  # noqa: PLR2004 - a tenth of a point is what a page can show
        )
