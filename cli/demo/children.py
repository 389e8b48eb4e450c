"""The demo's processes, each in a session of its own (Ctrl-C reaches the demo alone), logging to its own file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.demo.leftovers import note
from config.settings import ENVIRONMENT_PREFIX, Settings
from storage.errors import UnavailableError

_STOP_S = 15.0
_POLL_S = 0.1


def child_environment(settings: Settings) -> dict[str, str]:
    """Return an environment in which a child reads exactly these settings, with logs as JSON lines."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
    for table, options in settings.model_dump(mode="json").items():
        environment[ENVIRONMENT_PREFIX + table.upper()] = json.dumps(options)
    environment[ENVIRONMENT_PREFIX + "LOG"] = json.dumps({"level": "info", "format": "json"})
    # One thread a numeric library: the processes share two cores, and would only wait for each other.
    return environment | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Child:
    """A running process of the demo."""

    def __init__(self, name: str, command: list[str], *, environment: Mapping[str, str], folder: Path) -> None:
        """Start `command`; its output goes to `logs` in the demo's folder, where it is noted as the demo's own."""
        self.name = name
        self.log = folder / "logs" / f"{name}.log"
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("wb") as stream:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        note(folder, self._process.pid)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def require_running(self) -> None:
        """Raise UnavailableError with the end of its log when the process has ended."""
        if self.returncode is not None:
            raise UnavailableError(f"the process {self.name!r} ended with code {self.returncode}: {self.last_words()}")

    def last_words(self) -> str:
        """Return the last lines of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return " | ".join(lines[-3:]) or "it said nothing"

    def stop(self) -> None:
        """Ask it to end (SIGTERM) and wait; kill it when it does not."""
        if self.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def voirie(*arguments: str) -> list[str]:
    """Return the command line of another `voirie` process with this interpreter."""
    return [sys.executable, "-m", "cli", *arguments]


@contextmanager
def running(child: Child) -> Iterator[Child]:
    """Stop the child at the end of the block, whatever ends it."""
    try:
        yield child
    finally:
        child.stop()


def wait_for(
    condition: Callable[[], bool], *, children: tuple[Child, ...], what: str, patience_s: float | None = None
) -> None:
    """Wait until `condition` holds, as long as all children live; UnavailableError otherwise or after `patience_s`."""
    deadline = None if patience_s is None else time.monotonic() + patience_s
    while not condition():
        for child in children:
            child.require_running()
        if deadline is not None and time.monotonic() > deadline:
            raise UnavailableError(f"{what} did not happen within {patience_s:.0f} s")
        time.sleep(_POLL_S)


class LogTail:
    """New events of a child's JSON log, each time it is asked."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the complete JSON lines written since the last call; other lines are passed over."""
        with self._file.open("rb") as stream:
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if isinstance(event, dict):
                    yield event
