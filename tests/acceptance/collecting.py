"""What the collector's tests share: a small commune with devices, a collector that runs, a publisher that is sure."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ingest.address import BrokerAddress
from ingest.collector import Collector, CollectorOptions
from ingest.session import establish_session
from ingest.topics import Network
from storage import bins, communes, devices, places
from storage.database import connect
from storage.model import Bin, Commune, Device, Mounting, ParkingSpace, PlaceKind
from tests.tools import wait_until

INSEE = "93051"
BINS, SPACES = 20, 20
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=20)

type Publication = tuple[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Town:
    """A commune in a database, with topics and a session that no other test uses."""

    database_url: str
    broker_url: str
    name: str = field(default_factory=lambda: uuid4().hex[:12])

    @property
    def network(self) -> Network:
        return Network(
            name="lora", commune_insee=INSEE, envelope="chirpstack", topic_filter=f"{self.name}/device/+/event/up"
        )

    def options(self, **changes: Any) -> CollectorOptions:
        known: dict[str, Any] = {
            "database_url": self.database_url,
            "broker_url": self.broker_url,
            "client_id": f"collector-{self.name}",
            "networks": (self.network,),
            "batch_messages": 100,
            "batch_wait_s": 0.05,
        }
        return CollectorOptions(**(known | changes))

    def provision(self) -> None:
        with connect(self.database_url) as connection:
            communes.save(connection, Commune(commune_insee=INSEE, name="Essai"))
            where = {"commune_insee": INSEE, "longitude_deg": 2.5, "latitude_deg": 48.8, "street": None}
            bins.save(
                connection,
                [Bin(**where, place_id=f"COR-{n:04d}", bin_kind="street", volume_l=80) for n in range(BINS)],
            )
            spaces = [ParkingSpace(**where, place_id=f"STA-{n:04d}") for n in range(SPACES)]
            places.save_parking_spaces(connection, spaces)
            for number in range(BINS):
                self.register(connection, bin_eui(number), f"COR-{number:04d}", PlaceKind.BIN)
            for number in range(SPACES):
                self.register(connection, space_eui(number), f"STA-{number:04d}", PlaceKind.PARKING_SPACE)

    def register(self, connection: Any, eui: str, place_id: str, kind: PlaceKind) -> None:
        is_bin = kind is PlaceKind.BIN
        model = "milesight-em310-udl" if is_bin else "bosch-tps110"
        device_id = devices.register(connection, Device(commune_insee=INSEE, eui=eui, model=model))
        devices.mount(
            connection,
            Mounting(
                commune_insee=INSEE,
                device_id=device_id,
                place_id=place_id,
                place_kind=kind,
                mounted_at=START - timedelta(days=1),
                empty_distance_mm=1000 if is_bin else None,
                full_distance_mm=200 if is_bin else None,
            ),
        )

    def topic(self, eui: str) -> str:
        return f"{self.name}/device/{eui}/event/up"

    def uplink(self, eui: str, frame: bytes, *, at: datetime, port: int, counter: int = 0) -> Publication:
        body = {
            "time": at.isoformat(),
            "deviceInfo": {"devEui": eui, "deviceName": eui},
            "fCnt": counter,
            "fPort": port,
            "data": b64encode(frame).decode(),
        }
        return self.topic(eui), json.dumps(body).encode()

    def level(self, number: int, *, at: datetime, distance_mm: int = 600, counter: int = 0) -> Publication:
        frame = b"\x01\x75\x5c\x03\x82" + distance_mm.to_bytes(2, "little") + b"\x04\x00\x00"
        return self.uplink(bin_eui(number), frame, at=at, port=85, counter=counter)

    def state(self, number: int, *, at: datetime, occupied: bool, counter: int = 0) -> Publication:
        return self.uplink(space_eui(number), bytes((occupied,)), at=at, port=1, counter=counter)

    def stream(self, count: int, *, since: datetime = START) -> list[Publication]:
        """Return `count` good messages of different keys, of bins and spaces in turn."""
        return [
            self.level(n % BINS, at=since + timedelta(seconds=n), distance_mm=200 + n % 800, counter=n)
            if n % 2
            else self.state(n % SPACES, at=since + timedelta(seconds=n), occupied=n % 4 == 0, counter=n)
            for n in range(count)
        ]

    # --- what the database says ---

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.database_url, autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def stored(self) -> int:
        (row,) = self.rows(
            "SELECT (SELECT count(*) FROM fill_reading) + (SELECT count(*) FROM occupancy_reading)"
            " + (SELECT count(*) FROM device_event)"
        )
        return int(row[0])

    def counters(self) -> list[int]:
        """The frame counters of all stored readings, sorted: in `stream`, one for each message."""
        rows = self.rows("SELECT frame_counter FROM fill_reading UNION ALL SELECT frame_counter FROM occupancy_reading")
        return sorted(counter for (counter,) in rows)

    def tally(self) -> tuple[int, int, int, int]:
        """Return (messages, stored, duplicates, refused) of the ledger."""
        (row,) = self.rows(
            "SELECT coalesce(sum(messages), 0)::int, coalesce(sum(stored), 0)::int, coalesce(sum(duplicates), 0)::int,"
            " coalesce(sum(refused), 0)::int FROM intake_batch"
        )
        return row[0], row[1], row[2], row[3]

    def wait_for_messages(self, count: int) -> None:
        wait_until(lambda: self.tally()[0] >= count, timeout_s=60, what=f"{count} messages in the ledger")

    def wait_for_rows(self, count: int) -> None:
        wait_until(lambda: self.stored() >= count, timeout_s=60, what=f"{count} rows")


def bin_eui(number: int) -> str:
    return f"24e124713d{number:06x}"


def space_eui(number: int) -> str:
    return f"58a0cb0000{number:06x}"


@contextmanager
def collecting(options: CollectorOptions) -> Iterator[Collector]:
    """Run a collector in a thread; stop it cleanly, and fail if it failed."""
    collector = Collector(options)
    stop = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            collector.run(stop)
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield collector
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive(), "the collector did not stop"
    assert not failures, failures


def make_session(town: Town, **changes: Any) -> None:
    """Let the broker know the collector's session, so that it queues while no collector is there."""
    establish_session(town.options(**changes))


