"""The worker: Procrastinate jobs that review readings, make sessions, train, keep forecasts fresh, plan, and forget.

A tick each minute asks what is due by each commune's own clock and queues it. A job asks again when it starts, so that
a job queued twice works once, and two workers never do the same work at the same time (one lock).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from opentelemetry import trace
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.builtin_tasks import remove_old_jobs
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.worker import Worker

from cli.job_basis import present
from cli.jobs import Jobs
from cli.queues import QUEUE
from storage import audit, communes
from storage.database import Connection
from storage.model import Commune

log = structlog.get_logger()
_tracer = trace.get_tracer("voirie.worker")

_JOBS_KEPT_H = 72

_HEAVY = "heavy"
"""Training and solving each fill a small server: one at a time."""


def make_app(*, database_url: str, jobs: Jobs) -> App:
    """Return the Procrastinate application with its tasks; open it before use."""
    app = App(connector=PsycopgConnector(conninfo=database_url))

    _add_heavy(app, jobs)
    _add_at_once(app, jobs)
    _add_tick(app, jobs)
    _add_review(app, jobs)
    _add_sessions(app, jobs)
    _add_bays(app, jobs)
    _add_replay(app, jobs)
    _add_scoring(app, jobs)
    _add_observing(app, jobs)
    _add_forgetting(app, jobs)
    return app


def named_and_traced(call_next: Callable[[], Any], context: JobContext, _worker: Worker) -> Any:
    """Run a job inside a span of its own, with its id and name in every line that it logs."""
    name = context.job.task_name
    with (
        structlog.contextvars.bound_contextvars(job_id=context.job.id, job=name),
        _tracer.start_as_current_span(f"job {name}", attributes={"voirie.job": name}),
    ):
        return call_next()


def _queue(app: App, task: str, commune_insee: str) -> None:
    deferrer = app.configure_task(task, lock=_HEAVY, queueing_lock=f"{task} {commune_insee}")
    with contextlib.suppress(AlreadyEnqueued):
        deferrer.defer(commune_insee=commune_insee)


def _in_each(jobs: Jobs, work: Callable[[Connection, Commune], object]) -> None:
    """Do `work` for each commune. One where it fails keeps no other from it; the job fails when all were served."""
    failed = []
    with jobs.connect() as connection:
        for commune in communes.every(connection):
            try:
                work(connection, commune)
            except Exception as error:
                if connection.closed:
                    raise
                log.exception("commune_failed", commune=commune.commune_insee)
                failed.append(error)
    if failed:
        raise ExceptionGroup("failed in communes", failed)


def _add_heavy(app: App, jobs: Jobs) -> None:
    @app.task(name="train")
    def train(commune_insee: str) -> None:
        """Train the commune's next fill model unless one was trained since the hour for it last came by."""
        with jobs.connect() as connection:
            due = jobs.due(connection, communes.one(connection, commune_insee))
            if due.training and due.now is not None:
                jobs.train(connection, commune_insee, as_of=due.now)

    @app.task(name="forecast")
    def forecast(commune_insee: str) -> None:
        """Forecast the commune's fill unless a fresh forecast exists, then see about its plan."""
        with jobs.connect() as connection:
            due = jobs.due(connection, communes.one(connection, commune_insee))
            if due.forecast and due.now is not None:
                jobs.forecast(connection, commune_insee, as_of=due.now)
        _queue(app, "plan", commune_insee)

    @app.task(name="plan")
    def plan(commune_insee: str) -> None:
        """Plan the commune's next rounds unless they are planned."""
        with jobs.connect() as connection:
            due = jobs.due(connection, communes.one(connection, commune_insee))
            if due.plan_for is not None and due.now is not None:
                jobs.rounds.plan(connection, commune_insee, service_date=due.plan_for, as_of=due.now)


