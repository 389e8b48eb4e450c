"""The database servers of the matrix: one of its own, which it may stop, kill and starve, or a given one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import psutil
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cli.fault_matrix.installations import Installation
from cli.fault_matrix.small_disk import SmallDisk
from cli.fault_matrix.sockets import Endpoint
from storage.errors import InputError, UnavailableError

_START_S, _STOP_S = 60.0, 60.0
_TRIES = 20
_FIRST_PORT, _PORTS = 20_000, 12_000


class Server(Protocol):
    """A PostgreSQL on which the matrix makes databases of its own."""

    @property
    def label(self) -> str:
        """What it is, for people."""

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""

    def url(self, database: str | None = None) -> str:
        """Return how to reach it, or one of its databases."""

    def url_through(self, port: int, database: str) -> str:
        """Return how to reach one of its databases through a proxy on the loopback's `port`."""


class GivenServer:
    """A server that somebody else runs: it is reached through proxies and never stopped."""

    def __init__(self, url: str) -> None:
        try:
            self._known = conninfo_to_dict(url)
            self._url = make_conninfo(url)
        except psycopg.ProgrammingError as error:
            raise InputError(f"--database: expected a PostgreSQL connection URL: {error}") from error
        self._host = str(self._known.get("hostaddr") or self._known.get("host") or "127.0.0.1")
        self._port = str(self._known.get("port") or "5432")
        if "," in self._host or "," in self._port:
            raise InputError("--database: expected one server, got several hosts")
        with psycopg.connect(self._url) as connection:
            (version,) = connection.execute("SHOW server_version").fetchone() or ("",)
            row = connection.execute("SELECT installed_version FROM pg_available_extensions WHERE name = 'timescaledb'")
            with_timescaledb = row.fetchone() is not None
        self.label = f"given: PostgreSQL {version}{' with TimescaleDB' if with_timescaledb else ''}"

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        if self._host.startswith("/"):
            return Endpoint(host=f"{self._host}/.s.PGSQL.{self._port}", port=0)
        return Endpoint(host=self._host, port=int(self._port))

    def url(self, database: str | None = None) -> str:
        """Return how to reach it, or one of its databases."""
        return self._url if database is None else make_conninfo(self._url, dbname=database)

    def url_through(self, port: int, database: str) -> str:
        """Return the way through a proxy; a host's name stays, for certificates and password files go by it."""
        name = self._known.get("host")
        host = "127.0.0.1" if name is None or str(name).startswith("/") else str(name)
        return make_conninfo(self._url, host=host, hostaddr="127.0.0.1", port=port, dbname=database)


