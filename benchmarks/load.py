"""Everybody at once: maps, check lists, drivers, guidance and sensors, on the server as it runs in service.

    python benchmarks/load.py --database URL [--seconds 600] [--communes 11] [--readings 1000000] [--times 1]

A database of its own on the server named (otherwise the embedded PostgreSQL), a Mosquitto of its own with the shipped
limits, `voirie api` with accounts and a key for each commune and role, `voirie collect`, and beside them what the
worker does all day: reviews and sessions every 15 s, free places every 3 min. Each commune has `bins` bins (one in
three with a sensor), `bays` delivery bays and `spaces` parking spaces, all with sensors; two open maps listen to
each. Rates are those of a busy hour of eleven communes, `times` so much. Milliseconds count from when a
request was due. `stored_ms`: from a message's publication to when a query sees it, to the next 20 ms.

Prints one JSON document. `rss_mb`: resident memory of the web server, the median of each tenth of the run. `cpu`: cores
in use by each, of a machine that has `machine` tells how many; the clients are part of the load on it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import statistics
import sys
import tempfile
import threading
import time
from array import array
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.load_asks import BUSY_HOUR, askers, path
from benchmarks.load_clients import Ask, Askers, Listeners
from benchmarks.load_processes import cpu_s, growth, pss_mb, quantiles, tenths, work_all_day
from benchmarks.load_town import EMPTY_MM, Size, build, codes
from cli.demo.children import Child, child_environment, running, voirie, wait_for
from cli.demo.embedded import answers, free_port
from cli.fault_matrix.publisher import Ledger, Publisher
from cli.fault_matrix.traffic import Publication
from cli.fault_matrix.waiting import wait
from cli.ingest_bench.services import open_broker, open_database_server
from cli.logs import configure_logging
from cli.scratch_databases import scratch_database
from cli.wiring import collector_options
from config.settings import Settings
from ingest.address import BrokerAddress
from ingest.session import establish_session
from storage import accounts, readings, schema
from storage.database import Connection, connect
from storage.errors import UnavailableError
from storage.model import Role

_START_S, _DRAIN_S = 60.0, 120.0
_PROBE_S, _LOOK_S = 1.0, 0.02
_PART_S = 0.05
_TOLD_EVERY_S = 30


def main() -> None:
    """Run, count, print."""
    options = _parsed()
    configure_logging(level="warning", form="text")
    if options.jobs is not None:
        work_all_day(options.jobs)
        return
    size = Size(
        communes=options.communes,
        bins=options.bins,
        bays=options.bays,
        spaces=options.spaces,
        readings=options.readings,
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="voirie-load-")))
        server = stack.enter_context(open_database_server(options.database, folder=folder))
        name = f"voirie_load_{secrets.token_hex(4)}"
        stack.enter_context(scratch_database(server.url, name))
        url = make_conninfo(server.url, dbname=name)
        schema.migrate(url)
        _say("building the communes")
        began_s = time.perf_counter()
        with connect(url) as connection:
            build(connection, size, now=datetime.now(UTC).replace(microsecond=0))
            disk = _disk(connection)
            keys = {insee: _keys(connection, insee) for insee in codes(size)}
            connection.commit()
        with connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        built_s = time.perf_counter() - began_s
        broker = stack.enter_context(open_broker(None, folder=folder, settings=Settings()))
        run = Run(options, size, url, broker.url, keys)
        found = run.measured(stack, folder, {"database": server.pid, "broker": broker.pid})
        print(json.dumps(found | {"built_s": round(built_s, 1), "disk": disk, "database": server.version}, indent=1))


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--database", help="a server to make a database on")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--communes", type=int, default=11)
    parser.add_argument("--bins", type=int, default=1000)
    parser.add_argument("--bays", type=int, default=60)
    parser.add_argument("--spaces", type=int, default=400)
    parser.add_argument("--readings", type=int, default=1_000_000, help="stored before it begins")
    parser.add_argument("--times", type=float, default=1, help="so many busy hours at once")
    parser.add_argument("--messages", type=float, help="messages a second, whatever --times is")
    parser.add_argument("--hold", action="store_true", help="wait for a line on standard input before the load begins")
    parser.add_argument("--jobs", help=argparse.SUPPRESS)
    return parser.parse_args()


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _keys(connection: Connection, insee: str) -> dict[Role, dict[str, str]]:
    expires_at = datetime.now(UTC) + timedelta(days=1)
    return {
        role: {
            "Authorization": "Bearer "
            + accounts.add_key(connection, name=role, commune_insee=insee, roles=(role,), expires_at=expires_at)[1]
        }
        for role in (Role.DISPATCHER, Role.PARKING_MANAGER, Role.OFFICER, Role.DRIVER)
    }


def _disk(connection: Connection) -> dict[str, Any]:
    """Return the bytes that a reading takes with its indexes, before anything is made of columns."""
    found: dict[str, Any] = {}
    for table in ("fill_reading", "occupancy_reading", "occupancy_session"):
        row = connection.execute(
            SQL(
                "SELECT count(*), coalesce((SELECT sum(pg_total_relation_size(i.inhrelid)) FROM pg_inherits AS i"
                " WHERE i.inhparent = %(table)s::regclass), pg_total_relation_size(%(table)s::regclass)) FROM {}"
            ).format(Identifier(table)),
            {"table": table},
        ).fetchone()
        assert row is not None
        found[table] = {"rows": row[0], "bytes_each": round(int(row[1]) / max(1, row[0]))}
    return found


class Run:
    """One run: what is asked of whom, and what came of it."""

    def __init__(
        self,
        options: argparse.Namespace,
        size: Size,
        url: str,
        broker_url: str,
        keys: dict[str, dict[Role, dict[str, str]]],
    ) -> None:
        self._options, self._size, self._url, self._keys = options, size, url, keys
        self._codes = codes(size)
        parts = urlsplit(broker_url)
        self._user, self._secret = parts.username or "", parts.password or ""
        self._broker = f"mqtt://127.0.0.1:{parts.port}"
        self._stop = threading.Event()
        self._port = free_port()
        with connect(url) as connection:
            self._sensors = connection.execute(
                "SELECT device.commune_insee, eui, kind FROM device JOIN mounting USING (commune_insee, device_id)"
                " JOIN place USING (commune_insee, place_id) ORDER BY device_id %% 997, device_id", []
            ).fetchall()  # fmt: skip

    def measured(self, stack: ExitStack, folder: Path, pids: dict[str, int | None]) -> dict[str, Any]:
        """Start everything, wait `seconds`, and return all figures."""
        (folder / "password").write_text(self._secret, encoding="ascii")
        settings = self._settings(folder)
        if self._user:
            establish_session(collector_options(settings))
        environment = child_environment(settings)
        children = [
            stack.enter_context(running(Child(name, command, environment=environment, folder=folder)))
            for name, command in (
                ("collector", voirie("collect")),
                ("api", voirie("api")),
                ("jobs", [sys.executable, str(Path(__file__).resolve()), "--jobs", self._url]),
            )
        ]
        wait_for(lambda: answers(self._port), children=tuple(children), what="the server's start", patience_s=_START_S)
        pids = pids | {child.name: child.pid for child in children} | {"clients": os.getpid()}
        if self._options.hold:
            _say("ready: press Enter")
            sys.stdin.readline()
        _say(f"the load begins: {self._options.seconds:.0f} s")
        ledger = Ledger()
        address = BrokerAddress.parse(self._broker.replace("//", f"//{self._user}:{self._secret}@"))
        asked = askers(self._port, self._size, self._keys, times=self._options.times, stop=self._stop)
        listeners = Listeners(
            self._port,
            [Ask(path=path(insee, "live"), headers=self._keys[insee][Role.DISPATCHER]) for insee in self._codes] * 2,
            stop=self._stop,
        )
        probes = array("d")
        with Publisher(address, client_id="load", ledger=ledger, in_flight=500) as publisher:
            listeners.start()
            for asker in asked.values():
                asker.start()
            prober = threading.Thread(target=self._probe, args=(address, probes), daemon=True)
            prober.start()
            before, began_s = cpu_s(pids), time.perf_counter()
            memory, shares = self._publish(publisher, children, pids, asked)
            seconds = time.perf_counter() - began_s
            cores = {name: round((cpu_s(pids)[name] - used) / seconds, 2) for name, used in before.items()}
            self._stop.set()
            for asker in asked.values():
                asker.join()
            prober.join()
            publisher.settle()
        counts = self._counts(len(ledger.acknowledged) + len(probes))
        routes = {name: asker.told.document(seconds) for name, asker in asked.items()}
        return {
            "communes": self._size.communes,
            "places": {"bins": self._size.bins, "bays": self._size.bays, "spaces": self._size.spaces},
            "seconds": round(seconds, 1),
            "requests": sum(route["requests"] for route in routes.values()),
            "requests_per_s": round(sum(route["requests"] for route in routes.values()) / seconds, 1),
            "errors": sum(sum(route["errors"].values()) for route in routes.values()),
            "routes": routes,
            "live": {"streams": 2 * len(self._codes), "events": listeners.events, "cut_off": listeners.cut_off},
            "ingestion": {
                "messages": len(ledger.published),
                "per_s": round(len(ledger.published) / seconds, 1),
                "acknowledged": len(ledger.acknowledged),
                **counts,
                "stored_ms": quantiles(probes),
            },
            "rss_mb": {name: tenths(each) for name, each in memory.items()},
            "rss_growth_mb": {name: growth(each) for name, each in memory.items()},
            "cpu": cores,
            "machine_cpu_percent": round(statistics.fmean(shares), 0) if shares else None,
            "machine": f"{os.cpu_count()} CPUs, {platform.platform()}, Python {platform.python_version()}",
        }

    def _settings(self, folder: Path) -> Settings:
        return Settings.model_validate(
            {
                "database": {"url": self._url},
                "mqtt": {
                    "url": self._broker,
                    "username": self._user,
                    "password_file": str(folder / "password") if self._user else None,
                    "client_id": "load-collector",
                },
                "networks": [
                    {
                        "name": f"native {insee}", "envelope": "native", "commune": insee,
                        "topic_filter": f"voirie/v1/{insee}/+/readings",
                    }
                    for insee in self._codes
                ],
                "commune": {"insee_code": self._codes[0]},
                # All clients come from one address here.
                "api": {"port": self._port, "address_requests_per_minute": 0, "account_requests_per_minute": 0},
            }
        )  # fmt: skip

    def _publish(
        self, publisher: Publisher, children: list[Child], pids: dict[str, int | None], asked: dict[str, Askers]
    ) -> tuple[dict[str, list[float]], list[float]]:
        """Publish until the time is over; return memory of the processes by second, and the machine's use."""
        rate = self._options.messages or BUSY_HOUR["messages"] * self._options.times
        memory: dict[str, list[float]] = {child.name: [] for child in children} | {"database": []}
        shares: list[float] = []
        psutil.cpu_percent()
        began_s, number, looked_s = time.perf_counter(), 0, 0.0
        while (gone_s := time.perf_counter() - began_s) < self._options.seconds:
            due = int(gone_s * rate) - number
            publisher.publish([self._publication(number + more) for more in range(due)])
            number += due
            if gone_s - looked_s >= 1:
                looked_s = gone_s
                for child in children:
                    child.require_running()
                    memory[child.name].append(psutil.Process(child.pid).memory_info().rss / 2**20)
                if len(shares) % 10 == 0:
                    memory["database"].append(pss_mb(pids["database"]))
                shares.append(psutil.cpu_percent())
                if len(shares) % _TOLD_EVERY_S == 0:
                    answered = sum(len(asker.told.took_ms) for asker in asked.values())
                    wrong = sum(sum(asker.told.errors.values()) for asker in asked.values())
                    late_ms = max(asker.told.took_ms[-1] for asker in asked.values() if asker.told.took_ms)
                    _say(
                        f"{gone_s:.0f} s: {answered} answers, {wrong} errors, the slowest of the last {late_ms:.0f} ms"
                    )
            time.sleep(_PART_S)
        return memory, shares

    def _publication(self, number: int) -> Publication:
        insee, eui, kind = self._sensors[number % len(self._sensors)]
        turn = number // len(self._sensors)
        what = {"distance_mm": EMPTY_MM - (200 + number) % 800} if kind == "bin" else {"occupied": turn % 2 == 0}
        body = {
            "frame_counter": 100_000 + turn,
            "readings": [{"measured_at": datetime.now(UTC).isoformat(), **what, "battery_percent": 92}],
        }
        return Publication(topic=f"voirie/v1/{insee}/{eui}/readings", payload=json.dumps(body).encode())

    def _probe(self, address: BrokerAddress, found: array[float]) -> None:
        """Publish a level once a second and look until a query sees it."""
        insee, eui, _ = next(sensor for sensor in self._sensors if sensor[2] == "bin")
        query = (
            "SELECT EXISTS (SELECT FROM fill_reading JOIN device USING (device_id) WHERE eui = %s AND measured_at = %s)"
        )
        with (
            connect(self._url, autocommit=True) as connection,
            Publisher(address, client_id="load-probe", ledger=Ledger()) as publisher,
        ):
            while not self._stop.wait(_PROBE_S):
                at = datetime.now(UTC)
                body = {"readings": [{"measured_at": at.isoformat(), "distance_mm": 500}]}
                began_s = time.perf_counter()
                publisher.publish(
                    [Publication(topic=f"voirie/v1/{insee}/{eui}/readings", payload=json.dumps(body).encode())]
                )
                while connection.execute(query, [eui, at]).fetchone() != (True,):
                    if time.perf_counter() - began_s > _START_S:
                        raise UnavailableError("a message was not stored within a minute")
                    time.sleep(_LOOK_S)
                found.append(1000 * (time.perf_counter() - began_s))

    def _counts(self, expected: int) -> dict[str, Any]:
        """Wait until all is stored, and return how much was, was lost and was refused."""
        with connect(self._url, autocommit=True) as connection:

            def tallied() -> tuple[int, int, int]:
                each = [readings.tally(connection, insee) for insee in self._codes]
                return (
                    sum(one.stored for one in each), sum(one.refused for one in each),
                    sum(one.duplicates for one in each),
                )  # fmt: skip

            began_s = time.perf_counter()
            wait(lambda: sum(tallied()) >= expected, patience_s=_DRAIN_S)
            drain_s = time.perf_counter() - began_s
            stored, refused, duplicates = tallied()
        return {
            "stored": stored, "refused": refused, "duplicates": duplicates,
            "lost": expected - stored - refused - duplicates, "drain_s": round(drain_s, 1),
        }  # fmt: skip


if __name__ == "__main__":
    main()
