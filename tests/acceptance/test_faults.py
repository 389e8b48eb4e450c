"""The fault matrix, in its short form: every fault happens, nothing is lost, nothing is stored twice."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from cli.fault_matrix.matrix import FAULTS
from tests.conftest import Server
from tests.tools import REPOSITORY, missing, wait_until

NAMES = tuple(fault.name for fault in FAULTS)
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}
if "VOIRIE_CI_CACHE" in os.environ:
    ENVIRONMENT["VOIRIE_CI_CACHE"] = os.environ["VOIRIE_CI_CACHE"]
COUNTS = {"published", "acknowledged", "stored", "rejected", "lost", "duplicated"}


@contextmanager
def running(*arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the matrix; it clears away after itself even when the test gives up."""
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "faults", *arguments],
        env=ENVIRONMENT | {"PYTHONPATH": str(REPOSITORY), "TMPDIR": str(cwd)},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        except BaseException:
            process.terminate()
            process.communicate()
            raise


def faults(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    with running(*arguments, cwd=cwd) as process:
        said, told = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, said, told)


@contextmanager
def passable_folder() -> Iterator[Path]:
    """A folder that the database's user may pass through, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="voirie-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def folder() -> Iterator[Path]:
    with passable_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def matrix() -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    """All rows in one run, as an operator has it."""
    with passable_folder() as folder:
        done = faults("--short", "--json", cwd=folder)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done


@pytest.mark.slow
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


def test_given_services_are_left_as_they_were(embedded_server: Server, embedded_broker: str, folder: Path):
    def databases() -> set[tuple[str]]:
        with psycopg.connect(embedded_server.url) as connection:
            return set(connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^voirie_'").fetchall())

    before = databases()
    given = ("--broker", embedded_broker, "--database", embedded_server.url)
    done = faults("--short", "--json", "--only", "database_killed", *given, cwd=folder)
    assert databases() == before
    (killed,) = json.loads(done.stdout)["faults"]
    assert (done.returncode, killed.get("error")) == (0, None), killed
    assert (killed["lost"], killed["duplicated"]) == (0, 0)
    assert killed["evidence"]["session_terminated"] == 1
    assert "server_killed" not in killed["evidence"], "a given server is not ours to kill"
    assert list(folder.iterdir()) == []


def test_an_interrupted_matrix_leaves_nothing_behind(folder: Path):
    with running("--short", "--only", "database_stopped", cwd=folder) as matrix:

        def family() -> list[psutil.Process]:
            return psutil.Process(matrix.pid).children(recursive=True)

        def collects(child: psutil.Process) -> bool:
            with suppress(psutil.Error):  # one that ended since it was listed
                return "collect" in child.cmdline()
            return False

        wait_until(lambda: any(collects(child) for child in family()), timeout_s=60, what="a collector")
        children = family()
        matrix.send_signal(signal.SIGINT)
        said, told = matrix.communicate(timeout=60)
    assert (matrix.returncode, said) == (130, ""), told
    assert "Traceback" not in told
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert alive == [], f"of {len(gone) + len(alive)} processes"
    assert list(folder.iterdir()) == []


def test_every_fault_is_explained():
    page = (REPOSITORY / "docs" / "faults.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^## `(\w+)`$", page, re.MULTILINE)) == NAMES
