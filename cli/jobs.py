"""The work behind the worker's jobs and commands: review, sessions, train, forecast, plan, forget what is old."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from config.settings import Settings
from optimise.agenda import AgendaOptions, bays_are_due, forecast_is_due, plan_due_for, score_due_for, training_is_due
from storage import (
    bay_forecasts,
    bay_models,
    communes,
    fill_models,
    forecast_scores,
    forecasts,
    observatory,
    plan_requests,
    plans,
    readings,
    refusals,
    retention,
    stay_laws,
)
from storage.database import Connection, connect
from storage.errors import InputError, PlanRefusedError
from storage.model import BayForecastRun, Commune, ForecastRun, Plan, RequestState, StopKind, TrainedModel

if TYPE_CHECKING:
    from optimise.rounds.warm_streets import WarmStreets

log = structlog.get_logger()

_PROGRESS = logging.INFO
_TOO_FAST_TO_BE_LATE = 30
"""Where a simulated hour lasts two minutes, a second between two looks is no lateness of anybody's."""
_WORTH_TELLING = 1000
"""So many places at once are the first sessions of a history, which takes minutes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """What a commune needs at its present `now` (None: its simulated history is still being published)."""

    now: datetime | None
    training: bool = False
    forecast: bool = False
    score_for: date | None = None
    plan_for: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DayOrders:
    """What somebody told for one plan: bins to serve and to leave, OpenStreetMap's ids of ways that are closed."""

    serve: frozenset[str] = frozenset()
    leave: frozenset[str] = frozenset()
    close: frozenset[int] = frozenset()