class OwnServer:
    """A server that the matrix started, with its data in a folder of its own."""

    def __init__(
        self, installation: Installation, folder: Path, *, syncing: bool, disk: SmallDisk | None = None
    ) -> None:
        """Make the server's files. `syncing`: whether commits wait for the disk, as a machine's loss of power needs."""
        self._installation = installation
        self._folder = folder
        self.disk = disk
        self._data = folder / ("disk/data" if disk else "data")
        self._log = folder / "server.log"
        self._syncing = syncing
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._initialise()
        version = self._run("postgres", "--version").stdout.decode().split()[2]
        self.label = f"own: PostgreSQL {version}{' with TimescaleDB' if installation.timescaledb else ''}"

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return Endpoint(host="127.0.0.1", port=self._port)

    def url(self, database: str | None = None) -> str:
        """Return how to reach it, or one of its databases."""
        return self.url_through(self._port, database or "postgres")

    def url_through(self, port: int, database: str) -> str:
        """Return how to reach one of its databases through a proxy on the loopback's `port`."""
        return make_conninfo(host="127.0.0.1", port=port, user="postgres", dbname=database)

    @property
    def running(self) -> bool:
        """Whether the postmaster lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers; UnavailableError with its last words when it does not."""
        for _ in range(_TRIES):
            if self._port == 0:
                self._port = _FIRST_PORT + int.from_bytes(os.urandom(2)) % _PORTS
            self._process = self._spawn("postgres", *self._arguments())
            if self._wait_until_ready():
                return
            if "Address already in use" not in self.last_words():
                break
            self._port = 0
        raise UnavailableError(f"PostgreSQL does not start: {self.last_words()}")

    def stop(self) -> None:
        """Stop it as an operator does: sessions are ended, what was committed is written."""
        self._end(signal.SIGINT)

    def kill(self) -> int:
        """Kill the server and everything it started at once, as a power cut does; return the number of processes."""
        if self._process is None or not self.running:
            return 0
        postmaster = psutil.Process(self._process.pid)
        # Stopped first, so that it starts nothing more.
        postmaster.suspend()
        children = postmaster.children(recursive=True)
        for each in [*children, postmaster]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self._process.wait()
        psutil.wait_procs(children)
        return 1 + len(children)

    def discard(self) -> None:
        """Stop it, with its data of no further use."""
        self._end(signal.SIGQUIT)

    def last_words(self) -> str:
        """Return the last lines of its log."""
        if not self._log.exists():
            return "it said nothing"
        return " | ".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])

    def _arguments(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "60",
            # The worst that an operator may have chosen for speed: a commit is answered before it is written. A
            # collector that relied on the server's default would acknowledge what a crash takes back.
            "synchronous_commit": "off",
        }
        if not self._syncing:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        if self._installation.timescaledb:
            settings |= {
                "shared_preload_libraries": "timescaledb",
                "timescaledb.telemetry_level": "off",
                # It keeps a scheduler in every database.
                "timescaledb.max_background_workers": "24",
                "max_worker_processes": "40",
            }
        if self.disk is not None:
            settings |= {"shared_buffers": "16MB", "min_wal_size": "2MB", "max_wal_size": "16MB"}
        where = ["-D", self._installation.inside(self._data), "-p", str(self._port)]
        return [*where, *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))]

    def _initialise(self) -> None:
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        if self.disk is not None:
            options.append("--wal-segsize=1")
        done = self._run("initdb", f"--pgdata={self._installation.inside(self._data)}", *options)
        if done.returncode:
            raise UnavailableError(f"initdb failed: {done.stderr.decode(errors='replace').strip()}")

    def _command(self, program: str, *arguments: str) -> tuple[list[str], dict[str, int | list[int]]]:
        line = self._installation.command(program, *arguments)
        user: dict[str, int | list[int]] = {}
        if self._installation.user is not None and self._installation.root is None:
            uid, gid = self._installation.user
            if self.disk is None:
                user = {"user": uid, "group": gid, "extra_groups": []}
            else:  # entering the disk's namespace takes root, which is given up afterwards
                line = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *line]
        return ([] if self.disk is None else self.disk.prefix) + line, user

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        line, user = self._command(program, *arguments)
        return subprocess.run(line, capture_output=True, check=False, cwd="/", **user)  # type: ignore[call-overload, no-any-return]  # noqa: S603 - `user` holds the keywords of another user; our own commands

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        line, user = self._command(program, *arguments)
        with self._log.open("ab") as log:
            return subprocess.Popen(  # type: ignore[call-overload, no-any-return]  # noqa: S603 - as above
                line,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",
                **user,
            )

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + _START_S
        while self.running and time.monotonic() < deadline:
            with suppress(psycopg.OperationalError), psycopg.connect(self.url(), connect_timeout=2):
                return True
            time.sleep(0.05)
        return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is None or not self.running:
            return
        # A stopped postmaster would never hear it.
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(number)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def own_server(installation: Installation, *, syncing: bool, disk_mb: int | None = None) -> Iterator[OwnServer]:
    """Start a server in a folder of its own, and forget both at the end; with `disk_mb`, on a disk of that size."""
    with _folder(installation) as folder:
        if disk_mb is None:
            server = OwnServer(installation, folder, syncing=syncing)
            yield from _started(server)
            return
        mount = folder / "disk"
        mount.mkdir()
        with SmallDisk(mount, size_mb=disk_mb, owner=installation.user) as disk:
            server = OwnServer(installation, folder, syncing=syncing, disk=disk)
            yield from _started(server)


def _started(server: OwnServer) -> Iterator[OwnServer]:
    try:
        server.start()
        yield server
    finally:
        server.discard()


@contextmanager
def _folder(installation: Installation) -> Iterator[Path]:
    """Make a folder that the server's user may write to, where its programs can see it."""
    # `scripts/timescaledb` sweeps folders of this form away whose owner is gone.
    base, prefix = (None, "voirie-faults-") if installation.root is None else (installation.root / "srv", "run.")
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    try:
        (folder / "owner").write_text(f"{os.getpid()}\n", encoding="utf-8")
        if installation.user is not None:
            os.chown(folder, *installation.user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
