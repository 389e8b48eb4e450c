"""Drift as a job: once a day, yesterday's forecasts against what was then measured, stored and said."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from optimise.fill.drift import AHEAD_H, DriftOptions, score_day
from optimise.fill.options import FillOptions
from optimise.fill.training import assemble
from storage import bins, communes, forecast_scores, levels
from storage.database import Connection
from storage.model import ForecastScore

log = structlog.get_logger()

_BEFORE = timedelta(hours=max(AHEAD_H) + 24)


def watch_day(
    connection: Connection, commune_insee: str, *, day: date, options: DriftOptions | None = None
) -> list[ForecastScore]:
    """Score the forecasts of the local `day`, which is over, and store the scores in the caller's transaction."""
    zone = communes.one(connection, commune_insee).time_zone
    since, until = (
        datetime.combine(one, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC) for one in (day, day + timedelta(days=1))
    )
    told = {
        ahead_h: forecast_scores.told_of(connection, commune_insee, since=since, until=until, ahead_h=ahead_h)
        for ahead_h in AHEAD_H
    }
    data = assemble(
        bins=bins.every(connection, commune_insee),
        levels=levels.trusted(connection, commune_insee, since=since - _BEFORE, until=until),
        emptyings=bins.emptyings(connection, commune_insee, since=since - _BEFORE, until=until),
        as_of=until,
        time_zone=zone,
        options=FillOptions().readings,
    )
    scores = score_day(day, told, data, since_s=int(since.timestamp()), options=options or DriftOptions())
    forecast_scores.save(connection, commune_insee, scores)
    _tell(commune_insee, scores)
    return scores


def _tell(commune_insee: str, scores: list[ForecastScore]) -> None:
    for score in scores:
        fields = {
            "commune_insee": commune_insee,
            "day": score.day.isoformat(),
            "ahead_h": score.ahead_h,
            "bin_group": score.bin_group,
            "bins": score.bins,
            "mae_points": score.mae_points,
            "coverage_80": score.coverage_80,
        }
        if score.in_band is False:
            log.warning("forecast_coverage_out_of_band", **fields)
        elif score.bin_group == "all":
            log.info("forecast_scored", **fields)
