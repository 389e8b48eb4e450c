"""The demo's three acts, each told on the screen: the history, the plan, the town living on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cli.demo.children import Child, LogTail, running, wait_for
from cli.demo.screen import Screen
from cli.demo.stage import Stage
from storage import communes, plans, readings
from storage.database import Connection, connect
from storage.errors import UnavailableError
from storage.model import IntakeTally

_REFRESH_S = 0.5
_RATE_OVER_S = 1.0
_DRAIN_PATIENCE_S = 120.0
_PLAN_PATIENCE_S = 300.0
_SETTLE_S, _SETTLE_PATIENCE_S = 1.0, 15.0


def publish_history(stage: Stage, *, screen: Screen, ledger: Path | None = None, truth: Path | None = None) -> None:
    """Provision the commune and publish its history, unless that was done before; return when it is all taken in."""
    insee = stage.settings.commune.insee_code
    with connect(stage.database_url, application="voirie demo", autocommit=True) as connection:
        simulation = communes.simulation(connection, insee)
        if simulation is not None and simulation.history_published:
            return
        before = readings.tally(connection, insee).messages
        screen.step("Building the simulated commune")
        files = [] if ledger is None else ["--ledger", str(ledger)]
        files += [] if truth is None else ["--truth", str(truth)]
        with running(stage.start("history", "simulate", "--history-only", *files)) as simulator:
            tail = LogTail(simulator.log)
            meter = _Meter(connection, insee)
            published = 0
            while simulator.returncode is None:
                for event in tail.events():
                    published = _show_history(event, meter, screen=screen, published=published)
                for child in stage.children:
                    child.require_running()
                time.sleep(_REFRESH_S)
            for event in tail.events():
                published = _show_history(event, meter, screen=screen, published=published)
            if simulator.returncode != 0:
                simulator.require_running()
        screen.step("Taking in what is left", total=published)
        _drain(stage, connection, insee, expected=before + published, screen=screen)


def _show_history(event: dict[str, Any], meter: _Meter, *, screen: Screen, published: int) -> int:
    """Show one event of the simulator's log; return how many publications the broker has acknowledged."""
    match event.get("event"):
        case "commune_built":
            screen.say(
                f"{event['bins']} bins ({event['bins_with_sensor']} with a sensor), {event['bays']} delivery bays and "
                f"{event['spaces']} parking spaces on {event['edges']} street edges of {event['streets']}"
            )
            screen.step("Publishing the history", total=event["publications"])
        case "history_progress" | "history_published":
            published = int(event["acknowledged"])
            tally = meter.read()
            screen.update(
                f"{published:,} published, {tally.stored:,} stored, {tally.refused:,} refused, {meter.rate:,.0f}/s",
                done=published,
            )
    return published


class _Meter:
    """The collectors' ledger, and how fast it grows."""

    def __init__(self, connection: Connection, insee: str) -> None:
        self._connection = connection
        self._insee = insee
        self._last = (time.monotonic(), 0)
        self.rate = 0.0

    def read(self) -> IntakeTally:
        """Return the ledger's sums; `rate` is in readings per second over the last second or more."""
        tally = readings.tally(self._connection, self._insee)
        now = time.monotonic()
        then, stored = self._last
        if now - then >= _RATE_OVER_S:
            self.rate = (tally.stored - stored) / (now - then)
            self._last = (now, tally.stored)
        return tally


def _drain(stage: Stage, connection: Connection, insee: str, *, expected: int, screen: Screen) -> None:
    """Wait until the collector has committed every acknowledged publication."""

    def taken() -> bool:
        messages = readings.tally(connection, insee).messages
        screen.update(f"{messages:,} of {expected:,} messages", done=messages)
        return messages >= expected

    wait_for(taken, children=stage.children, what="the collector's catching up", patience_s=_DRAIN_PATIENCE_S)


def plan_rounds(stage: Stage, worker: Child, *, screen: Screen) -> None:
    """Return when the worker has forecast every bin and planned the first rounds, or had done so before."""
    insee = stage.settings.commune.insee_code
    tail = LogTail(worker.log)
    screen.step("Learning how the bins fill")

    def planned() -> bool:
        for event in tail.events():
            _show_work(event, screen)
        return plans.latest(connection, insee) is not None

    with connect(stage.database_url, application="voirie demo", autocommit=True) as connection:
        wait_for(planned, children=(*stage.children, worker), what="the plan", patience_s=_PLAN_PATIENCE_S)
    for event in tail.events():
        _show_work(event, screen)


def _show_work(event: dict[str, Any], screen: Screen) -> None:
    """Show one event of the worker's log. Raises UnavailableError when a job failed: nothing more would come."""
    match event.get("event"):
        case "forecast_progress" | "plan_progress":
            screen.update(event["text"])
        case "fill_model_in_service":
            error = event.get("mae_unsensored")
            known = "" if error is None else f"; without a sensor it is wrong by {error:.1f} points on average"
            screen.say(f"The fill of bins is learnt{known}")
        case "forecast_made":
            screen.say(f"Forecast of {event['bins']} bins, of which {event['bins_with_sensor']} have a sensor")
            screen.step("Planning the rounds", total=None)
        case "plan_made":
            screen.say(
                f"Rounds of {event['service_date']}: {event['routes']} routes, {event['stops']} bins served, "
                f"{event['left_out']} left out, {event['distance_m'] / 1000:.1f} km, accepted by the checker"
            )
        case text if event.get("level") in {"error", "critical"}:
            raise UnavailableError(f"the worker failed: {text}\n{event.get('exception', '')}".rstrip())


def live_on(stage: Stage, worker: Child, *, screen: Screen) -> None:
    """Let the town live on, and show it, until a signal ends the demo."""
    insee = stage.settings.commune.insee_code
    with (
        connect(stage.database_url, application="voirie demo", autocommit=True) as connection,
        _settled(connection, insee),
        running(stage.start("simulate", "simulate")) as simulator,
    ):
        screen.step("Living on", total=None)
        zone = ZoneInfo(communes.one(connection, insee).time_zone)
        meter = _Meter(connection, insee)
        while True:
            for child in (*stage.children, worker, simulator):
                child.require_running()
            tally = meter.read()
            local = communes.clock(connection, insee).now().astimezone(zone)
            screen.update(f"{local:%a %d %b %H:%M} in the town, {tally.stored:,} readings, {meter.rate:,.0f}/s")
            time.sleep(_REFRESH_S)


@contextmanager
def _settled(connection: Connection, insee: str) -> Iterator[None]:
    """At the end, once nothing is published any more, wait until the collector has taken in what the broker holds.

    The embedded broker forgets what it holds when it stops.
    """
    try:
        yield
    finally:
        deadline = time.monotonic() + _SETTLE_PATIENCE_S
        before, messages = -1, readings.tally(connection, insee).messages
        while messages != before and time.monotonic() < deadline:
            time.sleep(_SETTLE_S)
            before, messages = messages, readings.tally(connection, insee).messages
