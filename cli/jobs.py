"""The work behind the worker's jobs and commands: review, train, forecast, judge, forget what is old, replay.

What is done on the kerb and on rounds has rooms of its own: `Jobs.kerb`, `Jobs.rounds`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

import structlog

from cli.job_basis import lived_until, logged_progress, present
from cli.kerb_jobs import KerbJobs
from cli.round_jobs import RoundJobs
from config.settings import Settings
from optimise.agenda import AgendaOptions, forecast_is_due, plan_due_for, score_due_for, training_is_due
from storage import communes, fill_models, forecast_scores, forecasts, operation, plans, refusals, retention
from storage.database import Connection, connect
from storage.model import Commune, ForecastRun, TrainedModel

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """What a commune needs at its present `now` (None: its simulated history is still being published)."""

    now: datetime | None
    training: bool = False
    forecast: bool = False
    score_for: date | None = None
    plan_for: date | None = None


class Jobs:
    """Reviews, forecasts and plans for the communes of one database."""

    def __init__(self, *, settings: Settings, database_url: str) -> None:
        self._settings = settings
        self._database_url = database_url
        self._agenda = AgendaOptions(
            every_h=settings.forecast.every_h, plan_at=settings.rounds.plan_at, train_at=settings.forecast.train_at
        )
        self.kerb = KerbJobs(settings=settings, agenda=self._agenda)
        self.rounds = RoundJobs(settings=settings)

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
                progress=progress or logged_progress(commune_insee),
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
                progress=logged_progress(commune_insee),
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

    def review(self, connection: Connection, commune_insee: str, *, now: datetime, wait: bool = False) -> None:
        """Judge what was measured since the last review, and open and close alerts; stored when the call returns."""
        from ingest.reviewer import review_commune

        review_commune(connection, commune_insee, now=now, wait=wait)

    def forget(self, connection: Connection) -> None:
        """Forget what is older than the settings say, unless this was done today by every commune's clock."""
        from cli.wiring import retention_options

        options = retention_options(self._settings)
        wall_now = datetime.now(UTC)
        nows = {item.commune_insee: lived_until(connection, item.commune_insee) for item in communes.every(connection)}
        due = any(
            retention.is_due(connection, commune_insee, now=now, wall_now=wall_now, options=options)
            for commune_insee, now in nows.items()
            if now is not None
        )
        if not due:
            return
        for done in retention.forget(connection, nows, wall_now=wall_now, options=options):
            log.info("forgotten", kind=done.kind, rows=done.rows, chunks=done.chunks)

    def replay_asked(self, commune_insee: str, request_id: UUID) -> None:
        """Judge again what somebody chose, and note what came of it; nothing if that is done."""
        from cli.registry import replay_document
        from cli.wiring import replay_options
        from ingest.replay import replay

        with connect(self._database_url, application="voirie worker") as connection:
            selection = operation.asked(connection, commune_insee, request_id)
            connection.commit()
            if selection is None:
                return
            done = replay(connection, commune_insee, selection, replay_options(self._settings))
            operation.replayed(connection, commune_insee, request_id=request_id, result=replay_document(done))
            connection.commit()
            log.info("refused_replayed", commune=commune_insee, messages=done.messages, resolved=done.resolved)

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
