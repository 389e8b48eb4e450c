"""Clients of the web server: requests at a steady rate whatever the answers take, and pages that listen.

A request's time counts from when it was due, so that a server that falls behind does not hide it by being asked less.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.load_processes import quantiles

_PATIENCE_S = 30.0
_OK, _BAD = 200, 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """One request."""

    path: str
    method: str = "GET"
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Told:
    """What the answers to one kind of request were: milliseconds, bytes as they came (compressed), what went wrong."""

    took_ms: array[float] = field(default_factory=lambda: array("d"))
    size: int = 0
    errors: dict[str, int] = field(default_factory=dict)

    def document(self, seconds: float) -> dict[str, Any]:
        """Return it as figures of a run of so many seconds."""
        found: dict[str, Any] = {"requests": len(self.took_ms), "errors": dict(self.errors)}
        if self.took_ms:
            found |= {
                "per_s": round(len(self.took_ms) / seconds, 2),
                "kilobytes": round(self.size / len(self.took_ms) / 1e3, 1),
            }
            found |= {f"{name}_ms": value for name, value in quantiles(self.took_ms).items()}
            found["max_ms"] = round(max(self.took_ms), 1)
        return found


class Askers:
    """Threads that ask for one kind of thing at a rate; each has a connection that it keeps."""

    def __init__(self, port: int, *, rate_per_s: float, ask: Callable[[int], Ask], stop: threading.Event) -> None:
        self._port, self._rate, self._ask, self._stop = port, rate_per_s, ask, stop
        self._count = max(2, min(32, round(rate_per_s * 2)))
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._began_s = 0.0
        self.told = Told()

    def start(self) -> None:
        """Begin; the first request is due at once."""
        self._began_s = time.perf_counter()
        for number in range(self._count):
            thread = threading.Thread(target=self._run, args=(number,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def join(self) -> None:
        """Wait until what was asked is answered."""
        for thread in self._threads:
            thread.join(timeout=2 * _PATIENCE_S)

    def _run(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_S)
        while not self._stop.is_set():
            due_s = self._began_s + number / self._rate
            if self._stop.wait(max(0.0, due_s - time.perf_counter())):
                break
            wrong, size = _asked(connection, self._ask(number))
            took_ms = 1000 * (time.perf_counter() - due_s)
            with self._lock:
                self.told.took_ms.append(took_ms)
                self.told.size += size
                if wrong is not None:
                    self.told.errors[wrong] = self.told.errors.get(wrong, 0) + 1
            number += self._count
        connection.close()


def _asked(connection: http.client.HTTPConnection, ask: Ask) -> tuple[str | None, int]:
    """Return what was wrong with the answer (None: nothing) and how many bytes it had."""
    headers = {"Accept-Encoding": "gzip", **ask.headers}
    body = None
    if ask.body is not None:
        body = json.dumps(ask.body).encode()
        headers["Content-Type"] = "application/json"
    try:
        try:
            connection.request(ask.method, ask.path, body=body, headers=headers)
            answer = connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            # The server ends connections that were idle for some seconds; every browser asks again on a new one.
            connection.close()
            connection.request(ask.method, ask.path, body=body, headers=headers)
            answer = connection.getresponse()
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return type(error).__name__, 0
    return (None if _OK <= answer.status < _BAD else str(answer.status)), len(content)


class Listeners:
    """Pages that are open: each holds a stream of events and counts them."""

    def __init__(self, port: int, asks: Sequence[Ask], *, stop: threading.Event) -> None:
        self._port, self._asks, self._stop = port, asks, stop
        self.events = 0
        self.cut_off = 0

    def start(self) -> None:
        """Open them all."""
        for ask in self._asks:
            threading.Thread(target=self._listen, args=(ask,), daemon=True).start()

    def _listen(self, ask: Ask) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_S)
        try:
            connection.request("GET", ask.path, headers=dict(ask.headers))
            answer = connection.getresponse()
            while not self._stop.is_set():
                line = answer.readline()
                if not line:
                    break
                self.events += line.startswith(b"event:")
        except (OSError, http.client.HTTPException):
            pass
        if not self._stop.is_set():
            self.cut_off += 1
