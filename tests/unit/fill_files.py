"""A town's file of levels as other towns write them: bins of two kinds that fill by lumps, emptied every few days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

START_S = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp())
RATES = {"street": 0.03, "park": 0.004}


def levels(
    *,
    bins: int = 12,
    days: int = 60,
    every_h: int = 3,
    seed: int = 0,
    places: bool = True,
    step: float = 0.01,
    busy: np.ndarray | None = None,
) -> list[str]:
    """Return the lines of a file of levels; `busy` (days,) is a factor of what comes on each day."""
    rng = np.random.default_rng(seed)
    lines = ["bin_id,measured_at,fill_percent" + (",lon,lat,kind,volume_l" if places else "")]
    hours = np.arange(0, days * 24, every_h)
    factor = np.ones(len(hours)) if busy is None else busy[hours // 24]
    for row in range(bins):
        kind = "park" if row % 3 == 0 else "street"
        lon, lat = 2.5 + rng.normal(0, 0.005), 48.8 + rng.normal(0, 0.005)
        place = f",{lon:.5f},{lat:.5f},{kind},120" if places else ""
        level = _levels(rng, RATES[kind] * rng.lognormal(0, 0.6) * factor, every_h)
        for hour, fill in zip(hours, np.round(level / step) * step, strict=True):
            lines.append(f"b{row},{_text(START_S + int(hour) * 3600)},{100 * fill:.0f}{place}")
    return lines


def emptyings(*, bins: int = 12, days: int = 120, seed: int = 0) -> list[str]:
    """Return the lines of a file of emptyings, with what crews found in quarters."""
    rng = np.random.default_rng(seed)
    lines = ["bin_id;emptied_at;fill_percent;kind"]
    for row in range(bins):
        kind = "park" if row % 3 == 0 else "street"
        rate, hour = RATES[kind] * rng.lognormal(0, 0.6), 0
        while hour < days * 24:
            passed = 24 * int(rng.integers(1, 4))
            hour += passed
            found = min(rate * passed * rng.lognormal(0, 0.3), 1.0)
            lines.append(f"b{row};{_text(START_S + hour * 3600)};{25 * round(4 * found)};{kind}")
    return lines


def _levels(rng: np.random.Generator, rate: np.ndarray, every_h: int) -> np.ndarray:
    gained = rng.gamma(rate * every_h / 0.03, 0.03)
    level, every = 0.0, 24 * int(rng.integers(1, 5)) // every_h
    found = np.empty(len(rate))
    for index, gain in enumerate(gained):
        level = 0.0 if index % every == 0 else min(level + gain, 1.0)
        found[index] = level
    return found


def _text(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def numbered(lines: list[str]) -> Iterator[str]:
    """Return the lines as an open file gives them."""
    return (f"{line}\n" for line in lines)
