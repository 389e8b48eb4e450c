"""One row of the matrix in the making: a database of its own, and a network that can be cut at three places.

devices --(devices_link)--> broker <--(collectors_link)-- collectors --(database_link)--> database
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

import psycopg
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from cli.fault_matrix.brokers import Broker
from cli.fault_matrix.collectors import CollectorProcess
from cli.fault_matrix.databases import Databases
from cli.fault_matrix.errors import NotProducedError
from cli.fault_matrix.meter import MqttMeter
from cli.fault_matrix.observer import Observer
from cli.fault_matrix.proxy import Proxy
from cli.fault_matrix.publisher import Ledger, Publisher
from cli.fault_matrix.servers import Server
from cli.fault_matrix.stage import Stage
from cli.fault_matrix.traffic import Traffic
from cli.fault_matrix.verdict import Verdict, judge
from cli.fault_matrix.waiting import wait
from cli.wiring import collector_options
from config.settings import Settings
from ingest.address import BrokerAddress
from ingest.session import establish_session
from storage import readings
from storage.database import connect
from storage.errors import UnavailableError
from storage.model import IntakeTally

_PATIENCE_S = 60.0
_RECOVERY_S = 180.0
_FORGET_S = 5.0
COLLECTOR = "collecteur"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a row ended. `recovered_s`: from the fault's end to everything stored, None when that did not come."""

    verdict: Verdict
    recovered_s: float | None


