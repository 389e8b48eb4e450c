"""From hours to what people plan by: how full by each day's rounds, and when a bin will be full. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from optimise.fill.readings import Floats, Ints
from storage.model import Vehicle

SHARES = (0.1, 0.5, 0.9)
"""The probabilities of being full at which a bin's date of full is told."""

_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Rounds:
    """The rounds of one local day, as far as one moment can say when they come by."""

    service_date: date
    at: datetime


def usual_hour(vehicles: Sequence[Vehicle], *, otherwise: time) -> time:
    """Return the local hour in the middle of the vehicles' shifts; `otherwise` in a town that has told of none."""
    middles = [_middle_minute(vehicle.shift_from, vehicle.shift_until) for vehicle in vehicles]
    if not middles:
        return otherwise
    minute = round(sum(middles) / len(middles)) % _DAY_MINUTES
    return time(minute // 60, minute % 60)


def _middle_minute(begin: time, end: time) -> float:
    first, last = (moment.hour * 60 + moment.minute for moment in (begin, end))
    return (first + (last if last > first else last + _DAY_MINUTES)) / 2


def rounds_ahead(*, since: datetime, until: datetime, at: time, time_zone: str) -> list[Rounds]:
    """Return the rounds that come by at the local hour `at` within (since, until], in order."""
    zone = ZoneInfo(time_zone)
    day, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    found = []
    while day <= last:
        moment = datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
        if since < moment <= until:
            found.append(Rounds(service_date=day, at=moment))
        day += timedelta(days=1)
    return found


def at_moments(values: Floats, valid_s: Ints, wanted_s: Ints) -> Floats:
    """Return `values` (bins, times, ...) at ascending `valid_s` (times,), read between them at `wanted_s` (m,).

    Before the first time its value holds: what only grows was at most that.
    """
    index = np.clip(np.searchsorted(valid_s, wanted_s, side="right") - 1, 0, max(len(valid_s) - 2, 0))
    after = np.minimum(index + 1, len(valid_s) - 1)
    span = np.maximum(valid_s[after] - valid_s[index], 1)
    share = np.clip((wanted_s - valid_s[index]) / span, 0.0, 1.0).reshape(-1, *(1,) * (values.ndim - 2))
    result: Floats = values[:, index] * (1 - share) + values[:, after] * share
    return result


def full_dates(probability_full: Floats, valid_s: Ints) -> Floats:
    """Return (bins, 3) Unix seconds at which the probability of being full reaches `SHARES`; NaN: not within the times.

    `probability_full` (bins, times) never falls along ascending `valid_s` (times,), so that these are quantiles of the
    time at which the bin becomes full. A bin that is full at the first time was so by then.
    """
    dates = np.full((len(probability_full), len(SHARES)), np.nan)
    if not len(valid_s):
        return dates
    rows = np.arange(len(probability_full))
    for column, share in enumerate(SHARES):
        reached = probability_full >= share
        first = reached.argmax(axis=1)
        before = np.maximum(first - 1, 0)
        low, high = probability_full[rows, before], probability_full[rows, first]
        part = np.where(first > 0, (share - low) / np.maximum(high - low, 1e-12), 1.0)
        moment = valid_s[before] + np.clip(part, 0.0, 1.0) * (valid_s[first] - valid_s[before])
        dates[:, column] = np.where(reached.any(axis=1), moment, np.nan)
    return dates
