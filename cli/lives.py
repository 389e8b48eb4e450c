"""The two lives of a simulated commune: its history, as fast as it is taken in, and its present, by the clock."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from cli.wiring import broker_url, tls_files
from config.settings import Settings
from simulators.crews import CrewOptions, Crews, declare_history, relive
from simulators.faults import FaultOptions
from simulators.ledger import LedgerWriter
from simulators.publisher import Progress, Publisher, PublisherOptions
from simulators.timeline import Timeline
from simulators.world import World
from storage import accounts, readings
from storage.database import Connection
from storage.model import Clock, Emptying, Role

log = structlog.get_logger()

_HISTORY_IN_FLIGHT = 96
_LIVE_LOOK_AHEAD_S = 300.0
"""In the present a level is looked up at most so long before its message: an emptying shows in the next reading."""
_CREWS = "simulated crews"
_KEY_HOLDS = timedelta(days=400)


class Lives:
    """Publishes and declares for one world."""

    def __init__(self, *, settings: Settings, world: World, ledger: Path | None, stop: threading.Event) -> None:
        self._world = world
        self._ledger = ledger
        self._stop = stop
        self._broker_url = broker_url(settings)
        self._tls_files = tls_files(settings)
        api_url = settings.simulator.api_url or f"http://{settings.api.host}:{settings.api.port}"
        self._crews = CrewOptions(api_url=api_url)
        self._needs_key = settings.accounts.mode == "required"
        self._timeline = Timeline(world, FaultOptions())

    def let_in(self, connection: Connection) -> None:
        """Give the crews a key of their own where accounts are required; the one of their last life ends."""
        if not self._needs_key:
            return
        insee = self._world.commune_insee
        for key in accounts.keys(connection, insee):
            if key.name == _CREWS and key.revoked_at is None:
                accounts.revoke_key(connection, key.prefix)
        _, secret = accounts.add_key(
            connection, name=_CREWS, commune_insee=insee, roles=(Role.DISPATCHER, Role.DRIVER),
            expires_at=datetime.now(UTC) + _KEY_HOLDS,
        )  # fmt: skip
        connection.commit()
        self._crews = replace(self._crews, api_key=secret)

    def publications_expected(self) -> int:
        """Return about how many publications the history has."""
        return self._timeline.estimate(self._world.start, self._world.history_until)

    def publish_history(self, connection: Connection) -> None:
        """Declare the history's emptyings and publish its messages, waiting for the collectors where they lag."""
        insee = self._world.commune_insee
        declare_history(self._world, self._crews, stop=self._stop)
        taken_before = readings.tally(connection, insee).messages

        def backlog(acknowledged: int) -> int:
            return acknowledged - (readings.tally(connection, insee).messages - taken_before)

        def tell(progress: Progress) -> None:
            log.info("history_progress", acknowledged=progress.acknowledged, reached=progress.reached)

        with nullcontext() if self._ledger is None else LedgerWriter(self._ledger) as ledger:
            published = Publisher(
                PublisherOptions(
                    broker_url=self._broker_url,
                    **self._tls_files,
                    client_id=f"simulator-{insee}",
                    in_flight=_HISTORY_IN_FLIGHT,
                ),
                self._timeline.publications(self._world.start, self._world.history_until),
                ledger=ledger,
                backlog=backlog,
                progress=tell,
            ).run(self._stop)
        log.info("history_published", acknowledged=published.acknowledged, seconds=round(published.seconds, 1))

    def remember(self, emptyings: Sequence[Emptying]) -> None:
        """Empty the bins again that crews emptied in an earlier run of the present."""
        relive(self._world, [(item.place_id, item.emptied_at) for item in emptyings])

    def live(self, clock: Clock, *, since: datetime) -> None:
        """Publish by the clock and drive the plans until a stop signal."""
        crews = threading.Thread(
            target=Crews(self._world, self._crews, clock).run, args=(self._stop,), name="crews", daemon=True
        )
        crews.start()
        Publisher(
            PublisherOptions(
                broker_url=self._broker_url,
                **self._tls_files,
                client_id=f"simulator-{self._world.commune_insee}",
            ),
            self._timeline.publications(since, look_ahead_s=_LIVE_LOOK_AHEAD_S),
            clock=clock,
        ).run(self._stop)
        crews.join()
