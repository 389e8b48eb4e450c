"""No bytes break a door: a short search led by coverage, and everything that ever broke one.

`scripts/fuzz` searches each door for as long as it is told.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzzing.targets import TARGETS
from tests.tools import REPOSITORY, missing

HERE = Path(__file__).parent
SECONDS = int(os.environ.get("VOIRIE_TEST_FUZZ_S", "0"))
RUNS = 40_000


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_seeds_and_what_once_broke_a_door_end_well(name: str):
    target = TARGETS[name]
    seeds = list(target.seeds())
    assert seeds
    found = sorted((HERE / "found" / name).glob("*"))
    for data in [b"", b"\0", *seeds, *(path.read_bytes() for path in found)]:
        target.play(data)


@pytest.mark.timeout(120 + 2 * SECONDS)
@pytest.mark.parametrize("name", sorted(TARGETS) if SECONDS else ["every"])
def test_search_finds_nothing(name: str, tmp_path: Path):
    if importlib.util.find_spec("atheris") is None:
        missing("Atheris, which has wheels for Linux on x86_64 alone")
    kept = Path(os.environ.get("VOIRIE_TEST_FUZZ_FOLDER", tmp_path)) / name
    bound = [f"-max_total_time={SECONDS}"] if SECONDS else [f"-runs={RUNS}"]
    command = [sys.executable, str(HERE / "search.py"), name, str(kept), "-seed=1", "-max_len=4096", *bound]
    searched = subprocess.run(
        command, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True,
        timeout=100 + 2 * SECONDS, check=False,
    )  # fmt: skip
    said = searched.stdout[-2000:] + searched.stderr[-8000:]
    assert searched.returncode == 0, f"{said}\nwhat broke it lies in {kept}; keep it in tests/fuzzing/found"
    assert "NEW" in searched.stderr, f"nothing was covered: {said}"
