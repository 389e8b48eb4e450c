"""When each kind of job comes next: by its own rhythm, or by the agenda that the worker follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from storage.operation import JobSummary


@dataclass(frozen=True, kw_only=True, slots=True)
class Rhythm:
    """The worker's agenda: forecasts each `forecast_every_h` hours, models and plans at local times of the day."""

    forecast_every_h: float = 6.0
    train_at: time = time(3, 0)
    plan_at: time = time(18, 0)


def next_of(
    job: JobSummary, *, rhythm: Rhythm, now: datetime, zone: ZoneInfo, forecast_as_of: datetime | None
) -> datetime | None:
    """Return when a job comes next, as far as that is known; work of a commune by its clock (`now`), the rest by ours.

    `forecast_as_of`: of which moment the commune's newest forecast is.
    """
    if job.task_name == "forecast":
        return None if forecast_as_of is None else forecast_as_of + timedelta(hours=rhythm.forecast_every_h)
    at = {"train": rhythm.train_at, "train_bays": rhythm.train_at, "plan": rhythm.plan_at}.get(job.task_name)
    if at is not None:
        return next_time(at, now=now, zone=zone)
    if job.periodic_at is None or not job.period_s:
        return None
    return job.periodic_at + timedelta(seconds=job.period_s)


def next_time(at: time, *, now: datetime, zone: ZoneInfo) -> datetime:
    """Return when it is next `at` in `zone`, after `now`; UTC's instant, whatever the season."""
    today = now.astimezone(zone).date()
    days = (datetime.combine(today + timedelta(days=ahead), at, tzinfo=zone) for ahead in (0, 1))
    return next(moment for moment in days if moment > now)
