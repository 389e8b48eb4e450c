"""The product's loop, whole: `voirie demo --once --json` as a person runs it, judged against the simulator's truth."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.tools import wait_until

DEMO = [sys.executable, "-m", "cli", "demo"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}


def play_once(folder: Path, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [*DEMO, "--once", "--json", "--folder", str(folder), *options],
        env=ENVIRONMENT,
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


def test_small_commune_goes_round(tmp_path: Path):
    result = play_once(tmp_path, "--bins", "150", "--days", "7", "--seed", "3")
    assert_whole(result, bins=150, with_sensor=45)
    assert not list(tmp_path.glob("once-*")), "the data of a headless demo goes with it"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("streets", ["the demo's own", "osm/saint-germain-en-laye.osm.pbf"])
def test_full_commune_beats_the_baseline_in_time(tmp_path: Path, streets: str, reference_data: Path):
    options = [] if streets == "the demo's own" else ["--streets", str(reference_data / streets)]
    result = play_once(tmp_path, *options)
    assert_whole(result, bins=1000, with_sensor=300)
    assert result["delivery_bays"]["bays"] == 60
    assert result["parking"]["spaces"] == 400
    assert result["forecast"]["mae_percent_unsensored"] < result["forecast"]["mae_percent_baseline"]
    sys.stderr.write(f"{json.dumps(result)}\n")


def test_interactive_demo_stops_cleanly_and_goes_on(tmp_path: Path):
    """Ctrl-C ends every process; the next demo continues on the same data without publishing the history again."""
    stored = []
    for _ in range(2):
        log = (tmp_path / "said").open("w+", encoding="utf-8")
        options = ["--folder", str(tmp_path / "data"), "--bins", "60", "--days", "3", "--speed", "600"]
        with subprocess.Popen(
            [*DEMO, *options], env=ENVIRONMENT, stderr=log, stdout=log, start_new_session=True
        ) as demo:

            def said(text: str, file: Any = log) -> bool:
                file.seek(0)
                return text in file.read()

            wait_until(
                lambda: said("Everything runs") or demo.poll() is not None, timeout_s=240, what="the demo's start"
            )
            assert demo.poll() is None, log.seek(0) or log.read()
            log.seek(0)
            url = next(word for word in log.read().split() if word.startswith("http://")).rstrip("/")
            intake = f"{url}/api/v1/communes/93051/intake"
            first = httpx.get(intake).raise_for_status().json()["stored"]
            wait_until(lambda: httpx.get(intake).json()["stored"] > first, timeout_s=60, what="a live reading")
            stored.append(first)
            children = [
                int(line.split()[0])
                for line in subprocess.check_output(["ps", "-eo", "pid,ppid,args"], text=True).splitlines()[1:]
                if line.split()[1] == str(demo.pid)
            ]
            assert len(children) >= 5, "broker, collector, web server, worker and simulator are the demo's children"
            demo.send_signal(signal.SIGINT)
            assert demo.wait(60) == 0
        alive = subprocess.check_output(["ps", "-eo", "pid"], text=True).split()
        assert not {str(child) for child in children} & set(alive), "every process has ended"
        log.close()
    assert stored[1] > stored[0], "the second demo found the first one's readings"


def test_second_demo_on_the_same_data_is_refused(tmp_path: Path):
    import fcntl  # noqa: PLC0415 - only here

    with (tmp_path / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = subprocess.run(
            [*DEMO, "--folder", str(tmp_path)], env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 1
    assert "another demo runs on" in done.stderr
