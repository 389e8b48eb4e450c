"""What the publisher's ledger says, a subscriber of a real broker must have received."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulators.faults import FaultOptions
from simulators.ledger import LedgerWriter, read_ledger
from simulators.messages import Publication
from simulators.publisher import Progress, Publisher, PublisherOptions
from simulators.timeline import Timeline
from storage.errors import UnavailableError
from storage.model import Clock
from tests.commune import build
from tests.tools import free_port, wait_until


class Subscriber:
    """Counts what arrives, by digest, with a QoS 1 subscription to everything."""

    def __init__(self, broker_url: str, name: str) -> None:
        self.received: Counter[str] = Counter()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
        self._client.on_message = lambda _client, _userdata, message: self._count(message)
        ready = threading.Event()
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_connect = lambda client, *_: client.subscribe([("application/#", 1), ("voirie/#", 1)])
        parts = urlsplit(broker_url)
        self._client.connect(parts.hostname or "", parts.port or 1883)
        self._client.loop_start()
        assert ready.wait(10)

    def _count(self, message: mqtt.MQTTMessage) -> None:
        self.received[hashlib.sha256(message.topic.encode() + message.payload).hexdigest()] += 1

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def subscribed(broker_url: str, name: str) -> Iterator[Subscriber]:
    subscriber = Subscriber(broker_url, name)
    yield subscriber
    subscriber.close()


class CuttingProxy:
    """Stands between client and broker, and cuts each of its first connections after some bytes."""

    def __init__(self, broker_url: str, *, cuts: int, after_bytes: int) -> None:
        parts = urlsplit(broker_url)
        self._broker = (parts.hostname, parts.port)
        self._cuts, self._after_bytes = cuts, after_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            limit = self._after_bytes if self._cuts > 0 else None
            self._cuts -= 1
            broker = socket.create_connection(self._broker)
            threading.Thread(target=self._carry, args=(client, broker, limit), daemon=True).start()
            threading.Thread(target=self._carry, args=(broker, client, None), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        carried = 0
        try:
            while (chunk := source.recv(65536)) and (limit is None or carried < limit):
                sink.sendall(chunk)
                carried += len(chunk)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                end.close()

    def close(self) -> None:
        self._listener.close()


def some_publications(count: int, *, seed: int) -> list[Publication]:
    world = build(seed=seed)
    timeline = Timeline(world, FaultOptions(garbage_rate=0.01))
    return list(islice(timeline.publications(world.start), count))


def digests(publications: list[Publication]) -> Counter[str]:
    return Counter(hashlib.sha256(p.topic.encode() + p.payload).hexdigest() for p in publications)


def test_ledger_equals_what_a_subscriber_received(any_broker_url: str, tmp_path: Path):
    sent = some_publications(3000, seed=11)
    told: list[Progress] = []
    with subscribed(any_broker_url, "ledger-subscriber") as subscriber, LedgerWriter(tmp_path / "ledger") as ledger:
        result = Publisher(
            PublisherOptions(broker_url=any_broker_url, client_id="ledger-publisher"),
            iter(sent),
            ledger=ledger,
            progress=told.append,
        ).run(threading.Event())
        wait_until(lambda: subscriber.received.total() >= len(sent), what="the subscriber's last message")
    entries = list(read_ledger(tmp_path / "ledger"))
    assert result.acknowledged == len(entries) == len(sent)
    assert result.reconnections == 0
    assert dict(result.by_expectation) == Counter(publication.expect for publication in sent)
    assert Counter(entry.digest for entry in entries) == digests(sent) == subscriber.received
    assert told[-1].acknowledged == len(sent)
    assert told[-1].reached == sent[-1].arrives_at


def test_broken_connections_lose_nothing_and_count_nothing_twice(embedded_broker: str, tmp_path: Path):
    sent = some_publications(3000, seed=12)
    proxy = CuttingProxy(embedded_broker, cuts=3, after_bytes=400_000)
    with subscribed(embedded_broker, "cut-subscriber") as subscriber, LedgerWriter(tmp_path / "ledger") as ledger:
        result = Publisher(
            PublisherOptions(broker_url=proxy.url, client_id="cut-publisher"), iter(sent), ledger=ledger
        ).run(threading.Event())
        wait_until(lambda: digests(sent) <= subscriber.received, what="all messages' arrival")
    proxy.close()
    assert result.reconnections >= 3
    assert Counter(entry.digest for entry in read_ledger(tmp_path / "ledger")) == digests(sent)
    assert set(subscriber.received) == set(digests(sent))


def test_publisher_holds_while_the_collectors_lag(embedded_broker: str):
    sent = some_publications(1500, seed=13)
    asked: list[int] = []
    released = threading.Event()

    def backlog(acknowledged: int) -> int:
        asked.append(acknowledged)
        if len(asked) >= 4:
            released.set()
        return 0 if released.is_set() else 10_000

    options = PublisherOptions(broker_url=embedded_broker, client_id="lag-publisher", backlog_limit=100)
    result = Publisher(options, iter(sent), backlog=backlog).run(threading.Event())
    assert result.acknowledged == len(sent)
    assert asked[:4] == [0, 0, 0, 0], "nothing goes out before the collectors have caught up"


def test_live_publications_wait_for_their_time(embedded_broker: str):
    sent = some_publications(400, seed=14)[300:330]
    rate = (sent[-1].arrives_at - sent[0].arrives_at) / timedelta(seconds=1.5)
    clock = Clock(wall_origin=datetime.now(UTC), simulated_origin=sent[0].arrives_at, rate=rate)
    early: list[Progress] = []

    def on_progress(progress: Progress) -> None:
        if progress.reached is not None and progress.reached > clock.now():
            early.append(progress)

    began = time.monotonic()
    options = PublisherOptions(broker_url=embedded_broker, client_id="live-publisher")
    result = Publisher(options, iter(sent), clock=clock, progress=on_progress).run(threading.Event())
    assert result.acknowledged == len(sent)
    assert early == []
    assert time.monotonic() - began >= 1.4


def test_stop_ends_a_live_publisher(embedded_broker: str):
    sent = some_publications(50, seed=15)
    stop = threading.Event()
    clock = Clock(wall_origin=datetime.now(UTC), simulated_origin=sent[0].arrives_at - timedelta(days=1), rate=1.0)
    publisher = Publisher(
        PublisherOptions(broker_url=embedded_broker, client_id="stopped-publisher"),
        iter(sent),
        clock=clock,
        progress=lambda _: stop.set(),
    )
    assert publisher.run(stop).acknowledged == 0


def test_absent_broker_is_told_in_one_sentence():
    options = PublisherOptions(broker_url=f"mqtt://127.0.0.1:{free_port()}", client_id="nobody", patience_s=0.3)
    with pytest.raises(UnavailableError, match="the MQTT broker cannot be reached"):
        Publisher(options, iter(some_publications(3, seed=16))).run(threading.Event())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"broker_url": "http://localhost"}, "expected broker_url of the form mqtt://"),
        ({"in_flight": 0}, "expected in_flight within 1..65535, got 0"),
        ({"backlog_limit": 0}, "expected backlog_limit >= 1, got 0"),
    ],
)
def test_nonsense_is_refused(changes: dict[str, object], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        PublisherOptions(**({"broker_url": "mqtt://localhost", "client_id": "x"} | changes))  # type: ignore[arg-type]  # the point
