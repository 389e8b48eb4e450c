"""What reads the backlog: real `voirie collect` processes, and the bare subscriber that they are compared with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cli.demo.children import Child, child_environment, running, voirie
from cli.ingest_bench import bare, publisher
from cli.ingest_bench.certificates import Certificates
from cli.ingest_bench.commits import rate_per_s, watch_commits
from cli.ingest_bench.messages import COMMUNE_INSEE, Stream, filters
from cli.ingest_bench.processes import PeakMemory, processor_s
from cli.ingest_bench.services import Broker, DatabaseServer
from cli.ingest_bench.wire import BulkPublisher
from cli.wiring import collector_options
from config.settings import NetworkSettings, Settings
from ingest.session import establish_session
from storage.errors import UnavailableError

_PUBLISHERS = 2
_PER = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How collectors read a backlog: readings stored a second, processor seconds for 10,000, largest memory (MB)."""

    per_s: float
    collector_s: float | None
    broker_s: float | None
    database_s: float | None
    peak_rss_mb: float


class Bench:
    """The services, the stream and the names of one run."""

    def __init__(
        self,
        *,
        settings: Settings,
        broker: Broker,
        server: DatabaseServer,
        template: str,
        stream: Stream,
        folder: Path,
    ) -> None:
        self.settings = settings
        self.broker = broker
        self.server = server
        self._template = template
        self.stream = stream
        self.folder = folder
        # Only a broker that was named has certificates; its settings are those of the command.
        self._tls = Certificates.of(settings) if broker.kind == "given" else Certificates()
        self._address = self._tls.address(broker.url)
        self._filters = filters(stream.run)

    def name(self, what: str) -> str:
        """Return a client id of this run."""
        return f"{self.stream.run}-{what}"

    def collector_settings(self, client: str, *, database_url: str, shared: bool = False) -> Settings:
        """Return the settings of one collector: the user's own but for where it reads and writes."""
        networks = tuple(
            NetworkSettings.model_validate(
                {"name": envelope, "envelope": envelope, "topic_filter": topic_filter, "commune": COMMUNE_INSEE}
            )
            for envelope, topic_filter in self._filters.items()
        )
        settings = self.settings
        return settings.model_copy(
            update={
                "database": settings.database.model_copy(update={"url": database_url, "password_file": None}),
                "mqtt": settings.mqtt.model_copy(
                    update={
                        "url": self.broker.url,
                        "username": "",
                        "password_file": None,
                        **({} if self._address.tls else {"ca_file": None, "cert_file": None, "key_file": None}),
                        "client_id": self.name(client),
                        "shared_group": self.stream.run if shared else "",
                    }
                ),
                "ingest": settings.ingest.model_copy(update={"metrics_port": None}),
                "networks": networks,
            }
        )

    def open_session(self, client: str, *, shared: bool = False) -> None:
        """Let the broker queue for a collector that is still to come."""
        establish_session(collector_options(self.collector_settings(client, database_url="dbname=none", shared=shared)))

    def open_bare_session(self, client: str) -> None:
        """Let the broker queue for a bare subscriber."""
        self._run_bare(client, 0)

    def forget_session(self, client: str) -> None:
        """Let the broker keep nothing more for this client."""
        with BulkPublisher(self._address, self.name(client)):
            pass

    def publish(self, messages: int) -> publisher.Outcome:
        """Publish the first `messages` of the stream from several processes, as fast as the broker takes them."""
        with ExitStack() as stack:
            children = [
                stack.enter_context(self.publishing(first=first, step=_PUBLISHERS, end=messages))
                for first in range(_PUBLISHERS)
            ]
            outcomes = [outcome_of(child, publisher.Outcome) for child in children]
        return publisher.Outcome(
            acknowledged=sum(outcome.acknowledged for outcome in outcomes),
            seconds=max(outcome.seconds for outcome in outcomes),
            processor_s=sum(outcome.processor_s for outcome in outcomes),
        )

    @contextmanager
    def publishing(
        self, *, first: int, end: int, step: int = 1, rate_per_s: float | None = None, sent_file: Path | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run a publisher of its own process."""
        task = publisher.Task(
            url=self.broker.url,
            tls=self._tls,
            run=self.stream.run,
            began_at=self.stream.began_at,
            step_s=self.stream.step_s,
            first=first,
            step=step,
            end=end,
            rate_per_s=rate_per_s,
            sent_file=str(sent_file) if sent_file else None,
        )
        with _program("publisher", task) as process:
            yield process

    def read_bare(self, client: str, messages: int) -> bare.Outcome:
        """Let the bare subscriber read its backlog."""
        outcome = self._run_bare(client, messages)
        self.forget_session(client)
        return outcome

    def _run_bare(self, client: str, messages: int) -> bare.Outcome:
        task = bare.Task(
            url=self.broker.url,
            tls=self._tls,
            client_id=self.name(client),
            filters=list(self._filters.values()),
            messages=messages,
        )
        with _program("bare", task) as process:
            return outcome_of(process, bare.Outcome)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make a database with the stream's devices, and drop it."""
        with self.server.database(self._template) as url:
            yield url

    @contextmanager
    def collector(self, client: str, *, database_url: str, shared: bool = False) -> Iterator[Child]:
        """Run a real collector."""
        environment = child_environment(self.collector_settings(client, database_url=database_url, shared=shared))
        with running(Child(client, voirie("collect"), environment=environment, folder=self.folder)) as child:
            yield child

    def read(self, clients: Sequence[str], messages: int, *, shared: bool = False) -> Reading:
        """Let real collectors read the backlog into a database of its own; check that it is complete."""
        with ExitStack() as stack:
            url = stack.enter_context(self.database())
            watch = stack.enter_context(watch_commits(url))
            children = [
                stack.enter_context(self.collector(client, database_url=url, shared=shared)) for client in clients
            ]
            memories = [stack.enter_context(PeakMemory(child.pid)) for child in children]
            meters = [*(child.pid for child in children), self.broker.pid, self.server.pid]
            before: list[float | None] = []
            commits = watch.until(
                messages,
                at_first=lambda: before.extend(processor_s(pid) for pid in meters),
                check=lambda: _require_running(children),
            )
            used = [_difference(old, processor_s(pid)) for old, pid in zip(before, meters, strict=True)]
        for client in clients:
            self.forget_session(client)
        # A single commit leaves nothing to measure but itself.
        measured = messages - commits[0].stored or messages
        *collectors, broker, database = (None if each is None else each * _PER / measured for each in used)
        return Reading(
            per_s=rate_per_s(commits),
            collector_s=None if None in collectors else sum(each or 0.0 for each in collectors),
            broker_s=broker,
            database_s=database,
            peak_rss_mb=max(memory.megabytes for memory in memories),
        )


def _require_running(children: Sequence[Child]) -> None:
    for child in children:
        child.require_running()


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


@contextmanager
def _program(module: str, task: msgspec.Struct) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of this package on a task; end it with the block."""
    command = [sys.executable, "-m", f"cli.ingest_bench.{module}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own
        try:
            assert process.stdin is not None
            # Not on the command line: the broker's URL may hold a password.
            process.stdin.write(msgspec.json.encode(task))
            process.stdin.close()
            process.stdin = None
            yield process
        finally:
            process.kill()


def outcome_of[T](process: subprocess.Popen[bytes], kind: type[T]) -> T:
    """Wait for a program of this package and return what it printed."""
    told, _ = process.communicate()
    if process.returncode != 0:
        raise UnavailableError(f"a process of the measurement ended with code {process.returncode}")
    return msgspec.json.decode(told, type=kind)
