"""What a process has used: processor time, with that of its children, and memory."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

_EVERY_S = 0.05
_TRIES = 10


def processor_s(pid: int | None) -> float | None:
    """Return the processor seconds of a process and of all its children, living and ended; None when unseen."""
    if pid is None:
        return None
    try:
        parent = psutil.Process(pid)
        own = parent.cpu_times()
        living = 0.0
        for _ in range(_TRIES):
            before, living, own = own, _living_s(parent), parent.cpu_times()
            # A child that ended meanwhile would be counted twice or not at all: ask again.
            if (own.children_user, own.children_system) == (before.children_user, before.children_system):
                break
    except psutil.Error:
        return None
    return float(own.user + own.system + own.children_user + own.children_system + living)


def _living_s(parent: psutil.Process) -> float:
    total = 0.0
    for child in parent.children(recursive=True):
        with suppress(psutil.Error):
            used = child.cpu_times()
            total += used.user + used.system
    return total


class PeakMemory:
    """Follows the resident memory of a process while it runs. `megabytes` is the largest seen."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="peak memory", daemon=True)
        self.megabytes = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._done.wait(_EVERY_S):
            with suppress(psutil.Error):
                self.megabytes = max(self.megabytes, _peak_bytes(self._pid) / 1e6)


def _peak_bytes(pid: int) -> int:
    """Return the peak as the kernel kept it (Linux), otherwise what is resident now."""
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(psutil.Process(pid).memory_info().rss)
