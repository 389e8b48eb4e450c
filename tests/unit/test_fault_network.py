"""The network that the fault matrix cuts, and the meter that counts what passes through it."""

from __future__ import annotations

import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from cli.fault_matrix.meter import MqttMeter
from cli.fault_matrix.proxy import Proxy
from cli.fault_matrix.sockets import Endpoint
from tests.certificates import make_authority
from tests.tools import wait_until


class Echo:
    """A service that answers every byte with itself, and remembers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = Endpoint(host="127.0.0.1", port=self._listener.getsockname()[1])
        self.heard = bytearray()
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while chunk := connection.recv(65536):
                self.heard += chunk
                connection.sendall(chunk)
        connection.close()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    service = Echo()
    yield service
    service.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(echo.endpoint) as proxy:
        yield proxy


@contextmanager
def client(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        yield connection


def says(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    return hears(connection, len(text))


def hears(connection: socket.socket, length: int) -> bytes:
    heard = b""
    while len(heard) < length and (chunk := connection.recv(length - len(heard))):
        heard += chunk
    return heard


def is_silent(connection: socket.socket) -> bool:
    connection.settimeout(0.3)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(10)
    return False


def test_what_is_said_passes_both_ways(proxy: Proxy):
    text = random.Random(1).randbytes(2_000_000)
    with client(proxy) as connection:
        sender = threading.Thread(target=connection.sendall, args=[text])
        sender.start()
        assert hears(connection, len(text)) == text
        sender.join()


def test_the_end_of_a_stream_passes_after_what_was_said(proxy: Proxy, echo: Echo):
    with client(proxy) as connection:
        connection.sendall(b"last words")
        connection.shutdown(socket.SHUT_WR)
        assert hears(connection, 10) == b"last words"
        assert connection.recv(1) == b""
    assert echo.heard == b"last words"


def test_held_bytes_wait_and_go_on(proxy: Proxy, echo: Echo):
    with client(proxy) as connection:
        says(connection, b"before")
        proxy.hold()
        connection.sendall(b"meanwhile")
        assert is_silent(connection)
        with client(proxy) as newcomer:
            newcomer.sendall(b"new")
            assert is_silent(newcomer)
            assert echo.heard == b"before"
            proxy.release()
            assert hears(newcomer, 3) == b"new"
        assert hears(connection, 9) == b"meanwhile"


def test_one_direction_is_held_alone(proxy: Proxy, echo: Echo):
    with client(proxy) as connection:
        says(connection, b"before")
        proxy.hold(up=False, down=True)
        connection.sendall(b"heard")
        wait_until(lambda: echo.heard == b"beforeheard", what="the way up")
        assert is_silent(connection)
        proxy.release()
        assert hears(connection, 5) == b"heard"


def test_forgotten_connections_stay_silent_and_new_ones_work(proxy: Proxy, echo: Echo):
    with client(proxy) as forgotten:
        says(forgotten, b"before")
        proxy.hold()
        assert proxy.forget() == 1
        proxy.release()
        forgotten.sendall(b"is anybody there")
        assert is_silent(forgotten)
        with client(proxy) as later:
            assert says(later, b"later") == b"later"
        assert is_silent(forgotten)
    assert b"is anybody" not in echo.heard


def test_broken_connections_are_reset(proxy: Proxy):
    with client(proxy) as connection:
        says(connection, b"before")
        assert proxy.reset() == 1
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with client(proxy) as again:
        assert says(again, b"again") == b"again"


def test_connections_are_refused_and_admitted_on_the_same_port(proxy: Proxy):
    with client(proxy) as connection:
        says(connection, b"before")
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError), client(proxy):
            pass
        assert says(connection, b"still here") == b"still here"
        proxy.admit()
        with client(proxy) as again:
            assert says(again, b"again") == b"again"


def test_a_service_that_is_gone_ends_the_connection(proxy: Proxy, echo: Echo):
    echo.close()
    with suppress(ConnectionResetError), client(proxy) as connection:
        assert connection.recv(1) == b""


def packet(first: int, body: bytes) -> bytes:
    length, head = len(body), bytearray([first])
    while True:
        length, digit = divmod(length, 128)
        head.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000, 10**6], ids=lambda step: f"in pieces of {step}")
def test_packets_are_counted_however_they_are_cut(step: int):
    # Bodies hold what looks like heads of packets, and have lengths of one to three digits.
    down = b"".join(
        [
            packet(0x20, b"\0\0"),
            packet(0x32, b"\x32\x02" * 40),
            packet(0x3A, b"\x32\x02" * 10_000),
            packet(0x30, b"\x40\x02at most once"),
            packet(0xD0, b""),
            packet(0x33, b"\x40\x02retained" * 100),
        ]
    )
    up = packet(0x10, b"MQTT" * 50) + packet(0x40, b"\0\x01") + packet(0xC0, b"") + packet(0x40, b"\0\x02")
    meter = MqttMeter()
    for start in range(0, len(down), step):
        meter.down(down[start : start + step])
    for start in range(0, len(up), step):
        meter.up(up[start : start + step])
    assert (meter.received, meter.redelivered, meter.acknowledged, meter.held) == (3, 1, 2, 1)


def test_publications_sent_again_are_counted():
    meter = MqttMeter()
    meter.up(packet(0x32, b"first") + packet(0x3A, b"again"))
    assert meter.resent == 1


def test_both_ways_of_a_tls_connection_pass_at_once_unharmed(tmp_path: Path):
    """OpenSSL's state is one for both ways: two threads in it at once garbled records, and a fault failed by it."""
    authority = make_authority(tmp_path, "ca")
    certificate = authority.vouch("server")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate.cert_file, certificate.key_file)
    listener = socket.create_server(("127.0.0.1", 0))
    sent_down = random.Random(2).randbytes(6_000_000)
    heard_up = bytearray()

    def serve() -> None:
        plain, _ = listener.accept()
        with theirs.wrap_socket(plain, server_side=True) as connection:
            # One thread for both ways here: what is tried is the proxy's.
            connection.setblocking(False)
            rest = memoryview(sent_down)
            while rest or len(heard_up) < len(sent_up):
                with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    heard_up.extend(connection.recv(16384))
                with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    rest = rest[connection.send(rest[:16384]) :] if rest else rest
            connection.setblocking(True)
            with suppress(OSError):
                connection.recv(1)

    sent_up = random.Random(1).randbytes(6_000_000)
    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    ours = ssl.create_default_context(cafile=str(authority.ca_file))
    target = Endpoint(host="localhost", port=listener.getsockname()[1], tls=ours)
    with Proxy(target) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as program:
        program.settimeout(30)
        sending = threading.Thread(target=program.sendall, args=[sent_up], daemon=True)
        sending.start()
        heard_down = bytearray()
        while len(heard_down) < len(sent_down) and (chunk := program.recv(65536)):
            heard_down.extend(chunk)
        sending.join(timeout=30)
        wait_until(lambda: len(heard_up) == len(sent_up), what="the last byte up")
    listener.close()
    assert heard_down == sent_down
    assert heard_up == sent_up


