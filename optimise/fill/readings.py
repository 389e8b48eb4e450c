"""From raw levels to clean ones: spikes mended, emptyings found, levels and gains put on whole hours. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

HOUR_S = 3600

_GAPS = 3
_MOST_GAP_S = 72 * HOUR_S
_NEAR_S = 3 * HOUR_S
_LAST_FEW = 40


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """What counts as a spike, an emptying, a gap.

    `fall` is the smallest drop of fill that is an emptying rather than noise or settling waste; `left_share` the
    largest share of the old level that an emptying leaves; `max_gap_s` the longest silence across which a level is
    interpolated; `saturated` the level from which a sensor no longer sees what is added.
    """

    fall: float = 0.12
    left_share: float = 0.6
    spike: float = 0.15
    max_gap_s: int = 6 * HOUR_S
    saturated: float = 0.97

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        for name in ("fall", "left_share", "spike"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"expected 0 < {name} < 1, got {getattr(self, name)}")
        if self.max_gap_s < HOUR_S:
            raise ValueError(f"expected max_gap_s >= {HOUR_S}, got {self.max_gap_s}")
        if self.saturated <= 0:
            raise ValueError(f"expected saturated > 0, got {self.saturated}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Readings:
    """Levels in columns of one length n, ordered by bin and time: `bin_row` and `at_s` int64, `fill` float64."""

    bin_row: Ints
    at_s: Ints
    fill: Floats

    def __len__(self) -> int:
        return len(self.bin_row)

    def where(self, keep: NDArray[np.bool_]) -> Readings:
        """Return the readings that `keep` (n,) marks."""
        return Readings(bin_row=self.bin_row[keep], at_s=self.at_s[keep], fill=self.fill[keep])


@dataclass(frozen=True, kw_only=True, eq=False)
class HourlyLevels:
    """`level` (bins, hours + 1): fill at each hour mark; `gained` (bins, hours): fill gained in each hour.

    NaN where it was not measured: silence, an emptying within the hour, a saturated sensor (gains only).
    """

    level: NDArray[np.float32]
    gained: NDArray[np.float32]


def ordered_key(bin_row: Ints, at_s: Ints) -> Ints:
    """Return one sortable number (n,) per (bin, time); times are Unix seconds below 2**34."""
    return (bin_row << 34) + at_s


def mend_spikes(readings: Readings, *, spike: float) -> Readings:
    """Replace single readings that leave their two like neighbours by more than `spike`.

    A running median would also shave the last reading before each emptying, and with it every rate.
    """
    fill = readings.fill.copy()
    if len(fill) > 2:  # noqa: PLR2004 - a reading and two neighbours
        before, here, after = readings.fill[:-2], readings.fill[1:-1], readings.fill[2:]
        together = (readings.bin_row[:-2] == readings.bin_row[2:]) & (np.abs(before - after) < spike)
        middle = (before + after) / 2
        lone = together & (np.abs(here - middle) > spike)
        fill[1:-1][lone] = middle[lone]
    return Readings(bin_row=readings.bin_row, at_s=readings.at_s, fill=fill)


def find_emptyings(readings: Readings, options: ReadingOptions) -> tuple[Ints, Ints]:
    """Return bin rows and times of the falls that must be emptyings: large, and the level stays low afterwards.

    The time is the first reading after the fall: nothing says when in the silence before it the crew came.
    """
    fill, row = readings.fill, readings.bin_row
    if len(fill) < 2:  # noqa: PLR2004 - a fall takes two readings
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    same = row[1:] == row[:-1]
    before, after = fill[:-1], fill[1:]
    fell = same & (before - after >= options.fall) & (after <= options.left_share * before)
    next_fill = np.append(after[1:], np.nan)
    next_same = np.append(row[2:] == row[1:-1], False)
    stays = ~next_same | (next_fill <= before - options.fall / 2)
    found = np.flatnonzero(fell & stays) + 1
    return row[found], readings.at_s[found]


def usual_gap_s(readings: Readings, bins: int) -> Floats:
    """Return (bins,) the median time between the last readings of each bin, 0 without two of them."""
    result = np.zeros(bins)
    end = np.searchsorted(readings.bin_row, np.arange(bins), side="right")
    count = np.minimum(end - np.searchsorted(readings.bin_row, np.arange(bins)), _LAST_FEW)
    for few in np.unique(count[count > 1]):
        rows = np.flatnonzero(count == few)
        times = readings.at_s[end[rows, None] - np.arange(few, 0, -1)]
        result[rows] = np.median(np.diff(times, axis=1), axis=1)
    return result


def on_hours(
    readings: Readings,
    *,
    emptied_row: Ints,
    emptied_s: Ints,
    bins: int,
    start_s: int,
    hours: int,
    options: ReadingOptions,
) -> HourlyLevels:
    """Interpolate levels at `start_s` + k hours, never across an emptying or a silence longer than `max_gap_s`.

    Of a sensor that speaks more seldom, gains are read across up to three of its usual gaps, but levels, by which
    forecasts are judged, only within some hours of what it said.
    """
    level = np.full((bins, hours + 1), np.nan, dtype=np.float32)
    gained = np.full((bins, hours), np.nan, dtype=np.float32)
    if len(readings) < 2:  # noqa: PLR2004 - a line takes two points
        return HourlyLevels(level=level, gained=gained)
    key = ordered_key(readings.bin_row, readings.at_s)
    step_s = np.diff(readings.at_s)
    longest_s = np.maximum(options.max_gap_s, np.minimum(_GAPS * usual_gap_s(readings, bins), _MOST_GAP_S))
    unbroken = (np.diff(readings.bin_row) == 0) & (step_s > 0) & (step_s <= longest_s[readings.bin_row[1:]])
    # An emptying between readings i and i + 1 breaks that step; one at the very reading i + 1 was found by its fall.
    emptied = np.searchsorted(key, ordered_key(emptied_row, emptied_s), side="left")
    inside = (emptied > 0) & (emptied < len(key))
    unbroken[emptied[inside] - 1] = False
    broken_before = np.concatenate([[0], np.cumsum(~unbroken)])  # broken steps among the first i
    sensored = np.unique(readings.bin_row)
    marks_s = start_s + np.arange(hours + 1, dtype=np.int64) * HOUR_S
    marks = ordered_key(sensored[:, None], marks_s[None, :])
    step = np.clip(np.searchsorted(key, marks, side="right") - 1, 0, len(key) - 2)
    # A mark exactly on a bin's last reading belongs to the step before it.
    at_end = (key[step] == marks) & ~unbroken[step] & (step > 0)
    step = np.where(at_end, step - 1, step)
    inside_step = (key[step] <= marks) & (marks <= key[step + 1]) & unbroken[step]
    share = (marks - key[step]) / np.maximum(step_s[step], 1)
    value = readings.fill[step] + share * (readings.fill[step + 1] - readings.fill[step])
    at_mark = np.where(inside_step, value, np.nan)
    aside = np.minimum(marks - key[step], key[step + 1] - marks)
    level[sensored] = np.where((step_s[step] <= options.max_gap_s) | (aside <= _NEAR_S), at_mark, np.nan)
    continuous = broken_before[step[:, 1:] + 1] - broken_before[step[:, :-1]] == 0
    # Saturation is judged by the hour's first level: judging by the last would discard just the hours that gained most.
    seen = continuous & (at_mark[:, :-1] < options.saturated)
    gained[sensored] = np.where(seen, np.diff(at_mark, axis=1), np.nan)
    return HourlyLevels(level=level, gained=gained)