@dataclass(kw_only=True)
class Scene:
    """What a row works with. `evidence` becomes the row's; `broken` are promises that were not kept."""

    stage: Stage
    server: Server
    broker: Broker
    database: str
    traffic: Traffic
    devices_link: Proxy
    collectors_link: Proxy
    database_link: Proxy
    meters: list[MqttMeter]
    ledger: Ledger = field(default_factory=Ledger)
    evidence: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    clients: set[str] = field(default_factory=set)
    _lives: Iterator[int] = field(default_factory=count)

    @property
    def url(self) -> str:
        """The row's database, directly."""
        return self.server.url(self.database)

    @property
    def observer(self) -> Observer:
        """Eyes on the row's database."""
        return Observer(self.url)

    @property
    def insee(self) -> str:
        """The town's code."""
        return self.stage.town.insee

    def scaled(self, *, short: int, full: int) -> int:
        """Return the number for this form of the matrix."""
        return self.stage.options.scaled(short=short, full=full)

    # --- who takes part ---

    def settings(
        self, name: str = COLLECTOR, *, shared_group: str = "", keepalive_s: int | None = None, **ingest: Any
    ) -> Settings:
        """Return a collector's settings, its services behind the proxies. `ingest`: options of that table."""
        base = self.stage.settings
        client_id = f"voirie-faults-{self.stage.town.run}-{self.database[-12:]}-{name}"
        self.clients.add(client_id)
        known = {"batch_messages": 100, "batch_wait_ms": 100, "metrics_port": None}
        update = {
            "database": {"url": self.server.url_through(self.database_link.port, self.database)},
            "mqtt": {
                "url": self.broker.url(self.collectors_link.port), "client_id": client_id, "shared_group": shared_group,
                "keepalive_s": keepalive_s or base.mqtt.keepalive_s,
                # The proxies speak TLS, not the collectors; said, because the environment would otherwise be heard.
                "ca_file": None, "cert_file": None, "key_file": None,
            },
            "networks": self.stage.town.networks(),
            "ingest": base.ingest.model_dump() | known | ingest,
            "commune": base.commune.model_dump() | {"insee_code": self.insee},
        }  # fmt: skip
        return Settings.model_validate(base.model_dump() | update)

    def introduce(self, settings: Settings | None = None) -> None:
        """Let the broker know a collector's session, so that it keeps messages for it from now on."""
        establish_session(collector_options(settings or self.settings()))

    def collector(self, settings: Settings | None = None) -> CollectorProcess:
        """Start a collector; use it as a context manager."""
        chosen = settings or self.settings()
        name = f"{self.database}-{chosen.mqtt.client_id.rpartition('-')[2]}-{next(self._lives)}"
        return CollectorProcess(chosen, folder=self.stage.folder, name=name)

    def publisher(self, *, through_proxy: bool = True) -> Publisher:
        """Return a client that publishes as the devices do; use it as a context manager."""
        address = (
            BrokerAddress.parse(self.broker.url(self.devices_link.port)) if through_proxy else self.broker.direct()
        )
        return Publisher(address, client_id=f"voirie-faults-{uuid4().hex[:12]}", ledger=self.ledger)

    def tell(self, text: str, *, done: float | None = None, total: float | None = None) -> None:
        """Say how the row is going."""
        self.stage.screen.update(text, done=done, total=total)

    # --- what is seen ---

    @property
    def acknowledged_by_collectors(self) -> int:
        """Messages that collectors have acknowledged to the broker in this row."""
        return sum(meter.acknowledged for meter in self.meters)

    @property
    def held_by_collectors(self) -> int:
        """Messages that collectors were given on the connections of now and have not acknowledged."""
        return sum(tap.held for tap in self.collectors_link.taps if isinstance(tap, MqttMeter))

    def tally(self) -> IntakeTally:
        """Return the sums of the collectors' own ledger."""
        with connect(self.url) as connection:
            return readings.tally(connection, self.insee)

    def wait_for(self, condition: Callable[[], bool], what: str, *, patience_s: float = _PATIENCE_S) -> None:
        """Wait for what the fault consists of; NotProducedError when it does not come."""
        if not wait(condition, patience_s=patience_s):
            raise NotProducedError(f"{what} did not happen within {patience_s:.0f} s")

    def require(self, condition: bool, what: str) -> None:  # noqa: FBT001 - an assertion with a sentence
        """Raise NotProducedError unless the condition holds."""
        if not condition:
            raise NotProducedError(what)

    def promise(self, condition: bool, what: str) -> None:  # noqa: FBT001 - as above
        """Note that a promise was broken unless the condition holds."""
        if not condition:
            self.broken.append(what)

    def wait_for_messages(self, number: int, *, patience_s: float = _PATIENCE_S) -> None:
        """Wait until collectors have committed so many messages, repetitions included."""
        self.wait_for(
            lambda: self.tally().messages >= number, f"the commit of {number} messages", patience_s=patience_s
        )

    def recover(self, *, since_s: float) -> float | None:
        """Wait until everything acknowledged is stored or kept; return how long that took since `since_s` (monotonic).

        None when it did not come.
        """
        expected = {key for publication in self.ledger.acknowledged for key in publication.keys}
        # A message that is refused again and again is kept once.
        refused = len({publication.digest for publication in self.ledger.acknowledged if not publication.keys})
        deadline = time.monotonic() + _RECOVERY_S
        while time.monotonic() < deadline:
            with contextlib.suppress(UnavailableError, psycopg.OperationalError):
                tally = self.tally()
                now_s = time.monotonic()
                # The sums are cheap; the whole comparison is for when they say that it may be so.
                if tally.stored >= len(expected) and tally.refused >= refused and self.judge().complete:
                    return round(max(0.0, now_s - since_s), 2)
            time.sleep(0.05)
        return None

    def finish(self, *collectors: CollectorProcess, since_s: float) -> Outcome:
        """Wait for the recovery, stop the collectors in order, and count once nothing moves any more."""
        recovered_s = self.recover(since_s=since_s)
        for collector in collectors:
            collector.stop()
        return Outcome(verdict=self.judge(), recovered_s=recovered_s)

    def judge(self) -> Verdict:
        """Return the counts as they are now."""
        return judge(self.url, self.insee, self.ledger)

    def forget_sessions(self) -> None:
        """Let the broker forget the collectors' sessions and what it keeps for them."""
        address = self.broker.direct()
        for client_id in self.clients:
            client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
            client.username_pw_set(address.user, address.password)
            if address.tls:
                client.tls_set_context(address.tls_context())
            with contextlib.suppress(OSError):
                client.connect(address.host, address.port)
                deadline = time.monotonic() + _FORGET_S
                while not client.is_connected() and time.monotonic() < deadline:
                    client.loop(0.1)
                client.disconnect()
                client.loop(0.1)


@contextmanager
def open_scene(
    stage: Stage,
    fault: str,
    *,
    server: Server | None = None,
    databases: Databases | None = None,
    broker: Broker | None = None,
) -> Iterator[Scene]:
    """Set the scene of a row, on the stage's services unless others are given, and clear it away at the end."""
    server, databases, broker = server or stage.server, databases or stage.databases, broker or stage.broker
    meters: list[MqttMeter] = []

    def meter() -> MqttMeter:
        meters.append(MqttMeter())
        return meters[-1]

    with ExitStack() as stack:
        database = stack.enter_context(databases.copy(fault))
        scene = Scene(
            stage=stage,
            server=server,
            broker=broker,
            database=database,
            traffic=Traffic(stage.town, seed=stage.options.seed),
            devices_link=stack.enter_context(Proxy(broker.endpoint)),
            collectors_link=stack.enter_context(Proxy(broker.endpoint, meter)),
            database_link=stack.enter_context(Proxy(server.endpoint)),
            meters=meters,
        )
        stack.callback(scene.forget_sessions)
        yield scene
