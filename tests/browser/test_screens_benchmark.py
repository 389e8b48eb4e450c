"""benchmarks/screens.py in a form of seconds: a real browser, a server of its own, and figures that can be so."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.browser.chromium import program
from tests.conftest import Original, Server
from tests.tools import REPOSITORY, missing


@pytest.fixture(scope="module")
def original(embedded_server: Server) -> Original[None]:
    """A database without a town."""
    return embedded_server.migrated


def test_screens_are_measured_in_a_real_browser(database_url: str):
    if program() is None:
        missing("Chromium")
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "benchmarks" / "screens.py"), "--database", database_url, "--bins", "20",
         "--bays", "4", "--spaces", "20", "--repeat", "1", "--only", "carte,exploitation"],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert list(told["screens"]) == ["carte", "exploitation"]
    for screen in told["screens"].values():
        assert screen["first_paint_ms"] > 0
        assert screen["useful_paint_ms"] > 0
        assert screen["until_then_cpu_ms"] > 0
        assert sum(screen["by_kind"].values()) > 10_000
        # The server counts a stream, too, and writes its headers; what came as the page saw it came from there.
        assert screen["transferred_bytes"] > 0.8 * sum(screen["by_kind"].values())
    frames = told["screens"]["carte"]["frames"]
    assert 0 < frames["median_ms"] <= frames["p95_ms"] <= frames["longest_ms"]
    assert frames["longest_task_cpu_ms"] > 0
