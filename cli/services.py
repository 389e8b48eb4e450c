"""The long-running processes and the work on demand, wired from settings."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog
import typer

from cli.auditing import note_settings
from cli.queues import QUEUE
from cli.stopping import stop_on_signals
from cli.tracing import start_tracing
from cli.wiring import api_options, api_ports, collector_options, database_url
from config.settings import Settings
from storage import communes
from storage.database import connect
from storage.errors import InputError, SchemaError, UnavailableError
from storage.jobs import last_heartbeat
from storage.schema_version import require_schema

if TYPE_CHECKING:
    from procrastinate import App

    from cli.round_jobs import DayOrders
    from ingest.collector import CollectorOptions

log = structlog.get_logger()

_WAIT_FOR_DATABASE_S = 60.0
_WORKER_SILENT_AFTER = timedelta(minutes=1)
"""A worker beats every 10 s, and solving can hold it up for several."""


def wait_for_schema(url: str, stop: threading.Event | None = None) -> None:
    """Wait until the database answers and has this version's schema, as long as a migration job may take.

    Returns at once when `stop` is set. Raises SchemaError or UnavailableError when it takes longer.
    """
    deadline = time.monotonic() + _WAIT_FOR_DATABASE_S
    stop = stop or threading.Event()
    while not stop.is_set():
        try:
            with connect(url) as connection:
                require_schema(connection)
        except (SchemaError, UnavailableError) as error:
            if time.monotonic() > deadline:
                raise
            log.info("waiting_for_database", reason=str(error).splitlines()[0])
            stop.wait(1.0)
        else:
            return


def collect(settings: Settings, *, leave: bool = False) -> None:
    """Run a collector until a stop signal; it commits and acknowledges what it holds before it ends.

    `leave`: take only what waits for its session, end that for good, and return.
    """
    from ingest.collector import Collector
    from ingest.session import end_session

    start_tracing(settings, service="voirie-collector")
    options = collector_options(settings)
    if leave and "{instance}" in options.client_id:
        raise InputError("--leave: name the session with --client-id, since {instance} stands for any")
    stop = stop_on_signals()
    wait_for_schema(options.database_url, stop)
    if not stop.is_set():
        note_settings(options.database_url, settings, service="collector")
    # Three threads hand batches on. The one that answers the database would wait 5 ms for the interpreter at each
    # answer, while another one judges.
    sys.setswitchinterval(0.0005)
    spare_collections()
    with _numbered(options, stop) as named:
        drained = Collector(named).run(stop, leaving=leave)
    if drained:
        end_session(options)
        log.info("session_ended", client_id=options.client_id)
    elif leave:
        raise UnavailableError(f"stopped before all messages of {options.client_id} were taken: its session stays")


def spare_collections() -> None:
    """Have Python look for garbage seldom, and never among what is loaded by now.

    A batch, or an answer about hundreds of places, makes thousands of objects and no cycles: by default they would
    set off a search through all objects that there are, for some tenths of a second.
    """
    gc.set_threshold(50_000, 20, 50)
    gc.freeze()


@contextmanager
def _numbered(options: CollectorOptions, stop: threading.Event) -> Iterator[CollectorOptions]:
    """Give a collector whose name has {instance} a number of its own; UnavailableError when it loses it."""
    from ingest.instance import Instance

    if "{instance}" not in options.client_id or stop.is_set():
        yield options
        return
    lost = threading.Event()

    def on_lost() -> None:
        lost.set()
        stop.set()

    with Instance(options.database_url, name=options.client_id, on_lost=on_lost) as instance:
        yield replace(options, client_id=options.client_id.replace("{instance}", str(instance.number)))
    if lost.is_set():
        raise UnavailableError(f"another collector has taken the number {instance.number}: start this one again")


def serve(settings: Settings) -> None:
    """Serve HTTP until a stop signal."""
    from api.app import create_app
    from api.serve import make_server

    start_tracing(settings, service="voirie-api")
    # The server stops at the signal, then raises it again: by default that kills us before what waits is sent.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    options = api_options(settings)
    wait_for_schema(options.database_url)
    note_settings(options.database_url, settings, service="api", as_api=True)
    server = make_server(
        create_app(options, api_ports(settings)),
        host=settings.api.host,
        port=settings.api.port,
        trusted_proxies=settings.api.trusted_proxies,
    )
    spare_collections()
    server.run()


def work(settings: Settings) -> None:
    """Run jobs until a stop signal; the running job ends first."""
    from cli.jobs import Jobs
    from cli.worker import make_app

    start_tracing(settings, service="voirie-worker")
    url = database_url(settings)
    wait_for_schema(url)
    note_settings(url, settings, service="worker")
    app = make_app(database_url=url, jobs=Jobs(settings=settings, database_url=url))
    with app.open():
        # What became due while no worker ran is done at once, not at the next full minute.
        app.configure_task("tick").defer(timestamp=int(time.time()))
        app.configure_task("audit_heads").defer(timestamp=int(time.time()))
        app.configure_task("warm", queue=QUEUE, queueing_lock="warm").defer()
    log.info("worker_started")
    asyncio.run(_work(app))


async def _work(app: App) -> None:
    """Run the jobs, and beside them what somebody waits for, which no training keeps waiting.

    Solving holds the interpreter for seconds at a time: a short heartbeat limit would declare this worker dead.
    """
    from cli.worker import named_and_traced

    run = partial(
        app.run_worker_async,
        stalled_worker_timeout=600,
        shutdown_graceful_timeout=5,
        fetch_job_polling_interval=1,
        task_middleware=[named_and_traced],
    )
    async with app.open_async():
        at_once = asyncio.create_task(run(queues=[QUEUE], concurrency=1, install_signal_handlers=False))
        # One place for a heavy job (their lock keeps others out of the second), one for the review of readings.
        await run(concurrency=2)
        at_once.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await at_once


def check_worker(settings: Settings) -> None:
    """Raise UnavailableError unless a worker on this database gave a sign of life in the last minute."""
    with connect(database_url(settings)) as connection:
        require_schema(connection)
        heard_at = last_heartbeat(connection)
    if heard_at is None or datetime.now(UTC) - heard_at > _WORKER_SILENT_AFTER:
        raise UnavailableError(f"no worker gave a sign of life since {heard_at or 'the last one ended'}")


def forecast_now(settings: Settings, *, as_json: bool) -> None:
    """Forecast the settings' commune on demand."""
    from cli.job_basis import present
    from cli.jobs import Jobs

    url = database_url(settings)
    insee = settings.commune.insee_code
    jobs = Jobs(settings=settings, database_url=url)
    with jobs.connect() as connection:
        require_schema(connection)
        communes.one(connection, insee)
        now = present(connection, insee)
        if now is None:
            raise InputError("the commune's simulated history is still being published: try again when it is done")
        run = jobs.forecast(connection, insee, as_of=now)
    document = {
        "run_id": str(run.run_id),
        "model_id": None if run.model_id is None else str(run.model_id),
        "model_version": run.model_version,
        "as_of": run.as_of.isoformat(),
        "scores": run.scores,
    }
    typer.echo(json.dumps(document, ensure_ascii=False, indent=None if as_json else 2))