class Publisher:
    """Publishes with QoS 1 and knows what the broker has acknowledged."""

    def __init__(self, broker_url: str) -> None:
        address = BrokerAddress.parse(broker_url)
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"publisher-{uuid4().hex}")
        self._client.max_inflight_messages_set(200)
        self.acknowledged = 0
        self._client.on_publish = self._count
        connected = threading.Event()
        self._client.on_connect = lambda *_: connected.set()
        self._client.connect(address.host, address.port)
        self._client.loop_start()
        assert connected.wait(10)

    def _count(self, *_: Any) -> None:
        self.acknowledged += 1

    def publish(self, publications: Iterable[Publication], *, qos: int = 1) -> int:
        """Publish and wait until the broker has acknowledged everything (QoS 0: until it was sent); return how many."""
        before = self.acknowledged
        infos = [self._client.publish(topic, payload, qos=qos) for topic, payload in publications]
        wait_until(lambda: self.acknowledged - before == len(infos), timeout_s=60, what="the broker's acknowledgements")
        return len(infos)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def publisher(town: Town) -> Iterator[Publisher]:
    one = Publisher(town.broker_url)
    try:
        yield one
    finally:
        one.close()


_PROGRAM = """
import json, signal, sys, threading
from ingest.collector import Collector, CollectorOptions
from ingest.topics import Network

given = json.loads(sys.argv[1])
networks = tuple(Network(**network) for network in given.pop("networks"))
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
Collector(CollectorOptions(networks=networks, **given)).run(stop)
"""


def start_process(town: Town, **changes: Any) -> subprocess.Popen[bytes]:
    """Run a collector in a process of its own, which a test may kill."""
    given = {
        "database_url": town.database_url,
        "broker_url": town.broker_url,
        "client_id": f"collector-{town.name}",
        "networks": [
            {name: getattr(town.network, name) for name in ("name", "commune_insee", "envelope", "topic_filter")}
        ],
        "batch_messages": 100,
        "batch_wait_s": 0.05,
    } | changes
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, json.dumps(given)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def slices[T](items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
