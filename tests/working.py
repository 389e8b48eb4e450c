"""The worker as a town runs it, a process of its own, for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.tools import REPOSITORY


@contextmanager
def running_worker(folder: Path, settings: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `voirie worker` in `folder` with these variables of the environment; it has to end well when told to."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}
    environment |= {"PYTHONPATH": str(REPOSITORY), **settings}
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "cli", "worker"], env=environment, cwd=folder, stdout=output, stderr=output
        ) as process,
    ):
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text(encoding="utf-8")
