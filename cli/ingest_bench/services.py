"""The broker and the database of the measurement: those that were named, or ones of its own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from cli.demo.children import Child, child_environment, running, wait_for
from cli.demo.embedded import answers, broker_command, embedded_database, free_port
from cli.mosquitto import mosquitto_program, shipped_limits, sole_user
from cli.scratch_databases import administrator, scratch_database, scratch_template
from config.settings import Settings

_START_S = 20.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Broker:
    """A running broker; `pid` is None when its process is not to be seen from here."""

    url: str
    kind: Literal["given", "mosquitto", "embedded"]
    pid: int | None

    @property
    def shares(self) -> bool:
        """Whether it delivers each message to one of a group (docs/mqtt.md says what the embedded one does)."""
        return self.kind != "embedded"


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseServer:
    """A running PostgreSQL on which databases can be made; `pid` is None when its process is not to be seen."""

    url: str
    kind: Literal["given", "embedded"]
    pid: int | None
    version: str

    @contextmanager
    def template(self, prepare: Callable[[str], None]) -> Iterator[str]:
        """Make a migrated database, `prepare` it by its URL, and yield its name: what `database` copies."""
        name = f"voirie_bench_template_{uuid.uuid4().hex[:12]}"
        with scratch_template(self.url, name, url=make_conninfo(self.url, dbname=name), prepare=prepare):
            yield name

    @contextmanager
    def database(self, template: str) -> Iterator[str]:
        """Copy a template, yield the copy's URL, and drop it."""
        name = f"voirie_bench_{uuid.uuid4().hex[:12]}"
        with scratch_database(self.url, name, template=template):
            yield make_conninfo(self.url, dbname=name)


@contextmanager
def open_broker(url: str | None, *, folder: Path, settings: Settings) -> Iterator[Broker]:
    """Run Mosquitto with the shipped limits, or the embedded broker where it is not installed; or use the one named."""
    if url is not None:
        yield Broker(url=url, kind="given", pid=_listener(url))
        return
    port = free_port()
    program = mosquitto_program()
    login, rules = sole_user(folder)
    if program is None:
        url, command = f"mqtt://127.0.0.1:{port}", broker_command(folder, port=port)
    else:
        url, command = f"mqtt://{login}@127.0.0.1:{port}", [program, "-c", str(_settings(folder, port, rules))]
    with running(Child("broker", command, environment=child_environment(settings), folder=folder)) as child:
        wait_for(lambda: answers(port), children=(child,), what="the broker's start", patience_s=_START_S)
        kind: Literal["mosquitto", "embedded"] = "embedded" if program is None else "mosquitto"
        yield Broker(url=url, kind=kind, pid=_listening_on(port))


def _settings(folder: Path, port: int, rules: list[str]) -> Path:
    """Write Mosquitto's settings: the shipped limits, and nothing on the disk."""
    file = folder / "mosquitto.conf"
    lines = [f"listener {port} 127.0.0.1", *rules, "log_dest none", *shipped_limits()]
    if os.getuid() == 0:
        # Otherwise it gives root up for a user who may not read the password file.
        lines.append("user root")
    lines.append("")
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


@contextmanager
def open_database_server(url: str | None, *, folder: Path) -> Iterator[DatabaseServer]:
    """Run the embedded PostgreSQL with its defaults (fsync on), or use the server named."""
    with ExitStack() as stack:
        kind: Literal["given", "embedded"] = "embedded" if url is None else "given"
        if url is None:
            url = stack.enter_context(embedded_database(folder / "postgres"))
        with administrator(url) as connection:
            version = connection.execute(
                "SELECT current_setting('server_version') || coalesce((SELECT ', TimescaleDB ' || default_version"
                " FROM pg_available_extensions WHERE name = 'timescaledb'), '')"
            ).fetchone()
            pid = _server_of(connection)
        assert version is not None
        yield DatabaseServer(url=url, kind=kind, pid=pid, version=f"PostgreSQL {version[0]}")


def _server_of(connection: psycopg.Connection) -> int | None:
    """Return the number of the process that the connection's own is a child of, when it runs on this machine."""
    with suppress(psutil.Error):
        backend = psutil.Process(connection.info.backend_pid)
        server = backend.parent()
        if server is not None and "postgres" in backend.name() and "postgres" in server.name():
            return server.pid
    return None


def _listener(url: str) -> int | None:
    """Return the process that listens where the URL says, when it is of this machine."""
    parts = urlsplit(url)
    if parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        return None
    return _listening_on(parts.port or (8883 if parts.scheme == "mqtts" else 1883))


def _listening_on(port: int) -> int | None:
    with suppress(psutil.Error, PermissionError):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
                return connection.pid
    return None
