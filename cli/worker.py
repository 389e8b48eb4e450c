"""The worker: Procrastinate jobs that review what was measured, keep forecasts fresh and the next rounds planned.

A tick each minute asks what is due by each commune's own clock and queues it. A job asks again when it starts, so that
a job queued twice works once, and two workers never do the same work at the same time (one lock).
"""

from __future__ import annotations

import contextlib

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued

from cli.jobs import Jobs, present
from storage import communes

log = structlog.get_logger()

_HEAVY = "heavy"
"""Training and solving each fill a small server: one at a time."""


def make_app(*, database_url: str, jobs: Jobs) -> App:
    """Return the Procrastinate application with its tasks; open it before use."""
    app = App(connector=PsycopgConnector(conninfo=database_url))

    def queue(task: str, commune_insee: str) -> None:
        deferrer = app.configure_task(task, lock=_HEAVY, queueing_lock=f"{task} {commune_insee}")
        with contextlib.suppress(AlreadyEnqueued):
            deferrer.defer(commune_insee=commune_insee)

    @app.task(name="forecast")
    def forecast(commune_insee: str) -> None:
        """Forecast the commune's fill unless a fresh forecast exists, then see about its plan."""
        with jobs.connect() as connection:
            due = jobs.due(connection, communes.one(connection, commune_insee))
            if due.forecast and due.now is not None:
                jobs.forecast(connection, commune_insee, as_of=due.now)
        queue("plan", commune_insee)

    @app.task(name="plan")
    def plan(commune_insee: str) -> None:
        """Plan the commune's next rounds unless they are planned."""
        with jobs.connect() as connection:
            due = jobs.due(connection, communes.one(connection, commune_insee))
            if due.plan_for is not None and due.now is not None:
                jobs.plan(connection, commune_insee, service_date=due.plan_for, as_of=due.now)

    @app.periodic(cron="* * * * *")
    @app.task(name="tick", queueing_lock="tick")
    def tick(timestamp: int) -> None:
        """Queue what is due in each commune."""
        log.debug("tick", timestamp=timestamp)
        with jobs.connect() as connection:
            for commune in communes.every(connection):
                due = jobs.due(connection, commune)
                if due.forecast:
                    queue("forecast", commune.commune_insee)
                elif due.plan_for is not None:
                    queue("plan", commune.commune_insee)

    _add_review(app, jobs)
    return app


def _add_review(app: App, jobs: Jobs) -> None:
    @app.periodic(cron="* * * * * */15")
    @app.task(name="review", queueing_lock="review", lock="review")
    def review(timestamp: int) -> None:
        """Review each commune: a fire does not wait for the planner, so this runs beside the heavy jobs."""
        log.debug("review", timestamp=timestamp)
        with jobs.connect() as connection:
            for commune in communes.every(connection):
                now = present(connection, commune.commune_insee)
                if now is not None:
                    jobs.review(connection, commune.commune_insee, now=now)
