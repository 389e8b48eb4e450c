"""The brokers of the matrix: a Mosquitto of its own, the embedded broker where there is none, or a given one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from cli.demo.embedded import answers, broker_command, free_port
from cli.fault_matrix.sockets import Endpoint
from cli.fault_matrix.waiting import wait
from cli.mosquitto import shipped_limits, sole_user
from cli.wiring import TlsFiles
from ingest.address import BrokerAddress
from storage.errors import InputError, UnavailableError

_START_S, _STOP_S = 15.0, 15.0
_DATABASE = "mosquitto.db"


class Broker(Protocol):
    """An MQTT broker. `shares`: whether it can be trusted with shared subscriptions."""

    label: str
    shares: bool

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""

    def url(self, port: int) -> str:
        """Return its URL through a proxy on the loopback's `port`."""

    def direct(self) -> BrokerAddress:
        """Return where it is, without a proxy."""


class GivenBroker:
    """A broker that somebody else runs: it is reached through proxies and never stopped.

    The proxies speak TLS to it, where it does, and none to the collectors on this machine: they count what passes.
    """

    shares = True

    def __init__(self, url: str, files: TlsFiles) -> None:
        try:
            self.address = BrokerAddress.parse(url, **files)
        except ValueError as error:
            raise InputError(f"--broker: {error}") from error
        self.endpoint = Endpoint(
            host=self.address.host,
            port=self.address.port,
            tls=self.address.tls_context() if self.address.tls else None,
        )
        netloc = urlsplit(url).netloc
        self._credentials = f"{netloc.rpartition('@')[0]}@" if "@" in netloc else ""
        self.label = f"given: {self.address.host}:{self.address.port}{' (TLS)' if self.address.tls else ''}"

    def url(self, port: int) -> str:
        """Return its URL through a proxy on the loopback's `port`."""
        return f"mqtt://{self._credentials}127.0.0.1:{port}"

    def direct(self) -> BrokerAddress:
        """Return where it is, and its certificates."""
        return self.address


class _OwnBroker:
    """A broker that the matrix starts on the loopback."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._login = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        return Endpoint(host="127.0.0.1", port=self._port)

    def url(self, port: int) -> str:
        """Return its URL through a proxy on the loopback's `port`."""
        return f"mqtt://{self._login}127.0.0.1:{port}"

    def direct(self) -> BrokerAddress:
        """Return where it is, without a proxy."""
        return BrokerAddress.parse(self.url(self._port))

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def _start(self, command: list[str], environment: Mapping[str, str]) -> None:
        with (self._folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if not wait(lambda: answers(self._port) or not self.running, patience_s=_START_S) or not self.running:
            said = (self._folder / "broker.log").read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
            raise UnavailableError(f"the broker does not start: {' | '.join(said)}")

    def stop(self) -> None:
        """Stop it as an operator does."""
        if self._process is not None and self.running:
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Kill it: it writes nothing more."""
        if self._process is not None and self.running:
            self._process.kill()
            self._process.wait()


class OwnMosquitto(_OwnBroker):
    """A Mosquitto with the shipped limits and persistence, for one user."""

    shares = True

    def __init__(self, program: str, folder: Path) -> None:
        super().__init__(folder)
        login, self._rules = sole_user(folder)
        self._login = f"{login}@"
        self._program = program
        version = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout.split()  # noqa: S603 - the program found on PATH
        self.label = f"own: Mosquitto {version[2] if len(version) > 2 else 'of unknown version'}"  # noqa: PLR2004 - "mosquitto version X"

    def start(self) -> None:
        """Start it, with what it kept of an earlier life; UnavailableError when it does not answer."""
        lines = [
            f"listener {self._port} 127.0.0.1",
            *self._rules,
            "log_type warning",
            "log_type error",
            "persistence true",
            f"persistence_location {self._folder}/",
            f"persistence_file {_DATABASE}",
            *shipped_limits(),
        ]
        if os.getuid() == 0:
            # Otherwise it gives root up for a user who may not write here.
            lines.append("user root")
        settings = self._folder / "mosquitto.conf"
        settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._start([self._program, "-c", str(settings)], os.environ)

    def save(self) -> None:
        """Let it write down its sessions and queues now; return when they are written."""
        file = self._folder / _DATABASE
        before = file.stat().st_mtime_ns if file.exists() else 0
        # A file system's clock may tick once in some milliseconds; the new file must not look as old as the last.
        time.sleep(0.02)
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)
        # It writes another file and renames that one, so a new date is a whole file.
        if not wait(lambda: file.exists() and file.stat().st_mtime_ns > before, patience_s=_START_S):
            raise UnavailableError("Mosquitto did not save its database when it was told to")

    @property
    def saved_bytes(self) -> int:
        """The size of what it wrote down."""
        file = self._folder / _DATABASE
        return file.stat().st_size if file.exists() else 0


class EmbeddedBroker(_OwnBroker):
    """The demo's broker: it keeps its queue in memory, and shared subscriptions are not for it."""

    shares = False
    label = "own: the embedded broker (iotcore)"

    def start(self) -> None:
        """Start it; UnavailableError when it does not answer."""
        self._start(broker_command(self._folder, port=self._port), os.environ)
