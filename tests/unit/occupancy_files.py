"""Files of free or taken places as other towns write them: car parks with days and nights, and single bays."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

MADRID = ZoneInfo("Europe/Madrid")
START_S = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp())


def counts(
    *, places: int = 8, days: int = 42, every_min: int = 20, seed: int = 0, start_s: int = START_S
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return moments (t,), free places (places, t) and capacities (places,) of car parks that fill by day."""
    rng = np.random.default_rng(seed)
    at_s = start_s + 60 * every_min * np.arange(days * 24 * 60 // every_min)
    hour = (at_s / 3600) % 24
    weekend = (at_s // 86400 - 4) % 7 >= 5
    capacity = rng.integers(40, 300, places)
    free = np.empty((places, len(at_s)), dtype=np.int64)
    for row in range(places):
        busy = np.exp(-(((hour - 13 - rng.normal(0, 1)) / 4) ** 2)) * np.where(weekend, 0.4, 0.9)
        mood = np.zeros(len(at_s))
        for step in range(1, len(at_s)):
            mood[step] = 0.85 * mood[step - 1] + rng.normal(0, 0.03)
        free[row] = np.clip(np.round(capacity[row] * (0.98 - busy + mood)), 0, capacity[row])
    return at_s, free, capacity


def lines_of(at_s: np.ndarray, free: np.ndarray, capacity: np.ndarray, *, of_taken: bool = False) -> list[str]:
    """Return the lines of a file with a row for each reading, in UTC."""
    lines = ["place_id,observed_at,occupied,capacity" if of_taken else "place_id,observed_at,free,capacity"]
    for row in range(len(free)):
        for when, value in zip(at_s, free[row], strict=True):
            lines.append(f"p{row},{text(int(when))},{capacity[row] - value if of_taken else value},{capacity[row]}")
    return lines


def bays(*, places: int = 12, days: int = 30, seed: int = 0) -> list[str]:
    """Return the lines of bay sensors that tell changes alone: stays of about an hour by day, longer ones by night."""
    rng = np.random.default_rng(seed)
    lines = ["place_id;observed_at;occupied"]
    for row in range(places):
        at_s, taken = float(START_S), False
        while at_s < START_S + days * 86400:
            lines.append(f"b{row};{text(int(at_s))};{'occupied' if taken else 'free'}")
            by_day = 7 <= (at_s / 3600) % 24 < 20
            usual_h = (0.9 if taken else 0.5) if by_day else (1.5 if taken else 3.0)
            at_s += max(60.0, rng.exponential(3600 * usual_h))
            taken = not taken
    return lines


def text(at_s: int) -> str:
    """Return Unix seconds as text in UTC."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
