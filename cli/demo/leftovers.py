"""Processes of a demo that was killed: found by the next one on the same folder and ended before it starts its own."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
import psutil
import structlog

log = structlog.get_logger()

_PATIENCE_S = 15.0


class _Noted(msgspec.Struct, frozen=True):
    """A process by number and start: a number alone may belong to another program by now."""

    pid: int
    started_at_s: float


def _file(folder: Path) -> Path:
    return folder / "processes.json"


def _noted(folder: Path) -> list[_Noted]:
    try:
        return msgspec.json.decode(_file(folder).read_bytes(), type=list[_Noted])
    except (FileNotFoundError, msgspec.DecodeError):
        return []


def note(folder: Path, pid: int) -> None:
    """Write down that the process `pid` belongs to the demo of `folder`."""
    with suppress(psutil.NoSuchProcess):
        noted = [*_noted(folder), _Noted(pid=pid, started_at_s=psutil.Process(pid).create_time())]
        _file(folder).write_bytes(msgspec.json.encode(noted))


def end_leftovers(folder: Path) -> int:
    """End what an earlier demo of `folder` left running, gently and then not; return how many there were."""
    alive = []
    for entry in _noted(folder):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(entry.pid)
            if process.create_time() == entry.started_at_s:
                process.terminate()
                alive.append(process)
    _, stubborn = psutil.wait_procs(alive, timeout=_PATIENCE_S)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _file(folder).unlink(missing_ok=True)
    if alive:
        log.warning("leftovers_ended", processes=len(alive))
    return len(alive)
