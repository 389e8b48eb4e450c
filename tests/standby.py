"""A process that has imported the libraries, and nothing of ours, and becomes `python -m cli` when it is asked to.

Most of what a command of a second does is to import libraries. Each command still is a process of its own, with its own
arguments, environment, folder and streams, and imports all of ours itself. `tests/commanding.py` starts and asks it.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import socket
import sys
import time

LIBRARIES = (
    "typer.rich_utils", "rich.progress", "msgspec.json", "pydantic_settings", "structlog", "psycopg.types.json",
    "psycopg_pool", "numpy", "httpx",
)  # fmt: skip


def become(request: dict[str, object], streams: list[int]) -> list[str]:
    """Take over streams, folder and environment of a request; return its arguments."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[call-overload]
    os.chdir(str(request["cwd"]))
    time.tzset()
    sys.path[0] = str(request["cwd"])
    return list(request["arguments"])  # type: ignore[call-overload]


def wait_for_request(control: socket.socket) -> list[str]:
    """Return, in a process of its own, the arguments of a request; ends this one when nobody asks any more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for a command
    while True:
        asked, received, _, _ = socket.recv_fds(control, 1, 4)
        if not asked:
            os._exit(0)
        if os.fork():
            for each in received:
                os.close(each)
            continue
        control.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with socket.socket(fileno=received[0]) as channel, channel.makefile("rw", encoding="utf-8") as told:
            request = json.loads(told.readline())
            command = os.fork()
            if command:
                told.write(f"{command}\n")
                told.flush()
                _, status = os.waitpid(command, 0)
                told.write(f"{os.waitstatus_to_exitcode(status)}\n")
                told.flush()
                os._exit(0)
        return become(request, received[1:])


def main() -> None:
    """Stand by, and go on as `voirie`."""
    for name in LIBRARIES:
        importlib.import_module(name)
    sys.argv = ["voirie", *wait_for_request(socket.socket(fileno=int(sys.argv[1])))]
    runpy.run_module("cli", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
