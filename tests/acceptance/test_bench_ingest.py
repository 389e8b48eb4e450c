"""`voirie bench ingest` in small, on real services: its shape and what must hold on any machine. Never a timing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server
from tests.tools import REPOSITORY

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}


def bench(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "bench", "ingest", *arguments],
        env=ENVIRONMENT | {"PYTHONPATH": str(REPOSITORY)} | variables,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def databases(server: Server) -> set[str]:
    import psycopg  # noqa: PLC0415 - one question

    with psycopg.connect(server.url) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^voirie_'")}


def measured(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = done.stdout.splitlines()
    result: dict[str, Any] = json.loads(line)
    return result


@pytest.fixture
def small() -> dict[str, str]:
    """Batches so small that a few messages make several of them."""
    return {"VOIRIE_INGEST__BATCH_MESSAGES": "100"}


def test_two_collectors_against_a_bare_subscriber(
    mosquitto_broker: str, timescaledb_server: Server, small: dict[str, str], tmp_path: Path
):
    before = databases(timescaledb_server)
    done = bench(
        "--json", "--seconds", "0.1", "--broker", mosquitto_broker, "--database", timescaledb_server.url,
        cwd=tmp_path, **small,
    )  # fmt: skip
    result = measured(done)
    assert {"bare_per_s", "collector_per_s", "ratio", "peak_rss_mb"} <= result.keys()
    assert result["collectors"].keys() == {"1", "2"}
    assert result["collectors"]["1"] == result["collector_per_s"] > 0
    assert result["ratio"] == pytest.approx(result["collector_per_s"] / result["bare_per_s"], abs=0.001)
    assert result["cpu_s_per_10k"].keys() == {"broker", "publisher", "collector", "database", "bare"}
    used = result["cpu_s_per_10k"]
    assert all(seen is not None and seen >= 0 for seen in used.values()), used
    # The system counts another process in hundredths of a second, which so few messages need not fill.
    assert used["publisher"] > 0, used
    assert used["bare"] > 0, used
    assert 0 < result["latency_ms"]["p50"] <= result["latency_ms"]["p99"]
    assert result["messages"] == 2000
    assert list(result["peak_rss_mb_by_backlog"]) == ["100", "2000"]
    assert (result["broker"], result["database"], result["batch_messages"]) == ("given", "given", 100)
    assert "TimescaleDB" in result["database_version"]
    assert databases(timescaledb_server) == before, "it leaves nothing behind"
    progress = done.stderr.splitlines()
    assert [line for line in progress if line.startswith("bench: ")] == progress


def test_it_brings_its_own_services(small: dict[str, str], tmp_path: Path):
    result = measured(bench("--json", "--seconds", "0.05", "--collectors", "1", cwd=tmp_path, **small))
    assert result["collectors"].keys() == {"1"}
    assert result["broker"] in {"mosquitto", "embedded"}
    assert result["database"] == "embedded"


def test_the_embedded_broker_does_where_mosquitto_is_not_installed(
    database_server_url: str, small: dict[str, str], tmp_path: Path, embedded_broker: str
):
    result = measured(
        bench(
            "--json",
            "--seconds",
            "0.05",
            "--collectors",
            "1",
            "--broker",
            embedded_broker,
            "--database",
            database_server_url,
            cwd=tmp_path,
            **small,
        )
    )
    assert result["collector_per_s"] > 0


@pytest.fixture
def database_server_url(embedded_server: Server) -> str:
    return embedded_server.url


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        pytest.param(["--seconds", "0"], 2, "expected seconds > 0, got 0", id="no time"),
        pytest.param(["--collectors", "0"], 2, "expected collectors >= 1, got 0", id="nobody"),
        pytest.param(["--broker", "http://x"], 2, "expected a broker like mqtt://", id="no broker's URL"),
        pytest.param(
            ["--broker", "mqtt://192.0.2.1"], 2, "--broker: mqtt://192.0.2.1 is another machine", id="in the clear"
        ),
        pytest.param(["--database", "postgresql://x@127.0.0.1:9/x"], 1, "the database does not answer", id="no server"),
    ],
)
def test_bad_usage_ends_with_a_sentence(arguments: list[str], code: int, sentence: str, tmp_path: Path):
    done = bench(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_role_that_may_not_make_databases_is_told_so(embedded_server: Server, tmp_path: Path):
    import psycopg  # noqa: PLC0415 - two statements
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415

    with psycopg.connect(embedded_server.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE bench_reader LOGIN")
    try:
        done = bench("--database", make_conninfo(embedded_server.url, user="bench_reader"), cwd=tmp_path)
    finally:
        with psycopg.connect(embedded_server.url, autocommit=True) as connection:
            connection.execute("DROP ROLE bench_reader")
    assert done.returncode == 2, done.stderr
    assert "CREATEDB" in done.stderr
