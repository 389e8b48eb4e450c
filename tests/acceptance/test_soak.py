"""The soak of benchmarks/soak.py in a form of seconds: its broker, users, certificates and count are the real ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cli.mosquitto import mosquitto_program
from tests.conftest import Server
from tests.tools import REPOSITORY, missing


def test_nothing_is_lost_while_a_collector_is_killed(timescaledb_server: Server, tmp_path: Path):
    if mosquitto_program() is None:
        missing("Mosquitto")
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "benchmarks" / "soak.py"), "--database", timescaledb_server.url,
         "--seconds", "6", "--rate", "200", "--without-faults"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["collectors_killed"] == 2
    assert told["drained"]
    assert told["users"] == 16, "four networks, and each native device"
    assert told["published"] == told["acknowledged"] == told["stored"] > 0
    assert told["lost"] == told["duplicated"] == told["refused"] == 0
    assert len(told["rss_mb"]) == 10