def _add_at_once(app: App, jobs: Jobs) -> None:
    @app.task(name="edit_plan", queue=QUEUE)
    def edit_plan(commune_insee: str, request_id: str) -> None:
        """Answer a request for edits, unless it is answered."""
        with jobs.connect() as connection:
            jobs.rounds.edit(connection, commune_insee, UUID(request_id))

    @app.task(name="replay_asked", queue=QUEUE)
    def replay_asked(commune_insee: str, request_id: str) -> None:
        """Judge refused messages again that somebody chose, unless that is done."""
        jobs.replay_asked(commune_insee, UUID(request_id))

    @app.task(name="repair", queue=QUEUE)
    def repair(commune_insee: str) -> None:
        """Repair the commune's rounds under way, if something new calls for it."""
        with jobs.connect() as connection:
            jobs.rounds.repair(connection, commune_insee)

    @app.task(name="warm", queue=QUEUE)
    def warm() -> None:
        """Take the streets of the plans that somebody may edit next into memory."""
        _in_each(jobs, jobs.rounds.warm)


def _queue_repair(app: App, commune_insee: str) -> None:
    # One at a time, so that two do not publish the same.
    name = f"repair {commune_insee}"
    deferrer = app.configure_task("repair", queue=QUEUE, lock=name, queueing_lock=name)
    with contextlib.suppress(AlreadyEnqueued):
        deferrer.defer(commune_insee=commune_insee)


def _queue_requests(app: App, jobs: Jobs, connection: Connection, commune_insee: str) -> None:
    """Queue the requests that nobody told the worker of: whoever asked may have been cut off in between."""
    for request_id in jobs.rounds.requests_waiting(connection, commune_insee):
        deferrer = app.configure_task("edit_plan", queue=QUEUE, queueing_lock=f"edit_plan {request_id}")
        with contextlib.suppress(AlreadyEnqueued):
            deferrer.defer(commune_insee=commune_insee, request_id=str(request_id))


def _add_tick(app: App, jobs: Jobs) -> None:
    @app.periodic(cron="* * * * *")
    @app.task(name="tick", queueing_lock="tick")
    def tick(timestamp: int) -> None:
        """Queue what is due in each commune."""
        log.debug("tick", timestamp=timestamp)

        def queue(connection: Connection, commune: Commune) -> None:
            _queue_requests(app, jobs, connection, commune.commune_insee)
            # Alarms come from reviews and lateness from nobody: both are looked for each minute.
            _queue_repair(app, commune.commune_insee)
            due = jobs.due(connection, commune)
            if due.training:
                _queue(app, "train", commune.commune_insee)
            if due.forecast:
                _queue(app, "forecast", commune.commune_insee)
            elif due.plan_for is not None:
                _queue(app, "plan", commune.commune_insee)

        _in_each(jobs, queue)


def _add_review(app: App, jobs: Jobs) -> None:
    @app.periodic(cron="* * * * * */15")
    @app.task(name="review", queueing_lock="review", lock="review")
    def review(timestamp: int) -> None:
        """Review each commune: a fire does not wait for the planner, so this runs beside the heavy jobs."""
        log.debug("review", timestamp=timestamp)

        def review_one(connection: Connection, commune: Commune) -> None:
            now = present(connection, commune.commune_insee)
            if now is not None:
                jobs.review(connection, commune.commune_insee, now=now)

        _in_each(jobs, review_one)


def _add_sessions(app: App, jobs: Jobs) -> None:
    @app.periodic(cron="* * * * * */15")
    @app.task(name="sessions", queueing_lock="sessions", lock="sessions")
    def sessions(timestamp: int) -> None:
        """Make the sessions of each commune's bays and spaces anew where readings came, beside the heavy jobs."""
        log.debug("sessions", timestamp=timestamp)
        _in_each(jobs, lambda connection, commune: jobs.kerb.sessions(connection, commune.commune_insee))


