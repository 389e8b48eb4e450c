"""A collector on an encrypted connection to Mosquitto, whose certificate a throw-away authority vouches for."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.ingest_bench.wire import BulkPublisher
from ingest.address import BrokerAddress
from ingest.collector import Collector
from ingest.session import establish_session
from storage.errors import UnavailableError
from tests.acceptance.collecting import Town, collecting
from tests.conftest import mosquitto_program
from tests.tools import answers, free_port, missing, wait_until

LARGE = b"x" * 150_000


def openssl(*arguments: str | Path, cwd: Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], cwd=cwd, check=True, capture_output=True)


def make_authority(folder: Path, name: str) -> Path:
    """An authority's key and certificate; the certificate's file."""
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    extensions = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
    openssl(*request, *extensions, "-keyout", f"{name}.key", "-out", f"{name}.pem", cwd=folder)
    return folder / f"{name}.pem"


@dataclass(frozen=True)
class SecureBroker:
    port: int
    ca_file: Path
    stranger: Path


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    program = mosquitto_program()
    if program is None or shutil.which("openssl") is None:
        missing("Mosquitto, or openssl")
    folder = tmp_path_factory.mktemp("tls")
    ca_file, stranger = make_authority(folder, "town"), make_authority(folder, "stranger")
    (folder / "server.ext").write_text("subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n", encoding="utf-8")
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", "server.key"]
    openssl("req", *key, "-subj", "/CN=localhost", "-out", "server.csr", cwd=folder)
    openssl(
        "x509", "-req", "-in", "server.csr", "-CA", "town.pem", "-CAkey", "town.key", "-CAcreateserial", "-days", "2",
        "-extfile", "server.ext", "-out", "server.pem", cwd=folder,
    )  # fmt: skip
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\ncertfile {folder}/server.pem\nkeyfile {folder}/server.key\nallow_anonymous true\n"
        "user root\nlog_dest none\nmax_inflight_messages 4000\nmax_queued_messages 0\n",
        encoding="utf-8",
    )
    with subprocess.Popen([program, "-c", str(settings)], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: answers(port), what="Mosquitto's port")
            yield SecureBroker(port=port, ca_file=ca_file, stranger=stranger)
        finally:
            process.terminate()


@pytest.fixture
def town(database_url: str, broker: SecureBroker) -> Town:
    town = Town(database_url=database_url, broker_url=f"mqtts://localhost:{broker.port}")
    town.provision()
    return town


def publish(town: Town, broker: SecureBroker, publications: list[tuple[str, bytes]]) -> None:
    address = BrokerAddress.parse(town.broker_url, ca_file=broker.ca_file)
    with BulkPublisher(address, f"publisher-{town.name}") as publisher:
        for publication in publications:
            publisher.publish([publication])
        publisher.wait()


def test_everything_arrives_once(town: Town, broker: SecureBroker):
    # Large ones among them: TLS hands out records of 16 KiB, and holds back what the socket no longer shows.
    establish_session(town.options(ca_file=broker.ca_file))
    messages = town.stream(3000)
    large = [(topic, payload[:-1] + b',"x":"' + LARGE + b'"}') for topic, payload in town.stream(3)]
    publish(town, broker, [*messages[:1500], *large, *messages[1500:]])
    with collecting(town.options(ca_file=broker.ca_file, max_payload_bytes=400_000)):
        town.wait_for_messages(3003)
    assert town.counters() == list(range(3000))
    assert town.tally() == (3003, 3000, 3, 0)


def value(collector: Collector, name: str) -> float:
    return collector.metrics.registry.get_sample_value(name) or 0.0


# paho 2.2 leaves a connection whose handshake failed to be closed by Python, which says so.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("trusted", ["stranger", "nobody", "another host"])
def test_a_broker_that_nobody_vouches_for_is_not_spoken_to(
    town: Town, broker: SecureBroker, trusted: str, capfd: pytest.CaptureFixture[str]
):
    ca_file = {"stranger": broker.stranger, "nobody": None, "another host": broker.ca_file}[trusted]
    host = "127.0.0.1" if trusted == "another host" else "localhost"
    options = town.options(ca_file=ca_file, broker_url=f"mqtts://{host}:{broker.port}")
    with pytest.raises(UnavailableError):
        establish_session(options, timeout_s=1.0)
    assert "certificate verify failed" in capfd.readouterr().out
    with collecting(options) as collector:
        wait_until(lambda: "certificate verify failed" in capfd.readouterr().out, what="a refusal in the log")
        assert value(collector, "voirie_broker_connected") == 0
