"""A password is looked at: two at once, and of a flood most are sent away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request

from api.metrics import LogIn
from api.state import state_of
from storage.database import Connection
from storage.errors import UnavailableError

_AT_ONCE = threading.BoundedSemaphore(2)
"""Argon2id takes 64 MiB and some tenths of a second for each try, by design."""
_WAITING = threading.BoundedSemaphore(8)
"""Who waits holds one of the threads that serve all requests."""


@contextmanager
def proving(request: Request) -> Iterator[Connection]:
    """Yield a transaction in which a password may be looked at. Raises UnavailableError in a flood of log-ins."""
    if not _WAITING.acquire(blocking=False):
        state_of(request)["metrics"].count_log_in(LogIn.FLOOD)
        raise UnavailableError("too many log-ins at once; try again in a moment")
    try:
        with _AT_ONCE, state_of(request)["pool"].identity() as connection:
            yield connection
    finally:
        _WAITING.release()
