"""The worker as a process: it says that it lives, works through an empty town, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.tools import REPOSITORY, wait_until

WORKER = [sys.executable, "-m", "cli", "worker"]


def test_worker_lives_until_it_is_stopped(database_url: str, tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}
    environment |= {"VOIRIE_DATABASE__URL": database_url, "PYTHONPATH": str(REPOSITORY)}

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*WORKER, "--check"], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )

    before = check()
    assert before.returncode == 1
    assert before.stderr.startswith("voirie: no worker gave a sign of life")
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(WORKER, env=environment, cwd=tmp_path, stdout=log, stderr=log) as worker,
    ):
        wait_until(lambda: check().returncode == 0, what="the worker's sign of life")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0, (tmp_path / "log").read_text(encoding="utf-8")
    assert check().returncode == 1