def _add_bays(app: App, jobs: Jobs) -> None:
    @app.task(name="train_bays")
    def train_bays(commune_insee: str) -> None:
        """Learn how the commune's bays fill unless that was done since the hour for it last came by."""
        with jobs.connect() as connection:
            now, training, _ = jobs.kerb.bays_due(connection, communes.one(connection, commune_insee))
            if training and now is not None:
                jobs.kerb.train_bays(connection, commune_insee, as_of=now)

    @app.periodic(cron="* * * * * */15")
    @app.task(name="bays", queueing_lock="bays", lock="bays")
    def bays(timestamp: int) -> None:
        """Forecast each commune's free places where the last forecast is old, beside the heavy jobs."""
        log.debug("bays", timestamp=timestamp)

        def forecast_one(connection: Connection, commune: Commune) -> None:
            now, training, due = jobs.kerb.bays_due(connection, commune)
            if training:
                _queue(app, "train_bays", commune.commune_insee)
            if due and now is not None:
                jobs.kerb.forecast_bays(connection, commune.commune_insee, as_of=now)

        _in_each(jobs, forecast_one)


def _add_scoring(app: App, jobs: Jobs) -> None:
    @app.periodic(cron="*/5 * * * *")
    @app.task(name="score", queueing_lock="score", lock="score")
    def score(timestamp: int) -> None:
        """Judge yesterday's forecasts, once a day by each commune's clock, beside the heavy jobs."""
        log.debug("score", timestamp=timestamp)

        def score_one(connection: Connection, commune: Commune) -> None:
            due = jobs.due(connection, commune)
            if due.score_for is not None:
                jobs.score(connection, commune.commune_insee, day=due.score_for)
            bay_day = jobs.kerb.bay_score_due(connection, commune)
            if bay_day is not None:
                jobs.kerb.score_bays(connection, commune.commune_insee, day=bay_day)

        _in_each(jobs, score_one)


def _add_observing(app: App, jobs: Jobs) -> None:
    @app.periodic(cron="*/10 * * * *")
    @app.task(name="observe", queueing_lock="observe", lock="observe")
    def observe(timestamp: int) -> None:
        """Tell the observatory of the kerb what the days that are over were like, beside the heavy jobs."""
        log.debug("observe", timestamp=timestamp)
        _in_each(jobs, jobs.kerb.observe)


def _add_forgetting(app: App, jobs: Jobs) -> None:
    @app.periodic(cron="*/10 * * * *")
    @app.task(name="forget", queueing_lock="forget", lock="forget")
    def forget(timestamp: int) -> None:
        """Forget what is too old, once a day by each commune's clock, beside the heavy jobs."""
        log.debug("forget", timestamp=timestamp)
        try:
            _in_each(jobs, lambda connection, commune: jobs.rounds.forget_positions(connection, commune.commune_insee))
        finally:
            with jobs.connect() as connection:
                jobs.forget(connection)

    @app.periodic(cron="11 1 * * *")
    @app.task(name="audit_heads", queueing_lock="audit_heads")
    def audit_heads(timestamp: int) -> None:
        """Log the head of each chain of the audit, so that a chain that is cut off later shows by the logs."""
        log.debug("audit_heads", timestamp=timestamp)
        with jobs.connect() as connection:
            for commune_insee in audit.communes(connection):
                head = audit.head(connection, commune_insee)
                if head is not None:
                    log.info("audit_head", commune=commune_insee, head=str(head))

    @app.periodic(cron="5 * * * *")
    @app.task(name="forget_jobs", queueing_lock="forget_jobs", pass_context=True)
    async def forget_jobs(context: JobContext, timestamp: int) -> None:
        """Forget the queue's own finished jobs: the review alone is six thousand a day."""
        log.debug("forget_jobs", timestamp=timestamp)
        await remove_old_jobs(
            context, max_hours=_JOBS_KEPT_H, remove_failed=True, remove_cancelled=True, remove_aborted=True
        )


def _add_replay(app: App, jobs: Jobs) -> None:
    @app.periodic(cron="* * * * *")
    @app.task(name="replay", queueing_lock="replay", lock="replay")
    def replay(timestamp: int) -> None:
        """Judge again what was refused of devices that were registered, mounted or corrected since."""
        log.debug("replay", timestamp=timestamp)
        with jobs.connect() as connection:
            served = communes.every(connection)
        for commune in served:
            jobs.replay_due(commune.commune_insee)
