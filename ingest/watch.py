"""Waiting for a connection and for another thread's call at the same time."""

from __future__ import annotations

import contextlib
import selectors
import socket
from typing import Any, Self


class Watch:
    """Waits until the connection can be read or written, or somebody writes to the waker's other end."""

    def __init__(self, woken: socket.socket, connection: Any) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(woken, selectors.EVENT_READ)
        self._woken = woken
        self._connection = connection
        self._events = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._selector.close()

    def wait(self, timeout_s: float, *, reading: bool, writing: bool) -> bool:
        """Wait at most `timeout_s`; return whether the connection can be read."""
        events = (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if writing else 0)
        if events != self._events:
            if not events:
                self._selector.unregister(self._connection)
            elif not self._events:
                self._selector.register(self._connection, events)
            else:
                self._selector.modify(self._connection, events)
            self._events = events
        readable = False
        for key, ready in self._selector.select(timeout_s):
            if key.fileobj is self._woken:
                with contextlib.suppress(BlockingIOError):
                    self._woken.recv(4096)
            elif ready & selectors.EVENT_READ:
                readable = True
        # TLS may hold back what the socket no longer shows: with no time to wait, a look costs nothing.
        return readable or (reading and timeout_s == 0)
