"""`voirie solve` as a program: its JSON, its exit codes, its time, and Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.test_rounds_formats import CVRP, WASTE

VOIRIE = [sys.executable, "-m", "cli", "solve"]


def solve(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*VOIRIE, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)


def test_the_answer_is_one_json_document_and_progress_goes_to_standard_error(tmp_path: Path) -> None:
    file = tmp_path / "small.vrp"
    file.write_text(CVRP)
    picture, out = tmp_path / "rounds.svg", tmp_path / "rounds.json"
    done = solve(file, "--iterations", "50", "--threads", "1", "--json", "--plot", picture, "--out", out)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["checker"]["accepted"]
    assert answer["unserved"] == []
    assert sorted(stop for route in answer["routes"] for stop in route) == [1, 2, 3]
    assert answer["vehicles"] == len(answer["routes"]) == 2
    # 0-1-2-0 and 0-3-0, or 0-1-3-0 and 0-2-0.
    assert answer["cost"] == min(1 + 2 + 3 + 8, 1 + 3 + 4 + 6)
    assert 0.8 * answer["cost"] < answer["bound"] <= answer["cost"]
    assert json.loads(out.read_text()) == answer
    assert picture.read_text().lstrip().startswith("<?xml")
    assert "first" in done.stderr


def test_waste_collection_is_told_in_miles_with_its_disposal_trips(tmp_path: Path) -> None:
    file = tmp_path / "2_stop.txt"
    file.write_text(WASTE)
    done = solve(file, "--iterations", "20", "--threads", "1", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["unit"] == "miles"
    assert answer["routes"][0][-1] == 1, "it unloads before it comes home"
    assert answer["cost"] == pytest.approx(answer["checker"]["distance"] / 5280)


@pytest.mark.parametrize("engine", ["pyvrp", "ortools"])
def test_every_engine_solves_within_its_time(tmp_path: Path, engine: str) -> None:
    file = tmp_path / "small.vrp"
    file.write_text(CVRP)
    done = solve(file, "--seconds", "4", "--threads", "1", "--engine", engine, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cost"] == 14


def test_a_file_that_cannot_be_read_is_told_with_its_line_and_exit_code_2(tmp_path: Path) -> None:
    file = tmp_path / "small.vrp"
    file.write_text(CVRP.replace("3 0 3", "3 0 north"))
    done = solve(file, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "small.vrp: line 9: expected a number" in done.stderr
    file.write_bytes(b"NAME : x\n\xff\xfe")
    assert "line 2: expected text in UTF-8" in solve(file).stderr
    assert solve(tmp_path / "nothing.vrp").returncode == 2
    assert solve(file, "--engine", "magic").returncode == 2


def test_ctrl_c_ends_the_search_with_the_best_plan_so_far(tmp_path: Path) -> None:
    file = tmp_path / "small.vrp"
    file.write_text(CVRP)
    running = subprocess.Popen(
        [*VOIRIE, str(file), "--seconds", "100", "--threads", "1", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stderr is not None
    while "first" not in running.stderr.readline():
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    told, _ = running.communicate(timeout=60)
    answer = json.loads(told)
    assert running.returncode == 0
    assert answer["stopped"]
    assert answer["checker"]["accepted"]
    assert answer["seconds"] < 90
