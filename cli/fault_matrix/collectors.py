"""Collectors as they run in service: processes of `voirie collect`, which a row may kill."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, Self

import psutil

from cli.demo.children import Child, LogTail, child_environment, voirie
from cli.fault_matrix.waiting import wait
from config.settings import Settings
from storage.errors import UnavailableError

_MEGABYTE = 2**20
_DEATH_S = 10.0


class CollectorProcess:
    """One collector; use it as a context manager. It stops in order at the end, unless it was killed."""

    def __init__(self, settings: Settings, *, folder: Path, name: str) -> None:
        self._child = Child(name, voirie("collect"), environment=child_environment(settings), folder=folder)
        self._tail = LogTail(self._child.log)
        self._events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._child.stop()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._child.pid

    def stop(self) -> None:
        """Stop it as an operator does; UnavailableError when it ended with an error."""
        self._child.stop()
        if self._child.returncode:
            raise UnavailableError(f"a collector ended with {self._child.returncode}: {self._child.last_words()}")

    def kill(self) -> None:
        """Send SIGKILL, and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        if not wait(lambda: self._child.returncode is not None, patience_s=_DEATH_S):
            raise UnavailableError("a collector does not die")

    def require_running(self) -> None:
        """Raise UnavailableError when it has ended by itself."""
        self._child.require_running()

    @property
    def rss_mb(self) -> float:
        """Its resident memory."""
        return float(psutil.Process(self.pid).memory_info().rss) / _MEGABYTE

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return what it has logged under a name so far."""
        self._events.extend(self._tail.events())
        return [event for event in self._events if event.get("event") == name]
