"""The processes of a load: what the worker does beside it, what each takes of processor and memory."""

from __future__ import annotations

import contextlib
import statistics
import time
from array import array
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import psutil

from cli.stopping import stop_on_signals
from config.settings import Settings

TENTHS = 10
_JOBS_EVERY_S, _BAYS_EVERY_S = 15.0, 180.0


def work_all_day(url: str) -> None:
    """Do what the worker does for every commune while readings come: reviews, sessions, free places."""
    from cli.jobs import Jobs  # noqa: PLC0415 - brings the models in, which this process alone needs

    stop = stop_on_signals()
    jobs = Jobs(settings=Settings(), database_url=url)
    bays_s = time.monotonic()
    with jobs.connect() as connection:
        known = [row[0] for row in connection.execute("SELECT commune_insee FROM commune ORDER BY 1")]
        while not stop.is_set():
            began_s = time.monotonic()
            for insee in known:
                if stop.is_set():
                    return
                jobs.review(connection, insee, now=datetime.now(UTC))
                jobs.kerb.sessions(connection, insee)
                if began_s - bays_s >= _BAYS_EVERY_S:
                    jobs.kerb.forecast_bays(connection, insee, as_of=datetime.now(UTC))
            if began_s - bays_s >= _BAYS_EVERY_S:
                bays_s = began_s
            stop.wait(max(0.0, _JOBS_EVERY_S - (time.monotonic() - began_s)))


def family(pid: int | None) -> list[psutil.Process]:
    """Return a process with its children; nothing of one that is not to be seen."""
    if pid is None:
        return []
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def cpu_s(pids: Mapping[str, int | None]) -> dict[str, float]:
    """Return the processor seconds that each has used, its children included."""
    found = {}
    for name, pid in pids.items():
        used = 0.0
        for process in family(pid) if name != "clients" else [psutil.Process()]:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                used += times.user + times.system + times.children_user + times.children_system
        found[name] = used
    return found


def pss_mb(pid: int | None) -> float:
    """Return what a process and its children hold, what they share counted once."""
    held = 0
    for process in family(pid):
        with contextlib.suppress(psutil.Error):
            held += process.memory_full_info().pss
    return held / 2**20


def tenths(each: list[float]) -> list[float]:
    """Return the median of each tenth of the run."""
    size = max(1, len(each) // TENTHS)
    parts = [each[at : at + size] for at in range(0, size * TENTHS, size)]
    return [round(statistics.median(part), 1) for part in parts if part]


def growth(each: list[float]) -> float | None:
    """Return how much more the last tenth held than the second, in which everything is warm."""
    parts = tenths(each)
    return round(parts[-1] - parts[1], 1) if len(parts) == TENTHS else None


def quantiles(each: array[float]) -> dict[str, float]:
    """Return the median, the 95th and the 99th percentile; nothing of nothing."""
    if not each:
        return {}
    return {
        name: round(float(value), 1)
        for name, value in zip(("p50", "p95", "p99"), np.percentile(np.frombuffer(each), (50, 95, 99)), strict=True)
    }
