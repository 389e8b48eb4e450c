"""The fault matrix, in its short form: every fault happens, nothing is lost, nothing is stored twice."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.fault_matrix.matrix import FAULTS
from tests.tools import REPOSITORY, missing

NAMES = tuple(fault.name for fault in FAULTS)
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}
if "VOIRIE_CI_CACHE" in os.environ:
    ENVIRONMENT["VOIRIE_CI_CACHE"] = os.environ["VOIRIE_CI_CACHE"]
COUNTS = {"published", "acknowledged", "stored", "rejected", "lost", "duplicated"}


def faults(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "faults", *arguments],
        env=ENVIRONMENT | {"PYTHONPATH": str(REPOSITORY)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    """All rows in one run, as an operator has it."""
    done = faults("--short", "--json", cwd=tmp_path_factory.mktemp("faults"))
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done


@pytest.mark.timeout(1500)  # the first row waits for the whole matrix, three minutes on two free cores
@pytest.mark.parametrize("name", NAMES)
def test_a_fault_loses_nothing_and_stores_nothing_twice(
    matrix: tuple[dict[str, Any], subprocess.CompletedProcess[str]], name: str
):
    document, done = matrix
    (row,) = (row for row in document["faults"] if row["fault"] == name)
    if "skipped" in row:
        missing(f"what the fault {name} needs ({row['skipped']})")
    assert row.get("error") is None, (row, done.stderr[-2000:])
    assert row.keys() >= COUNTS | {"recovered_s", "evidence"}
    assert (row["lost"], row["duplicated"], row["wrongly_refused"]) == (0, 0, 0), row
    assert row["published"] >= row["acknowledged"] > 0
    # Repetitions are published and stored once; a history may be refused in part.
    assert 0 < row["stored"] <= row["acknowledged"]
    assert row["recovered_s"] is not None
    assert row["evidence"], "what shows that it happened"


def test_the_matrix_ran_on_real_services(matrix: tuple[dict[str, Any], subprocess.CompletedProcess[str]]):
    document, done = matrix
    assert [row["fault"] for row in document["faults"]] == list(NAMES)
    failed = [row["fault"] for row in document["faults"] if row.get("error")]
    assert done.returncode == (1 if failed else 0)
    if "Mosquitto" not in document["broker"]:
        missing("Mosquitto")
    if "TimescaleDB" not in document["database"]:
        missing("TimescaleDB")


def test_an_unknown_fault_is_refused_with_those_there_are(tmp_path: Path):
    done = faults("--only", "earthquake", "--json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no fault 'earthquake'" in done.stderr
    assert "collector_killed" in done.stderr


def test_every_fault_is_explained():
    page = (REPOSITORY / "docs" / "faults.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^## `(\w+)`$", page, re.MULTILINE)) == NAMES
