"""The sockets under the proxy: where services listen, where it listens itself, and bytes in and out."""

from __future__ import annotations

import contextlib
import errno
import secrets
import select
import socket
import ssl
import threading
from collections.abc import Buffer
from dataclasses import dataclass

from storage.errors import UnavailableError

_CHUNK = 65536
_CONNECT_S = 10.0
TURN_S = 0.25
"""How long a thread stays in one call: so soon a closed connection is given back to the system."""
# Below the range that systems take outgoing ports from: the port must still be ours after a time of refusing.
_FIRST_PORT, _PORTS, _TRIES = 20_000, 12_000, 200


class TlsEnd(ssl.SSLSocket):
    """A TLS connection that one thread reads while another writes.

    OpenSSL's state of a connection is one for both ways, and Python 3.13.0 lets two threads into it at once: records
    were then garbled ("bad record mac"). Neither call waits inside of it.
    """

    _turns: threading.Lock

    def guard(self) -> None:
        """Begin to take turns; the handshake is over."""
        self._turns = threading.Lock()
        self.setblocking(False)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Return the next bytes; TimeoutError when none came within a turn."""
        for _ in range(2):
            with self._turns, contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return super().recv(buflen, flags)
            if not self._waited(reading=True):
                break
        raise TimeoutError

    def send(self, data: Buffer, flags: int = 0) -> int:
        """Send some bytes and return how many; TimeoutError when none went within a turn."""
        with self._turns, contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return super().send(data, flags)
        self._waited(reading=False)
        raise TimeoutError

    def _waited(self, *, reading: bool) -> bool:
        """Wait a turn for bytes, or for room; False when there are none. OSError when the connection is closed."""
        number = self.fileno()
        if number < 0:
            raise OSError(errno.EBADF, "the connection is closed")
        ways: tuple[list[int], list[int]] = ([number], []) if reading else ([], [number])
        return any(select.select(*ways, [], TURN_S)[:2])

    def shutdown(self, how: int) -> None:
        """Say that nothing follows; what the other side still sends is decrypted as before."""
        with self._turns:
            socket.socket.shutdown(self, how)


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
            self.tls.sslsocket_class = TlsEnd
            encrypted = self.tls.wrap_socket(connection, server_hostname=self.host)
            assert isinstance(encrypted, TlsEnd)
            encrypted.guard()
            return encrypted
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
