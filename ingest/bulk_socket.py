"""A connection that paho shares with us: messages are read and acknowledged in bulk, everything else is paho's.

paho reads a message with three calls of the system and acknowledges it with a fourth, and each of them hands the
interpreter to the thread that decodes. Here one call reads a hundred messages, and one acknowledges a batch.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, cast

from paho.mqtt.client import Client

from ingest.packets import PacketReader, ProtocolError, Publication

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

# A hundred messages of LoRaWAN; it is also by how much the bound on what waits may be exceeded.
_READ_BYTES = 65_536
_LAST_WORDS_S = 1.0


class BulkSocket:
    """Stands between paho and its socket: paho sees a stream without messages, and what it writes is joined."""

    def __init__(self, connection: SocketLike) -> None:
        self._connection = connection
        self._reader = PacketReader()
        self._for_paho = b""
        self._failure: Exception | None = None
        self._ended = False
        self._unsent = bytearray()

    # --- what we use ---

    def receive(self) -> list[Publication]:
        """Read what has arrived, at most 64 KiB, and return the messages in it.

        What fails is kept for paho, whose next `recv` meets it: it knows how to end a connection.
        """
        try:
            data = self._connection.recv(_READ_BYTES)
            if not data:
                self._ended = True
                return []
            publications, others = self._reader.feed(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return []
        except ProtocolError as error:
            self._failure = ConnectionAbortedError(str(error))
            return []
        except OSError as error:
            self._failure = error
            return []
        self._for_paho += others
        return publications

    @property
    def has_for_paho(self) -> bool:
        """Whether paho's `loop_read` has something to do."""
        return bool(self._for_paho) or self._ended or self._failure is not None

    @property
    def has_unread(self) -> bool:
        """Whether TLS holds bytes that the operating system no longer shows."""
        return isinstance(self._connection, ssl.SSLSocket) and self._connection.pending() > 0

    @property
    def has_unsent(self) -> bool:
        """Whether the connection has to be writable for what was sent to go out."""
        return bool(self._unsent)

    def flush(self) -> None:
        """Send what waits, as far as the connection takes it; failures are kept for paho."""
        while self._unsent:
            try:
                sent = self._connection.send(self._unsent)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as error:
                self._failure = error
                self._unsent.clear()
                return
            del self._unsent[:sent]

    # --- what paho uses ---

    def recv(self, buffer_size: int) -> bytes:
        """Return bytes of packets that are no messages."""
        if self._for_paho:
            data, self._for_paho = self._for_paho[:buffer_size], self._for_paho[buffer_size:]
            return data
        if self._failure is not None:
            raise self._failure
        if self._ended:
            return b""
        raise BlockingIOError

    def send(self, buffer: bytes | bytearray) -> int:
        """Take everything; `flush` sends it."""
        self._unsent += buffer
        return len(buffer)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._connection.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - a socket's own signature
        """Pass it on."""
        self._connection.setblocking(flag)

    def close(self) -> None:
        """Send the last words, such as DISCONNECT, and close."""
        if self._unsent and self._failure is None and isinstance(self._connection, socket.socket):
            with contextlib.suppress(OSError):
                self._connection.settimeout(_LAST_WORDS_S)
                self._connection.sendall(self._unsent)
        self._unsent.clear()
        self._connection.close()


class BulkClient(Client):
    """paho's client on a `BulkSocket`."""

    # The one place where paho 2 makes its connection, whatever the transport (its own for websockets wraps likewise).
    def _create_socket(self) -> SocketLike:
        return BulkSocket(super()._create_socket())

    def bulk_socket(self) -> BulkSocket | None:
        """Return the connection, None without one."""
        return cast("BulkSocket | None", self.socket())
