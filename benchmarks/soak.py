"""Ingestion with the fault matrix beside it: what is lost or stored twice, and what a collector's memory does.

    python benchmarks/soak.py --database URL [--seconds 600] [--rate 100] [--seed 1] [--without-faults]

A Mosquitto of its own with TLS, a user for each device and network (`voirie broker files`) and the shipped limits; a
database of its own on the server named; two real collectors that share the messages; sixty devices on five kinds of
networks that publish `rate` messages a second with QoS 1, each network and each native device by its own user.
Meanwhile `voirie faults --short` runs again and again on the same database server, with brokers of its own. Twice in
the time of the run the second collector is killed and started again.

Prints one JSON document. `rss_mb`: resident memory of the collector that is never killed, the median of each tenth of
the run after the first.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cli.broker.keeping import Keeper
from cli.demo.children import voirie
from cli.demo.embedded import answers, free_port
from cli.fault_matrix.collectors import CollectorProcess
from cli.fault_matrix.publisher import Ledger, Publisher
from cli.fault_matrix.town import Town, make_town
from cli.fault_matrix.traffic import Traffic
from cli.fault_matrix.verdict import judge
from cli.fault_matrix.waiting import wait
from cli.logs import configure_logging
from cli.mosquitto import mosquitto_program, shipped_limits
from cli.scratch_databases import scratch_database
from cli.wiring import collector_options
from config.settings import Settings
from ingest.address import BrokerAddress
from ingest.session import establish_session
from storage import broker_credentials, devices, readings, schema
from storage.broker_secrets import new_secret, prove
from storage.database import connect
from storage.errors import UnavailableError

ROOT = Path(__file__).resolve().parent.parent
TENTHS = 10
START_S, DRAIN_S = 20.0, 120.0
PART_S = 0.1


def main() -> None:
    """Run, count, print."""
    options = _parsed()
    configure_logging(level="warning", form="text")
    program = mosquitto_program()
    if program is None:
        raise SystemExit("soak: Mosquitto is not installed")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="voirie-soak-")))
        town = make_town(secrets.token_hex(4))
        name = f"voirie_soak_{town.run}"
        url = make_conninfo(options.database, dbname=name)
        stack.enter_context(scratch_database(options.database, name))
        _prepare(url, town)
        (folder / "collector_password").write_text(new_secret(), encoding="ascii")
        users = _issue_users(url, town)
        broker = stack.enter_context(_broker(program, folder, url, town))
        settings = [_settings(url, broker, folder, town, number) for number in (1, 2)]
        for each in settings:
            establish_session(collector_options(each))
        scene = Scene(options=options, url=url, town=town, users=users, broker=broker, folder=folder, settings=settings)
        print(json.dumps(_soak(stack, scene)))


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--database", required=True, help="a TimescaleDB server to make databases on")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=100, help="messages a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-faults", action="store_true", help="leave the fault matrix out")
    return parser.parse_args()


def _prepare(url: str, town: Town) -> None:
    schema.migrate(url)
    town.provision(url)


def _issue_users(url: str, town: Town) -> dict[str, tuple[str, str]]:
    """Give each native device and each network a user; return user and secret by device or network."""
    users: dict[str, tuple[str, str]] = {}
    with connect(url) as connection:
        for network in town.networks():
            if network["name"] == "native":
                continue
            secret = new_secret()
            issued = broker_credentials.issue_to_network(
                connection, town.insee, network["name"], topics=[network["topic_filter"]], proof=prove(secret)
            )
            users[network["name"]] = issued.user_name, secret
        for sensor in town.sensors:
            if sensor.envelope == "native":
                secret = new_secret()
                device = devices.one(connection, town.insee, sensor.eui)
                issued = broker_credentials.issue_to_device(connection, device, prove(secret))
                users[sensor.eui] = issued.user_name, secret
        connection.commit()
    return users


class Broker:
    """Where the two listeners are, and whose certificate they show."""

    def __init__(self, folder: Path) -> None:
        self.port, self.inner_port = free_port(), free_port()
        self.ca_file = folder / "broker" / "ca.pem"

    def as_user(self, user: str, secret: str) -> BrokerAddress:
        """Return the devices' listener, entered as `user`."""
        return BrokerAddress.parse(f"mqtts://{user}:{secret}@localhost:{self.port}", ca_file=self.ca_file)


