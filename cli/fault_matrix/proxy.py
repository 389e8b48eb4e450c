"""A network that can be cut: a TCP proxy on the loopback, between a program of ours and a service.

`hold` is a network that swallows everything: nobody hears of it, bytes wait as they wait in TCP's retransmissions, and
`release` lets them go on. `forget` is a firewall that lost its state: the connections of now stay silent for ever, new
ones work. `reset` breaks connections, `refuse` admits no new ones.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

from cli.fault_matrix.sockets import TURN_S, Endpoint, listen_anywhere, listen_on, received, sent

_ACCEPT_S = 0.2
_DIRECTIONS = 2
# Below the range that systems take outgoing ports from: the port must still be ours after a time of refusing.
_FIRST_PORT, _PORTS, _TRIES = 20_000, 12_000, 200
# Closing with "linger 0" resets the connection instead of ending it in order.
_RESET = struct.pack("ii", 1, 0)


class Tap(Protocol):
    """Sees what passes."""

    def up(self, chunk: bytes) -> None:
        """See bytes that pass from the program to the service."""

    def down(self, chunk: bytes) -> None:
        """See bytes that pass from the service to the program."""


class Silence:
    """A tap that looks away."""

    def up(self, chunk: bytes) -> None:
        """See nothing."""

    def down(self, chunk: bytes) -> None:
        """See nothing."""


@dataclass(eq=False, kw_only=True)
class Link:
    """One connection through the proxy."""

    client: socket.socket
    service: socket.socket | None
    tap: Tap
    forgotten: bool = False
    closed: bool = False
    ended: int = 0

    @property
    def sockets(self) -> list[socket.socket]:
        """Both ends, or the client's alone while the service has not been reached."""
        return [end for end in (self.client, self.service) if end is not None]


class Proxy:
    """Passes connections on to an endpoint until told otherwise; use it as a context manager."""

    def __init__(self, target: Endpoint, tap: Callable[[], Tap] = Silence) -> None:
        self.target = target
        self._make_tap = tap
        self._listener = listen_anywhere()
        self.port: int = self._listener.getsockname()[1]
        self._change = threading.Condition()
        self._links: list[Link] = []
        self._up_held = self._down_held = self._refusing = self._closing = False
        self.accepted = 0
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start_accepting()
        return self

    def __exit__(self, *exception: object) -> None:
        with self._change:
            self._closing = True
            self._change.notify_all()
        self.reset()
        for thread in self._threads:
            thread.join()
        with contextlib.suppress(OSError):
            self._listener.close()

    # --- the faults ---

    def hold(self, *, up: bool = True, down: bool = True) -> None:
        """Pass nothing on in the given directions; connections stay, and new ones are accepted and stay silent."""
        with self._change:
            self._up_held, self._down_held = up, down

    def release(self) -> None:
        """Pass everything on again, but for connections that were forgotten."""
        with self._change:
            self._up_held = self._down_held = False
            self._change.notify_all()

    def forget(self) -> int:
        """Leave the connections of now silent for ever; return how many there were."""
        with self._change:
            living = self._living()
            for link in living:
                link.forgotten = True
        return len(living)

    def reset(self) -> int:
        """Break every connection; return how many there were."""
        with self._change:
            living = self._living()
            for link in living:
                self._close(link)
            self._links.clear()
        return len(living)

    def refuse(self) -> None:
        """Admit no new connections: they are refused, as if nothing listened."""
        with self._change:
            self._refusing = True
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._listener.close()

    def admit(self) -> None:
        """Admit connections again on the same port."""
        if self._refusing:
            self._listener = listen_on(self.port)
            self._refusing = False
            self._start_accepting()

    @property
    def taps(self) -> list[Tap]:
        """The taps of the connections that still are."""
        with self._change:
            return [link.tap for link in self._living()]

    # --- the traffic ---

    def _living(self) -> list[Link]:
        self._links = [link for link in self._links if not link.closed]
        return list(self._links)

    def _close(self, link: Link, *, in_order: bool = False) -> None:
        """Close both ends, with a reset unless `in_order`; the pumps wake up and end."""
        if link.closed:
            return
        link.closed = True
        for end in link.sockets:
            with contextlib.suppress(OSError):
                if not in_order:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    # A close alone would not wake a thread that waits in recv.
                    end.shutdown(socket.SHUT_RD)
            with contextlib.suppress(OSError):
                end.close()
        self._change.notify_all()

    def _start_accepting(self) -> None:
        self._listener.settimeout(_ACCEPT_S)
        thread = threading.Thread(target=self._accept, name=f"proxy {self.port}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self) -> None:
        while not (self._closing or self._refusing):
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            client.settimeout(TURN_S)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(client=client, service=None, tap=self._make_tap())
            with self._change:
                self.accepted += 1
                self._links.append(link)
            threading.Thread(target=self._serve, args=[link], name=f"proxy {self.port} up", daemon=True).start()

    def _serve(self, link: Link) -> None:
        """Reach the service once the network lets us, then pass bytes both ways."""
        if not self._may_pass(link, up=True):
            return
        try:
            service = self.target.connect()
        except OSError:
            with self._change:
                self._close(link)
            return
        with self._change:
            link.service = service
            if link.closed:
                service.close()
                return
        down = threading.Thread(
            target=self._pump, args=[link, service, link.client], kwargs={"up": False}, daemon=True,
            name=f"proxy {self.port} down",
        )  # fmt: skip
        down.start()
        self._pump(link, link.client, service, up=True)

    def _may_pass(self, link: Link, *, up: bool) -> bool:
        """Wait until the direction is open; False when the link is closed instead."""
        with self._change:
            while not link.closed and (link.forgotten or (self._up_held if up else self._down_held)):
                self._change.wait()
            return not link.closed

    def _pump(self, link: Link, source: socket.socket, sink: socket.socket, *, up: bool) -> None:
        see = link.tap.up if up else link.tap.down
        while (chunk := received(source)) is not None:
            if not self._may_pass(link, up=up):
                return
            if not chunk:
                # What comes the other way still passes: closing on unread bytes would take back what was sent.
                with contextlib.suppress(OSError):
                    sink.shutdown(socket.SHUT_WR)
                break
            if not sent(sink, chunk):
                break
            see(chunk)
        with self._change:
            link.ended += 1
            if link.ended == _DIRECTIONS or chunk is None:
                self._close(link, in_order=chunk is not None)
