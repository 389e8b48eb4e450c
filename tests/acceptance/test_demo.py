"""The product's loop, whole: `voirie demo --once --json` as a person runs it, judged against the simulator's truth."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.tools import wait_until

DEMO = [sys.executable, "-m", "cli", "demo"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}
SOON = {"VOIRIE_ROUNDS__SOLVE_S": "3"}
"""Rounds are searched for less long where a test does not ask how good they are."""


def play_once(folder: Path, *options: str, **settings: str) -> dict[str, Any]:
    done = subprocess.run(
        [*DEMO, "--once", "--json", "--folder", str(folder), *options],
        env=ENVIRONMENT | settings,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.count("\n") == 1, "one JSON document on standard output, everything else on standard error"
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def assert_whole(result: dict[str, Any], *, bins: int, with_sensor: int) -> None:
    assert set(result) == {
        "published", "stored", "rejected", "duplicates", "lost", "bins", "bins_with_sensor", "forecast", "plan",
        "delivery_bays", "parking", "streets", "seconds",
    }  # fmt: skip
    assert result["lost"] == 0
    assert result["stored"] > 0.9 * result["published"]
    assert result["rejected"] > 0, "the simulated street sends garbage, and it is kept"
    assert result["duplicates"] > 0, "the simulated street repeats itself, and that makes no second row"
    assert (result["bins"], result["bins_with_sensor"]) == (bins, with_sensor)
    assert result["forecast"]["bins"] == bins
    assert 0 < result["forecast"]["coverage_80"] <= 1
    plan = result["plan"]
    assert plan["checker"] == "accepted"
    assert plan["stops"] > 0
    assert plan["stops"] + plan["left_out"] == bins
    assert 0 <= result["delivery_bays"]["overstays"] <= result["delivery_bays"]["occupied"]
    assert 0 < result["parking"]["free"] <= result["parking"]["spaces"]
    assert result["streets"]["edges"] > 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own, as for the tests' server: another pytest would close it to the demo's database."""
    with tempfile.TemporaryDirectory(prefix="voirie-demo-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_small_commune_goes_round_on_its_own_streets(folder: Path, reference_data: Path):
    streets = reference_data / "osm" / "saint-germain-en-laye.osm.pbf"
    result = play_once(folder, "--streets", str(streets), "--bins", "300", "--days", "14", **SOON)
    assert_whole(result, bins=300, with_sensor=90)
    assert result["streets"]["source"] == streets.name
    assert result["forecast"]["mae_percent_unsensored"] < result["forecast"]["mae_percent_baseline"]
    assert not list(folder.glob("once-*")), "the data of a headless demo goes with it"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_full_commune_beats_the_baseline_in_time(folder: Path):
    result = play_once(folder)
    assert_whole(result, bins=1000, with_sensor=300)
    assert result["delivery_bays"]["bays"] == 60
    assert result["parking"]["spaces"] == 400
    assert result["forecast"]["mae_percent_unsensored"] < result["forecast"]["mae_percent_baseline"]
    sys.stderr.write(f"{json.dumps(result)}\n")


def _children_of(pid: int) -> set[int]:
    return {child.pid for child in psutil.Process(pid).children()}


def _alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE}


class RunningDemo:
    """An interactive demo that has come to where the town lives on."""

    def __init__(self, data: Path, said: Path) -> None:
        options = ["--folder", str(data), "--bins", "60", "--days", "3", "--speed", "600"]
        with said.open("wb") as log:
            self.process = subprocess.Popen([*DEMO, *options], env=ENVIRONMENT | SOON, stderr=log, stdout=log)
        wait_until(
            lambda: b"Everything runs" in said.read_bytes() or self.process.poll() is not None,
            timeout_s=240,
            what="the demo's start",
        )
        text = said.read_text(encoding="utf-8")
        assert self.process.poll() is None, text
        self.published_history = "Publishing the history" in text
        url = next(word for word in text.split() if word.startswith("http://")).rstrip("/")
        self._intake = f"{url}/api/v1/communes/93051/intake"
        self.stored_at_start = self.stored()
        wait_until(lambda: self.stored() > self.stored_at_start, timeout_s=60, what="a live reading")
        self.children = _children_of(self.process.pid)

    def stored(self) -> int:
        return int(httpx.get(self._intake).raise_for_status().json()["stored"])


@pytest.mark.slow
def test_interactive_demo_stops_cleanly_and_goes_on(folder: Path, tmp_path: Path):
    """Ctrl-C ends every process; even a killed demo is cleared away; the next goes on with the same data."""
    data = folder / "data"
    first = RunningDemo(data, tmp_path / "first")
    assert first.published_history
    assert len(first.children) >= 5, "broker, collector, web server, worker and simulator are the demo's children"
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(60) == 0
    assert not _alive(first.children)
    assert not (data / "postgres" / "postmaster.pid").exists(), "the database has stopped too"

    second = RunningDemo(data, tmp_path / "second")
    assert not second.published_history
    assert second.stored_at_start > first.stored_at_start
    second.process.kill()
    second.process.wait(60)
    assert _alive(second.children), "a kill gives the demo no chance to end them"

    third = RunningDemo(data, tmp_path / "third")
    assert not _alive(second.children)
    third.process.send_signal(signal.SIGTERM)
    assert third.process.wait(60) == 0
    assert not _alive(third.children)
    assert not (data / "postgres" / "postmaster.pid").exists(), "and no killed demo keeps it up"


def test_second_demo_on_the_same_data_is_refused(tmp_path: Path):
    import fcntl  # noqa: PLC0415 - only here

    with (tmp_path / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = subprocess.run(
            [*DEMO, "--folder", str(tmp_path)], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 1
    assert "another demo runs on" in done.stderr