def test_no_two_threads_are_in_one_tls_connection_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What the test above meets by chance: one thread waits for bytes inside of the connection while another writes."""
    inside: dict[int, int] = {}
    met: list[str] = []
    called: set[str] = set()
    guard = threading.Lock()

    def watched(name: str) -> Callable[..., Any]:
        call = getattr(ssl.SSLSocket, name)

        def enter(self: ssl.SSLSocket, *arguments: Any) -> Any:
            with guard:
                called.add(name)
                inside[id(self)] = inside.get(id(self), 0) + 1
                if inside[id(self)] > 1:
                    met.append(name)
            try:
                return call(self, *arguments)
            finally:
                with guard:
                    inside[id(self)] -= 1

        return enter

    authority = make_authority(tmp_path, "ca")
    certificate = authority.vouch("server")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate.cert_file, certificate.key_file)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        plain, _ = listener.accept()
        with theirs.wrap_socket(plain, server_side=True) as connection, suppress(OSError):
            while chunk := connection.read(1024):  # not watched: `recv` and `send` are the proxy's here
                connection.write(chunk)

    threading.Thread(target=serve, daemon=True).start()
    for name in ("recv", "send"):
        monkeypatch.setattr(ssl.SSLSocket, name, watched(name))
    target = Endpoint(
        host="localhost",
        port=listener.getsockname()[1],
        tls=ssl.create_default_context(cafile=str(authority.ca_file)),
    )
    with Proxy(target) as proxy, client(proxy) as program:
        for turn in range(20):
            assert says(program, b"%02d" % turn) == b"%02d" % turn
    listener.close()
    assert called == {"recv", "send"}
    assert met == []
