"""The processes that search: started, given jobs, listened to, ended."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import IO, Self

from optimise.rounds.engines.pyvrp_search.orders import Found
from optimise.rounds.engines.pyvrp_search.searcher import Job, Recreate, Setting
from storage.errors import VoirieError

_PATIENCE_S = 0.1  # between looks at whether to stop


class SearcherLostError(VoirieError):
    """A process that searched for rounds ended on its own; its memory may have been short."""


class Team:
    """So many processes with the same problem, each with a seed of its own."""

    def __init__(self, settings: Sequence[Setting]) -> None:
        self._workers: list[subprocess.Popen[bytes]] = []
        self._settings = settings

    def __enter__(self) -> Self:
        program = [sys.executable, "-m", "optimise.rounds.engines.pyvrp_search.worker"]
        # One thread each: they are as many as there are cores.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._workers = [
            subprocess.Popen(  # noqa: S603 - our own module
                program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
            )
            for _ in self._settings
        ]
        for worker, setting in zip(self._workers, self._settings, strict=True):
            _send(worker, setting)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.wait()
            for pipe in (worker.stdin, worker.stdout):
                if pipe is not None:
                    _close(pipe)

    def __len__(self) -> int:
        return len(self._settings)

    def run(
        self,
        jobs: Sequence[Sequence[Job | Recreate]],
        *,
        stopped: Callable[[], bool],
        until: float | None,
        arrived: Callable[[int, int, Found], None],
    ) -> bool:
        """Give each worker its jobs and hand on what it finds, as it comes: worker, job, found.

        Returns False when `stopped` said so, or the clock (time.monotonic) passed `until`, before all was found; then
        the workers are in the middle of something, and the team is of no further use.
        """
        for process, mine in zip(self._workers, jobs, strict=True):
            for job in mine:
                _send(process, job)
        done = [0] * len(self._workers)
        waiting = {worker: mine for worker, mine in enumerate(jobs) if mine}
        while waiting:
            if stopped() or (until is not None and time.monotonic() >= until):
                return False
            pipes = {self._output(worker): worker for worker in waiting}
            ready, _, _ = select.select(list(pipes), [], [], _PATIENCE_S)
            for pipe in ready:
                worker = pipes[pipe]
                arrived(worker, done[worker], self._receive(pipe))
                done[worker] += 1
                if done[worker] == len(waiting[worker]):
                    del waiting[worker]
        return True

    def _output(self, worker: int) -> IO[bytes]:
        pipe = self._workers[worker].stdout
        assert pipe is not None
        return pipe

    def _receive(self, pipe: IO[bytes]) -> Found:
        try:
            found = pickle.load(pipe)  # noqa: S301 - it comes from a process that this one started
        except (EOFError, pickle.UnpicklingError) as error:
            raise SearcherLostError from error
        assert isinstance(found, Found)
        return found


def _send(worker: subprocess.Popen[bytes], message: Setting | Job | Recreate) -> None:
    assert worker.stdin is not None
    try:
        pickle.dump(message, worker.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        worker.stdin.flush()
    except BrokenPipeError as error:
        raise SearcherLostError from error


def _close(pipe: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.close()