class Jobs:
    """Reviews, forecasts and plans for the communes of one database."""

    def __init__(self, *, settings: Settings, database_url: str) -> None:
        self._settings = settings
        self._database_url = database_url
        self._streets: WarmStreets | None = None
        self._agenda = AgendaOptions(
            every_h=settings.forecast.every_h, plan_at=settings.rounds.plan_at, train_at=settings.forecast.train_at
        )

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
            training=training_is_due(
                now=now,
                time_zone=commune.time_zone,
                latest_as_of=fill_models.latest_as_of(connection, commune.commune_insee, at=now),
                options=self._agenda,
            ),
            forecast=forecast_is_due(now=now, latest_as_of=latest_as_of, options=self._agenda),
            # Without a run there is nothing to judge.
            score_for=None
            if run is None
            else score_due_for(
                now=now,
                time_zone=commune.time_zone,
                latest_day=forecast_scores.latest_day(connection, commune.commune_insee),
            ),
            plan_for=plan_due_for(
                now=now,
                time_zone=commune.time_zone,
                planned=plans.planned_dates(connection, commune.commune_insee, since=now.date()),
                options=self._agenda,
            ),
        )

    def train(
        self,
        connection: Connection,
        commune_insee: str,
        *,
        as_of: datetime,
        progress: Callable[[str, float], None] | None = None,
    ) -> TrainedModel:
        """Train a model with the data until `as_of`; in the registry when the call returns, in service or refused."""
        from optimise.fill.registry import train_commune

        # What is not trusted must not teach.
        self.review(connection, commune_insee, now=as_of, wait=True)
        with connection.transaction():
            return train_commune(
                connection,
                commune_insee,
                as_of=as_of,
                seed=self._settings.forecast.seed,
                progress=progress or _logged_progress(commune_insee),
            )

    def forecast(self, connection: Connection, commune_insee: str, *, as_of: datetime) -> ForecastRun:
        """Forecast with the data until `as_of` by the model in service; stored when the call returns."""
        from cli.wiring import forecast_options
        from optimise.fill.job import forecast_commune

        self.review(connection, commune_insee, now=as_of, wait=True)
        with connection.transaction():
            run = forecast_commune(
                connection,
                commune_insee,
                as_of=as_of,
                job=forecast_options(self._settings),
                progress=_logged_progress(commune_insee),
            )
        log.info(
            "forecast_made",
            commune=commune_insee,
            as_of=run.as_of,
            run=str(run.run_id),
            model=str(run.model_id),
            bins=run.scores["bins"],
            bins_with_sensor=run.scores["bins_with_sensor"],
        )
        return run

    def score(self, connection: Connection, commune_insee: str, *, day: date) -> None:
        """Judge a day's forecasts by what was then measured; stored when the call returns."""
        from cli.wiring import drift_options
        from optimise.fill.watch import watch_day

        with connection.transaction():
            watch_day(connection, commune_insee, day=day, options=drift_options(self._settings))

    def bays_due(self, connection: Connection, commune: Commune) -> tuple[datetime | None, bool, bool]:
        """Return the commune's now, whether a model of its bays is to be trained, and they to be forecast."""
        now = present(connection, commune.commune_insee)
        if now is None:
            return None, False, False
        run = bay_forecasts.latest_run(connection, commune.commune_insee)
        training = training_is_due(
            now=now,
            time_zone=commune.time_zone,
            latest_as_of=bay_models.latest_as_of(connection, commune.commune_insee, at=now),
            options=self._agenda,
        )
        due = bays_are_due(
            now=now,
            latest_as_of=None if run is None else run.as_of,
            every_min=self._settings.forecast.bays_every_min,
        )
        return now, training, due

    def train_bays(
        self,
        connection: Connection,
        commune_insee: str,
        *,
        as_of: datetime,
        progress: Callable[[str, float], None] | None = None,
    ) -> TrainedModel:
        """Learn how bays fill from the data until `as_of`; in the registry when the call returns."""
        from cli.wiring import bay_training_options
        from optimise.occupancy.forecast.registry import train_bays

        self.sessions(connection, commune_insee)
        with connection.transaction():
            return train_bays(
                connection,
                commune_insee,
                as_of=as_of,
                options=bay_training_options(self._settings),
                progress=progress or _logged_progress(commune_insee),
            )

    def forecast_bays(self, connection: Connection, commune_insee: str, *, as_of: datetime) -> BayForecastRun | None:
        """Forecast free places from the data until `as_of`; stored when the call returns. None: nothing to forecast."""
        from optimise.occupancy.forecast.job import forecast_bays

        with connection.transaction():
            run = forecast_bays(connection, commune_insee, as_of=as_of)
        if run is not None:
            log.debug("bays_forecast", commune=commune_insee, as_of=run.as_of, places=run.places, sensed=run.sensed)
        return run

    def review(self, connection: Connection, commune_insee: str, *, now: datetime, wait: bool = False) -> None:
        """Judge what was measured since the last review, and open and close alerts; stored when the call returns."""
        from ingest.reviewer import review_commune

        review_commune(connection, commune_insee, now=now, wait=wait)

    def sessions(self, connection: Connection, commune_insee: str) -> None:
        """Make sessions anew where readings changed, and learn daily how long vehicles stay; stored when it returns."""
        from optimise.occupancy.job import make_sessions

        make_sessions(
            connection,
            commune_insee,
            progress=lambda done, of: log.log(
                _PROGRESS if of > _WORTH_TELLING else logging.DEBUG,
                "sessions_progress",
                commune=commune_insee,
                places=done,
                of=of,
            ),
        )
        now = present(connection, commune_insee)
        if now is not None:
            with connection.transaction():
                stay_laws.refresh(connection, commune_insee, now=now)

    def observe(self, connection: Connection, commune: Commune) -> None:
        """Bring the observatory's figures up to the commune's now, unless they are; stored when the call returns."""
        from optimise.occupancy.observe import observation_is_due, observe

        now = present(connection, commune.commune_insee)
        if now is None:
            return
        state = observatory.state(connection, commune.commune_insee)
        if observation_is_due(now=now, time_zone=commune.time_zone, state=state):
            observe(connection, commune.commune_insee, now=now)

    def plan(
        self,
        connection: Connection,
        commune_insee: str,
        *,
        service_date: date,
        as_of: datetime,
        orders: DayOrders | None = None,
    ) -> Plan:
        """Plan the rounds of a day; stored when the call returns, and only if the checker accepts them."""
        told = orders or DayOrders()
        from cli.wiring import planner_options
        from optimise.rounds.planner import plan_day

        plan = plan_day(
            connection,
            commune_insee,
            service_date=service_date,
            as_of=as_of,
            options=replace(
                planner_options(self._settings),
                must_serve=told.serve,
                must_not_serve=told.leave,
                closed_ways=told.close,
            ),
            opener=self._warm().open,
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

    def edit(self, connection: Connection, commune_insee: str, request_id: UUID) -> None:
        """Answer a request for edits of a plan: with a draft, with why not, or with our failure."""
        from cli.wiring import editor_options
        from optimise.rounds.editing.editor import edit_plan

        asked = plan_requests.one(connection, commune_insee, request_id)
        if asked.state is not RequestState.WAITING:
            return
        answer: dict[str, Any]
        try:
            draft = edit_plan(
                connection,
                commune_insee,
                asked.plan_id,
                asked.content["edits"],
                by=asked.asked_by,
                options=editor_options(self._settings, self._warm()),
            )
            answer = {"state": RequestState.DONE, "made_plan_id": draft.plan_id}
        except (InputError, PlanRefusedError) as error:
            answer = {"state": RequestState.REFUSED, "detail": str(error)}
        except Exception:
            # Whoever waits is told at once; the log has the rest.
            plan_requests.answer(
                connection,
                commune_insee,
                request_id,
                state=RequestState.FAILED,
                detail="Voirie failed on this request.",
            )
            raise
        plan_requests.answer(connection, commune_insee, request_id, **answer)

    def repair(self, connection: Connection, commune_insee: str) -> Plan | None:
        """Repair the rounds under way if something new calls for it; published when the call returns."""
        from cli.wiring import repair_options
        from optimise.rounds.repair.repairing import repair_rounds

        if not self._settings.rounds.repair:
            return None
        options = repair_options(self._settings, self._warm())
        simulation = communes.simulation(connection, commune_insee)
        if simulation is not None and simulation.rate > _TOO_FAST_TO_BE_LATE:
            options = replace(options, late_min=math.inf)
        try:
            return repair_rounds(connection, commune_insee, options=options)
        except (InputError, PlanRefusedError) as error:
            # The round goes on as it was planned; people are told in the log, and the next event is another chance.
            log.warning("repair_refused", commune=commune_insee, reason=str(error))
            return None

    @staticmethod
    def requests_waiting(connection: Connection, commune_insee: str) -> list[UUID]:
        """Return the requests for edits without an answer."""
        return plan_requests.waiting(connection, commune_insee)

    def warm(self, connection: Connection, commune: Commune) -> None:
        """Take the streets and travel times of the commune's newest plan into memory."""
        from cli.wiring import editor_options
        from optimise.rounds.editing.editor import warm_up

        plan = plans.latest(connection, commune.commune_insee)
        if plan is not None:
            with contextlib.suppress(InputError):
                warm_up(connection, plan, options=editor_options(self._settings, self._warm()))

    def _warm(self) -> WarmStreets:
        if self._streets is None:
            from optimise.rounds.warm_streets import WarmStreets

            self._streets = WarmStreets()
        return self._streets

    def forget(self, connection: Connection) -> None:
        """Forget what is older than the settings say, unless this was done today by every commune's clock."""
        from cli.wiring import retention_options

        options = retention_options(self._settings)
        wall_now = datetime.now(UTC)
        nows = {item.commune_insee: _lived_until(connection, item.commune_insee) for item in communes.every(connection)}
        due = any(
            retention.is_due(connection, commune_insee, now=now, wall_now=wall_now, options=options)
            for commune_insee, now in nows.items()
            if now is not None
        )
        if not due:
            return
        for done in retention.forget(connection, nows, wall_now=wall_now, options=options):
            log.info("forgotten", kind=done.kind, rows=done.rows, chunks=done.chunks)

    def replay_due(self, commune_insee: str) -> None:
        """Judge again what was refused of devices that the registry knows better since."""
        from cli.wiring import replay_options
        from ingest.replay import replay

        # Not the jobs' own connection: a batch is one transaction.
        with connect(self._database_url, application="voirie worker") as connection:
            if refusals.any_due(connection, commune_insee):
                options = replay_options(self._settings)
                done = replay(connection, commune_insee, refusals.Selection(due=True), options)
                log.info(
                    "refused_replayed",
                    commune=commune_insee,
                    messages=done.messages,
                    resolved=done.resolved,
                    stored=done.stored,
                )


def _logged_progress(commune_insee: str) -> Callable[[str, float], None]:
    def tell(stage: str, share: float) -> None:
        log.info("forecast_progress", commune=commune_insee, text=f"{stage} {share:.0%}")

    return tell


def _lived_until(connection: Connection, commune_insee: str) -> datetime | None:
    """Return the commune's now for what must not be lost by mistake.

    The clock of a simulated commune runs on alone after its simulator was killed, by months in an hour: nothing is old
    by it that is not older than the last thing heard.
    """
    now = present(connection, commune_insee)
    if now is None or communes.simulation(connection, commune_insee) is None:
        return now
    heard_at = readings.last_measured_at(connection, commune_insee)
    return None if heard_at is None else min(now, heard_at)


def present(connection: Connection, commune_insee: str) -> datetime | None:
    """Return the commune's now, None while a simulated commune's history is still being published."""
    simulation = communes.simulation(connection, commune_insee)
    if simulation is not None and not simulation.history_published:
        return None
    return communes.clock(connection, commune_insee).now().replace(microsecond=0)
