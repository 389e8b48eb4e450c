"""The sockets under the proxy: where services listen, where it listens itself, and bytes in and out."""

from __future__ import annotations

import contextlib
import secrets
import socket
import ssl
from dataclasses import dataclass

from storage.errors import UnavailableError

_CHUNK = 65536
_CONNECT_S = 10.0
TURN_S = 0.25
"""How long a thread stays in one call: so soon a closed connection is given back to the system."""
# Below the range that systems take outgoing ports from: the port must still be ours after a time of refusing.
_FIRST_PORT, _PORTS, _TRIES = 20_000, 12_000, 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """Where a service listens: a host and port, or the path of a Unix socket as `host` with port 0.

    With `tls` what passes is encrypted from here on, so that a proxy can count what it passes.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def connect(self) -> socket.socket:
        """Open a connection; OSError when nobody answers."""
        if self.port == 0:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(_CONNECT_S)
            connection.connect(self.host)
        else:
            connection = socket.create_connection((self.host, self.port), timeout=_CONNECT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is not None:
            connection = self.tls.wrap_socket(connection, server_hostname=self.host)
        connection.settimeout(TURN_S)
        return connection


def received(source: socket.socket) -> bytes | None:
    """Return the next bytes, none of them at the stream's end; None when the connection is broken or closed."""
    while True:
        try:
            return source.recv(_CHUNK)
        except TimeoutError:
            continue
        except OSError:
            return None


def sent(sink: socket.socket, chunk: bytes) -> bool:
    """Send it all; False when the connection is broken or closed."""
    rest = memoryview(chunk)
    while rest:
        try:
            rest = rest[sink.send(rest) :]
        except TimeoutError:
            continue
        except OSError:
            return False
    return True


def listen_on(port: int) -> socket.socket:
    """Listen on the loopback's `port`; OSError when it is taken."""
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def listen_anywhere() -> socket.socket:
    """Listen on a free port of the loopback."""
    for _ in range(_TRIES):
        with contextlib.suppress(OSError):
            return listen_on(_FIRST_PORT + secrets.randbelow(_PORTS))
    raise UnavailableError("no free TCP port on the loopback interface")
