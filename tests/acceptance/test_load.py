"""The load of benchmarks/load.py in a form of seconds: its server, broker, accounts and count are the real ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cli.mosquitto import mosquitto_program
from tests.conftest import Server
from tests.tools import REPOSITORY, missing


def test_everybody_is_answered_at_once_and_no_message_is_lost(timescaledb_server: Server, tmp_path: Path):
    if mosquitto_program() is None:
        missing("Mosquitto")
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "benchmarks" / "load.py"), "--database", timescaledb_server.url,
         "--seconds", "5", "--communes", "2", "--bins", "90", "--bays", "5", "--spaces", "20", "--readings", "4000",
         "--times", "0.5"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["errors"] == 0
    assert set(told["routes"]) == {
        "map_bins", "map_bays", "map_spaces", "checks", "round", "round_known", "emptied", "guidance",
    }  # fmt: skip
    for route in told["routes"].values():
        assert route["requests"] > 0
        assert 0 < route["p50_ms"] <= route["p95_ms"] <= route["p99_ms"]
    ingestion = told["ingestion"]
    assert ingestion["messages"] == ingestion["acknowledged"] > 0
    assert ingestion["stored"] >= ingestion["messages"], "and the probes"
    assert ingestion["lost"] == ingestion["refused"] == ingestion["duplicates"] == 0
    assert told["live"]["streams"] == 4
    assert told["live"]["cut_off"] == 0
    assert told["live"]["events"] > 0
    assert set(told["rss_mb"]) == {"api", "collector", "jobs", "database"}