@contextmanager
def _broker(program: str, folder: Path, url: str, town: Town) -> Iterator[Broker]:
    """Run Mosquitto with the shipped limits, certificates and users."""
    subprocess.run([ROOT / "scripts" / "make-broker-certificate", folder], check=True, stdout=subprocess.DEVNULL)
    access = folder / "access"
    access.mkdir()
    filters = [network["topic_filter"] for network in town.networks()]
    Keeper(
        database_url=url, folder=access, filters=filters, collector_password_file=folder / "collector_password"
    ).refresh()
    broker = Broker(folder)
    tls = [f"certfile {folder}/broker/server.pem", f"keyfile {folder}/broker/server.key"]
    lines = [
        "allow_anonymous false", f"password_file {access}/passwords", f"acl_file {access}/acl", "log_dest none",
        f"listener {broker.port} 127.0.0.1", *tls, "use_username_as_clientid true",
        f"listener {broker.inner_port} 127.0.0.1", *tls, *shipped_limits(),
    ]  # fmt: skip
    if os.getuid() == 0:
        lines.append("user root")
    (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with subprocess.Popen([program, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL) as process:
        try:
            if not wait(lambda: answers(broker.port) and answers(broker.inner_port), patience_s=START_S):
                raise UnavailableError("the broker does not start")
            yield broker
        finally:
            process.terminate()


def _settings(url: str, broker: Broker, folder: Path, town: Town, number: int) -> Settings:
    return Settings.model_validate(
        {
            "database": {"url": url},
            "mqtt": {
                "url": f"mqtts://localhost:{broker.inner_port}",
                "ca_file": str(broker.ca_file),
                "username": "collector",
                "password_file": str(folder / "collector_password"),
                "client_id": f"voirie-soak-{town.run}-{number}",
                "shared_group": "soak",
            },
            "networks": town.networks(),
            "commune": {"insee_code": town.insee},
        }
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What runs, and where. `users`: user and secret by device or network."""

    options: argparse.Namespace
    url: str
    town: Town
    users: dict[str, tuple[str, str]]
    broker: Broker
    folder: Path
    settings: list[Settings]


def _soak(stack: ExitStack, scene: Scene) -> dict[str, Any]:
    options, url, town, folder, settings = scene.options, scene.url, scene.town, scene.folder, scene.settings
    steady = stack.enter_context(CollectorProcess(settings[0], folder=folder, name="steady"))
    restless = stack.enter_context(CollectorProcess(settings[1], folder=folder, name="restless-0"))
    stop = threading.Event()
    matrix = Matrix(options, folder, stop)
    if not options.without_faults:
        matrix.start()
    stack.callback(matrix.end)
    ledger = Ledger()
    publishers = {
        who: stack.enter_context(Publisher(scene.broker.as_user(*login), client_id=f"soak-{who}", ledger=ledger))
        for who, login in scene.users.items()
    }
    traffic = Traffic(town, seed=options.seed)
    memory: list[float] = []
    kills, began_s, published = 0, time.monotonic(), 0
    while (gone_s := time.monotonic() - began_s) < options.seconds:
        due = int(gone_s * options.rate) - published
        for reading in traffic.readings(due):
            sensor = reading.sensor
            who = sensor.eui if sensor.envelope == "native" else sensor.envelope
            publishers[who].publish([traffic.publication(reading)])
        published += max(0, due)
        memory.append(steady.rss_mb)
        if kills < 2 and gone_s > options.seconds * (kills + 1) / 3:
            restless.kill()
            kills += 1
            restless = stack.enter_context(CollectorProcess(settings[1], folder=folder, name=f"restless-{kills}"))
        time.sleep(PART_S)
    for publisher in publishers.values():
        publisher.settle()
    seconds = time.monotonic() - began_s
    wanted = {key for publication in ledger.acknowledged for key in publication.keys}
    with connect(url) as connection:
        drained = wait(lambda: _stored(connection, town.insee) >= len(wanted), patience_s=DRAIN_S)
    drain_s = time.monotonic() - began_s - seconds
    stop.set()
    matrix.end()
    for collector in (steady, restless):
        collector.stop()
    verdict = judge(url, town.insee, ledger)
    tenths = _tenths(memory)
    return {
        "seconds": round(seconds, 1),
        "rate_per_s": round(verdict.acknowledged / seconds, 1),
        "published": verdict.published,
        "acknowledged": verdict.acknowledged,
        "stored": verdict.stored,
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "refused": verdict.rejected,
        "came_again": verdict.duplicates_offered,
        "users": len(scene.users),
        "publishers_cut_off": sum(publisher.disconnections for publisher in publishers.values()),
        "collectors_killed": kills,
        "drained": drained,
        "drain_s": round(drain_s, 1),
        "rss_mb": tenths,
        "rss_growth_mb": round(tenths[-1] - tenths[1], 1) if len(tenths) > 1 else None,
        "matrix": matrix.document(),
        "machine": f"{os.cpu_count()} CPUs, {platform.platform()}, Python {platform.python_version()}",
    }


def _stored(connection: Any, insee: str) -> int:
    connection.rollback()
    return readings.tally(connection, insee).stored


def _tenths(memory: list[float]) -> list[float]:
    """Return the median of each tenth of the run."""
    size = max(1, len(memory) // TENTHS)
    return [round(statistics.median(memory[start : start + size]), 1) for start in range(0, size * TENTHS, size)]


class Matrix:
    """The fault matrix, in its short form, one run after the other, in a process of its own."""

    def __init__(self, options: argparse.Namespace, folder: Path, stop: threading.Event) -> None:
        self._options, self._folder, self._stop = options, folder, stop
        self._runs: list[dict[str, Any]] = []
        self._cut_short = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="matrix")
        self._thread.start()

    def _run(self) -> None:
        seed = self._options.seed
        while not self._stop.is_set():
            command = [
                *voirie("faults"),
                "--short",
                "--json",
                "--database",
                self._options.database,
                "--seed",
                str(seed),
            ]
            with (self._folder / f"matrix-{seed}.log").open("wb") as log:
                self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=self._folder)
                told, _ = self._process.communicate()
            seed += 1
            with contextlib.suppress(json.JSONDecodeError):
                self._runs.append(json.loads(told))
                continue
            self._cut_short += 1

    def end(self) -> None:
        """End the run that is under way in order, and wait."""
        self._stop.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        if self._thread is not None:
            self._thread.join()

    def document(self) -> dict[str, Any]:
        """Return what the rows of all whole runs came to."""
        rows = [row for run in self._runs for row in run["faults"]]
        played = [row for row in rows if not row.get("skipped")]
        return {
            "whole_runs": len(self._runs),
            "cut_short_at_the_end": self._cut_short,
            "faults_played": len(played),
            "acknowledged": sum(row.get("acknowledged") or 0 for row in played),
            "lost": sum(row.get("lost") or 0 for row in played),
            "duplicated": sum(row.get("duplicated") or 0 for row in played),
            "failed": [f"{row['fault']}: {row['error']}" for row in played if row.get("error")],
            "skipped": sorted({row["fault"] for row in rows if row.get("skipped")}),
        }


if __name__ == "__main__":
    main()
