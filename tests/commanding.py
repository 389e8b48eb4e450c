"""Runs `voirie` as a person does: a process of its own, with its own arguments, environment, folder and streams."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from tests.tools import REPOSITORY

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}
"""This machine's, without settings."""


def run_voirie(
    *arguments: str, cwd: Path, given: str | bytes | None = None, timeout_s: float = 60, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in `cwd` with `given` on its standard input; `variables` are added to the environment."""
    told, said, complained = (tempfile.TemporaryFile() for _ in range(3))  # noqa: SIM115 - closed below
    ours, theirs = socket.socketpair()
    with told, said, complained, ours, ours.makefile("rw", encoding="utf-8") as channel:
        if given is not None:
            told.write(given.encode() if isinstance(given, str) else given)
            told.seek(0)
        with theirs:
            socket.send_fds(_standby(), [b"?"], [each.fileno() for each in (theirs, told, said, complained)])
        environment = ENVIRONMENT | {"PYTHONPATH": str(REPOSITORY)} | variables
        request = {"arguments": arguments, "cwd": str(cwd), "environment": environment}
        channel.write(f"{json.dumps(request)}\n")
        channel.flush()
        ours.settimeout(timeout_s)
        command = int(channel.readline())
        try:
            code = int(channel.readline())
        except TimeoutError as error:
            with suppress(ProcessLookupError):
                os.kill(command, signal.SIGKILL)
            raise subprocess.TimeoutExpired(["voirie", *arguments], timeout_s) from error
        output = [_all_of(each.fileno()) for each in (said, complained)]
    return subprocess.CompletedProcess(["voirie", *arguments], code, *output)


def _all_of(file: int) -> str:
    size = os.fstat(file).st_size
    return os.pread(file, size, 0).decode()


@cache
def _standby() -> socket.socket:
    """Return where to ask the process that stands by, which ends with this one."""
    ours, theirs = socket.socketpair()
    command: Sequence[str] = [sys.executable, str(REPOSITORY / "tests" / "standby.py"), str(theirs.fileno())]
    environment: Mapping[str, str] = ENVIRONMENT | {"PYTHONPATH": str(REPOSITORY), "OPENBLAS_NUM_THREADS": "1"}
    with theirs:
        process = subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)

    def end() -> None:
        ours.close()
        process.wait(10)

    atexit.register(end)
    return ours
