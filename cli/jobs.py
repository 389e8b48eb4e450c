"""The work behind the worker's jobs and the commands on demand: review, forecast and plan a commune."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from config.settings import Settings
from optimise.agenda import AgendaOptions, forecast_is_due, plan_due_for
from storage import communes, forecasts, plans
from storage.database import Connection, connect
from storage.model import Commune, ForecastRun, Plan, StopKind

log = structlog.get_logger()

_FORECASTS_KEPT = timedelta(days=14)


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """What a commune needs at its present `now` (None: its simulated history is still being published)."""

    now: datetime | None
    forecast: bool = False
    plan_for: date | None = None


class Jobs:
    """Reviews, forecasts and plans for the communes of one database."""

    def __init__(self, *, settings: Settings, database_url: str) -> None:
        self._settings = settings
        self._database_url = database_url
        self._agenda = AgendaOptions(every_h=settings.forecast.every_h, plan_at=settings.rounds.plan_at)

    def connect(self) -> Connection:
        """Open a connection of the jobs' own; each job says what is one transaction."""
        return connect(self._database_url, application="voirie worker", autocommit=True)

    def due(self, connection: Connection, commune: Commune) -> Due:
        """Return what the commune needs now, by its own clock."""
        now = present(connection, commune.commune_insee)
        if now is None:
            return Due(now=None)
        run = forecasts.latest_run(connection, commune.commune_insee, at=now)
        latest_as_of = None if run is None else run.as_of
        return Due(
            now=now,
            forecast=forecast_is_due(now=now, latest_as_of=latest_as_of, options=self._agenda),
            plan_for=plan_due_for(
                now=now,
                time_zone=commune.time_zone,
                planned=plans.planned_dates(connection, commune.commune_insee, since=now.date()),
                options=self._agenda,
            ),
        )

    def forecast(self, connection: Connection, commune_insee: str, *, as_of: datetime) -> ForecastRun:
        """Train and forecast with the data until `as_of`; stored when the call returns."""
        from optimise.fill.job import forecast_commune

        # What is not trusted must not teach.
        self.review(connection, commune_insee, now=as_of, wait=True)
        with connection.transaction():
            run = forecast_commune(
                connection,
                commune_insee,
                as_of=as_of,
                horizon_h=self._settings.forecast.horizon_h,
                seed=self._settings.forecast.seed,
                progress=lambda stage, share: log.info(
                    "forecast_progress", commune=commune_insee, text=f"{stage} {share:.0%}"
                ),
            )
            # A run is some 50,000 rows. Plans keep their own reasons, so that only recent runs are looked at again.
            forecasts.forget(connection, commune_insee, before=as_of - _FORECASTS_KEPT)
        log.info(
            "forecast_made",
            commune=commune_insee,
            as_of=run.as_of,
            run=str(run.run_id),
            bins=run.scores["bins"],
            bins_with_sensor=run.scores["bins_with_sensor"],
        )
        return run

    def review(self, connection: Connection, commune_insee: str, *, now: datetime, wait: bool = False) -> None:
        """Judge what was measured since the last review, and open and close alerts; stored when the call returns."""
        from ingest.reviewer import review_commune

        review_commune(connection, commune_insee, now=now, wait=wait)

    def plan(self, connection: Connection, commune_insee: str, *, service_date: date, as_of: datetime) -> Plan:
        """Plan the rounds of a day; stored when the call returns, and only if the checker accepts them."""
        from cli.wiring import planner_options
        from optimise.rounds.planner import plan_day

        plan = plan_day(
            connection,
            commune_insee,
            service_date=service_date,
            as_of=as_of,
            options=planner_options(self._settings),
            progress=lambda event: log.info(
                "plan_progress", commune=commune_insee, text=f"{event.phase}: {event.detail}", cost_eur=event.cost_eur
            ),
        )
        log.info(
            "plan_made",
            commune=commune_insee,
            service_date=plan.service_date,
            plan=str(plan.plan_id),
            routes=len(plan.routes),
            stops=sum(stop.kind is StopKind.BIN for route in plan.routes for stop in route.stops),
            left_out=len(plan.left_out),
            distance_m=round(plan.distance_m),
        )
        return plan


def present(connection: Connection, commune_insee: str) -> datetime | None:
    """Return the commune's now, None while a simulated commune's history is still being published."""
    simulation = communes.simulation(connection, commune_insee)
    if simulation is not None and not simulation.history_published:
        return None
    return communes.clock(connection, commune_insee).now().replace(microsecond=0)
