"""What is kept, why and how long: the table that drives forgetting and that can be published. Pure.

Days are UTC days of the commune's own clock, counting today: of readings kept 31 days there are today's and those of
the 30 days before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

_DAY = timedelta(days=1)
_LEAST_OCCUPANCY_DAYS = 7
"""Occupancy needs its neighbours, up to 30 hours away on either side, and its figures are kept two days ahead."""
_LEAST_CHECKS_DAYS = 367
"""The database itself refuses to delete what officers told within a year."""

_LEAST_AUDIT_DAYS = 181
"""The database itself refuses to delete notes of the audit trail within 180 days."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionOptions:
    """Days for which each kind of data is kept, today included.

    `intake_ledger_days`: then a day of the ledger becomes one row. `statistics_days`: hourly figures and emptyings.
    """

    fill_readings_days: int = 400
    occupancy_readings_days: int = 31
    sessions_days: int = 31
    device_events_days: int = 400
    refused_messages_days: int = 90
    intake_ledger_days: int = 7
    forecasts_days: int = 14
    alerts_days: int = 400
    checks_days: int = 400
    audit_days: int = 1096
    names_days: int = 1096
    statistics_days: int = 1826

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise ValueError(f"expected {field.name} >= 1, got {getattr(self, field.name)}")
        if self.occupancy_readings_days < _LEAST_OCCUPANCY_DAYS:
            raise ValueError(
                f"expected occupancy_readings_days >= {_LEAST_OCCUPANCY_DAYS}, got {self.occupancy_readings_days}"
            )
        if self.audit_days < _LEAST_AUDIT_DAYS:
            raise ValueError(f"expected audit_days >= {_LEAST_AUDIT_DAYS}, got {self.audit_days}")
        if self.checks_days < _LEAST_CHECKS_DAYS:
            raise ValueError(f"expected checks_days >= {_LEAST_CHECKS_DAYS}, got {self.checks_days}")
        for name in ("fill_readings_days", "occupancy_readings_days", "sessions_days"):
            if getattr(self, name) > self.statistics_days:
                raise ValueError(
                    f"expected {name} <= statistics_days ({self.statistics_days}), got {getattr(self, name)}"
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One kind of data: `tables` are what `name` is made of (queries `forget_*`), `days` the option that rules it.

    `figures_ahead`: its hourly figures are kept, this much before it goes. `by_wall_clock`: its times are the server's,
    also in a commune with a clock of its own. `names_only`: the rows stay; the names and comments in them go.
    """

    name: str
    days: str
    why: str
    tables: tuple[str, ...]
    figures_ahead: timedelta | None = None
    by_wall_clock: bool = False
    names_only: bool = False


KINDS: tuple[Kind, ...] = (
    Kind(
        name="fill_reading",
        days="fill_readings_days",
        why="forecasts learn from them, and a year can be compared with the last; nobody is behind a bin's level",
        tables=("fill_reading", "reviewed_level", "displaced_fill"),
        figures_ahead=timedelta(0),
    ),
    Kind(
        name="occupancy_reading",
        days="occupancy_readings_days",
        why="single stays of vehicles: only as long as limits are checked and figures are made of them",
        tables=("occupancy_reading", "displaced_occupancy"),
        # What lasts into the first hour after the kept ones began up to 30 hours before it (sql/time_series).
        figures_ahead=timedelta(days=2),
    ),
    Kind(
        name="occupancy_session",
        days="sessions_days",
        why="single stays of vehicles: only as long as they are checked, and hourly figures can be made of them",
        tables=("occupancy_session",),
        figures_ahead=timedelta(0),
    ),
    Kind(
        name="device_event",
        days="device_events_days",
        why="the devices' health over a year: batteries, radio, restarts",
        tables=("device_event", "device_day"),
    ),
    Kind(
        name="refused_message",
        days="refused_messages_days",
        why="to be replayed once the device is registered or the decoder corrected",
        tables=("refused_message",),
    ),
    Kind(
        name="intake_batch",
        days="intake_ledger_days",
        why="the ledger of single commits, to look into a loss; its sums are kept for good",
        tables=("intake_batch",),
        by_wall_clock=True,
    ),
    Kind(
        name="forecast_run",
        days="forecasts_days",
        why="plans keep their own reasons, so that only recent runs (some 20,000 rows each) are looked at again",
        tables=("forecast_run",),
    ),
    Kind(
        name="alert",
        days="alerts_days",
        why="closed alerts, to compare a year with the last; open ones stay",
        tables=("alert",),
    ),
    Kind(
        name="kerb_check_event",
        days="checks_days",
        why="what officers told of checks, for who answers for it; no vehicle is in it, and a role instead of a name",
        tables=("kerb_check_event",),
        by_wall_clock=True,
    ),
    Kind(
        name="audit_note",
        days="audit_days",
        why="who changed accounts, imports and settings, for who answers for it; the seals of what is gone stay",
        tables=("audit_note",),
        by_wall_clock=True,
    ),
    Kind(
        name="names",
        days="names_days",
        why="who planned, told and mounted what, for who answers for it; then the records stay without a name",
        tables=("plan_version", "plan_audit", "plan_request", "device_change", "service_event", "vehicle_event"),
        names_only=True,
    ),
    Kind(
        name="statistics",
        days="statistics_days",
        why="hourly figures, emptyings, how forecasts held; no single stay is seen in them: the observatory's years",
        tables=(
            "fill_hourly_kept",
            "occupancy_hourly_kept",
            "session_hourly_kept",
            "kerb_day",
            "kerb_month",
            "kerb_street_day",
            "kerb_street_month",
            "kerb_hour",
            "kerb_place_span",
            "kerb_hour_span",
            "detected_emptying",
            "declared_check",
            "forecast_score",
            "bay_forecast_score",
        ),
    ),
)

KEPT_FOR_GOOD: Mapping[str, str] = {
    "what the town is": (
        "commune simulation place bin delivery_bay parking_space kerb_place rule_set former_round "
        "disposal_site vehicle device mounting broker_credential broker_secret bin_rule vehicle_rule disposal_rule"
    ),
    "what was decided and declared, for who answers for it": (
        "plan plan_version plan_audit plan_request planned_route planned_stop plan_left_out service_event "
        "service_withdrawal vehicle_event vehicle_day device_change audit_entry audit_salt fill_model bay_model "
        "town_event day_weather kerb_advice"
    ),
    "who may come in, until somebody ends it or its time is over": (
        "account account_grant account_identity territory territory_commune territory_grant "
        "api_key login_session login_failure login_half second_factor "
        "broker_credential broker_secret"
    ),
    "one row for each place, device or piece of work, replaced": (
        "bin_level broker_line device_health review_due session_due occupancy_present forgotten observatory "
        "kerb_check kerb_change stay_law "
        "bay_usual bay_forecast_run bay_forecast bay_group_forecast"
    ),
    "while a vehicle is on the road, and an hour longer": "vehicle_position",
    "until the day is over, and its forecasts are judged": "bay_forecast_sample",
}
"""Tables that nothing is forgotten of, by reason. Rows of forecasts go with their run."""


def forgotten_before(kind: Kind, options: RetentionOptions, *, now: datetime) -> datetime:
    """Return the moment before which a commune whose clock says `now` keeps nothing of `kind`; a UTC midnight."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days: int = getattr(options, kind.days)
    return today - (days - 1) * _DAY
