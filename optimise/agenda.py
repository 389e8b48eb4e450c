"""What is due in a commune: a new model, forecast or plan. The worker asks every minute, by the commune's own clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_LATE = timedelta(hours=2)

_LATEST_START = time(6, 0)
"""Until this local hour a missing plan for the day itself is still worth making: rounds start about then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgendaOptions:
    """A forecast older than `every_h` hours is stale; plans and models are made from local times of the day on."""

    every_h: float = 6.0
    plan_at: time = time(18, 0)
    train_at: time = time(3, 0)

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if self.every_h <= 0:
            raise ValueError(f"expected every_h > 0, got {self.every_h}")


def forecast_is_due(*, now: datetime, latest_as_of: datetime | None, options: AgendaOptions) -> bool:
    """Whether the newest forecast (made of data until `latest_as_of`) is missing or too old at `now` (UTC)."""
    return latest_as_of is None or now - latest_as_of >= timedelta(hours=options.every_h)


def bays_are_due(*, now: datetime, latest_as_of: datetime | None, every_min: float) -> bool:
    """Whether the newest forecast of bays is missing, older than `every_min` minutes, or of a clock that went back."""
    return latest_as_of is None or not timedelta(0) <= now - latest_as_of < timedelta(minutes=every_min)


def training_is_due(*, now: datetime, time_zone: str, latest_as_of: datetime | None, options: AgendaOptions) -> bool:
    """Whether no model was trained (up to `latest_as_of`) since `train_at` last came by at `now` (UTC)."""
    if latest_as_of is None:
        return True
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    moments = (datetime.combine(today - timedelta(days=ago), options.train_at, tzinfo=zone) for ago in (0, 1))
    return latest_as_of < next(moment for moment in moments if moment <= now)


def score_due_for(*, now: datetime, time_zone: str, latest_day: date | None) -> date | None:
    """Return the local day that is over and whose forecasts nobody judged yet, None when there is none.

    Sensors store and send later: a day is judged from two hours after its end on.
    """
    yesterday = (now.astimezone(ZoneInfo(time_zone)) - _LATE).date() - timedelta(days=1)
    return yesterday if latest_day is None or latest_day < yesterday else None


def plan_due_for(*, now: datetime, time_zone: str, planned: Collection[date], options: AgendaOptions) -> date | None:
    """Return the local day whose rounds should be planned at `now` (UTC), None when no plan is due.

    From `plan_at` on it is tomorrow; before the rounds start it is today, when the evening's plan was missed.
    """
    local = now.astimezone(ZoneInfo(time_zone))
    if local.time() >= options.plan_at:
        day = local.date() + timedelta(days=1)
    elif local.time() < _LATEST_START:
        day = local.date()
    else:
        return None
    return None if day in planned else day