def plan_now(settings: Settings, *, service_date: str | None, as_json: bool, orders: DayOrders) -> None:
    """Plan the settings' commune on demand, as `orders` have it for this day."""
    from cli.job_basis import present
    from cli.jobs import Jobs

    url = database_url(settings)
    insee = settings.commune.insee_code
    jobs = Jobs(settings=settings, database_url=url)
    with jobs.connect() as connection:
        require_schema(connection)
        commune = communes.one(connection, insee)
        now = present(connection, insee)
        if now is None:
            raise InputError("the commune's simulated history is still being published: try again when it is done")
        if service_date is None:
            day = now.astimezone(ZoneInfo(commune.time_zone)).date() + timedelta(days=1)
        else:
            try:
                day = date.fromisoformat(service_date)
            except ValueError as error:
                raise InputError(f"--date: expected YYYY-MM-DD, got {service_date!r}") from error
        made = jobs.rounds.plan(connection, insee, service_date=day, as_of=now, orders=orders)
    document = {
        "plan_id": str(made.plan_id),
        "service_date": made.service_date.isoformat(),
        "routes": len(made.routes),
        "left_out": len(made.left_out),
        "distance_m": round(made.distance_m),
        "duration_s": round(made.duration_s),
        "travel_source": made.travel_source,
        "checker": made.checker,
    }
    typer.echo(json.dumps(document, ensure_ascii=False, indent=None if as_json else 2))
