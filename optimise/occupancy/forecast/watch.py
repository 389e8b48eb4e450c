"""Drift of the forecasts of bays as a job: once a day, yesterday's against what sensors then said, stored and said."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import structlog

from optimise.fill.readings import Floats
from optimise.occupancy.forecast.drift import BayDriftOptions, score_bay_day
from optimise.occupancy.forecast.loading import load_history, load_town
from storage import bay_scores, communes
from storage.bay_sample import SAMPLED_MIN, BaySample
from storage.database import Connection
from storage.model import BayForecastScore

log = structlog.get_logger()

_AT_ONCE = 500
_HISTORY_DAYS = 3
"""Of these what stands still is told from what is quiet."""
_AFTER = timedelta(minutes=max(SAMPLED_MIN) + 1)


def watch_bay_day(
    connection: Connection, commune_insee: str, *, day: date, options: BayDriftOptions | None = None
) -> list[BayForecastScore]:
    """Score the forecasts of the local `day`, which is over, and store the scores in the caller's transaction."""
    zone = ZoneInfo(communes.one(connection, commune_insee).time_zone)
    since, until = (
        datetime.combine(one, time(), tzinfo=zone).astimezone(UTC) for one in (day, day + timedelta(days=1))
    )
    samples = bay_scores.samples(connection, commune_insee, since=since, until=until)
    came = _came(connection, commune_insee, samples, until=until + _AFTER)
    scores = score_bay_day(day, samples, came, options or BayDriftOptions())
    bay_scores.save(connection, commune_insee, scores)
    bay_scores.forget_samples(connection, commune_insee, before=until)
    _tell(commune_insee, scores)
    return scores


def _came(connection: Connection, commune_insee: str, samples: list[BaySample], *, until: datetime) -> list[Floats]:
    """Return (3, p) for each sample what its bays were then: 1 free, 0 taken, NaN where no sensor says."""
    asked = {place_id for sample in samples for place_id in sample.place_id.tolist()}
    if not asked:
        return [np.full(sample.chance.shape, np.nan) for sample in samples]
    town = load_town(connection, commune_insee, now=until)
    rows = [row for row, place in enumerate(town.places) if place.place_id in asked]
    moments = np.array(
        [int(sample.as_of.timestamp()) + 60 * minutes for sample in samples for minutes in SAMPLED_MIN], dtype=np.int64
    )
    # The last column is for bays that are gone.
    states = np.full((len(moments), len(rows) + 1), np.nan)
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        history, _ = load_history(connection, town, some, until=until, days=_HISTORY_DAYS)
        states[:, start : start + len(some)], _ = history.at(moments)
    column = {town.places[row].place_id: number for number, row in enumerate(rows)}
    found = []
    for number, sample in enumerate(samples):
        steps = slice(number * len(SAMPLED_MIN), (number + 1) * len(SAMPLED_MIN))
        found.append(states[steps, [column.get(place_id, -1) for place_id in sample.place_id.tolist()]])
    return found


def _tell(commune_insee: str, scores: list[BayForecastScore]) -> None:
    for score in scores:
        fields = {
            "commune_insee": commune_insee,
            "day": score.day.isoformat(),
            "ahead_min": score.ahead_min,
            "bay_group": score.bay_group,
            "bays": score.bays,
            "brier": score.brier,
            "mean_chance": score.mean_chance,
            "free_share": score.free_share,
        }
        if score.in_band is False:
            log.warning("bay_forecast_out_of_band", **fields)
        elif score.bay_group == "all":
            log.info("bay_forecast_scored", **fields)
