"""A collector on an encrypted connection to Mosquitto, whose certificate a throw-away authority vouches for."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.ingest_bench.wire import BulkPublisher
from ingest.address import BrokerAddress
from ingest.collector import Collector
from ingest.session import establish_session
from storage.errors import UnavailableError
from tests.acceptance.collecting import Town, collecting
from tests.certificates import Authority, Certificate, make_authority
from tests.conftest import mosquitto_program
from tests.tools import answers, free_port, missing, wait_until

LARGE = b"x" * 150_000


@contextmanager
def mosquitto(folder: Path, certificate: Certificate, *lines: str) -> Iterator[int]:
    """A Mosquitto with this certificate; its port."""
    program = mosquitto_program()
    if program is None:
        missing("Mosquitto")
    port = free_port()
    settings = folder / f"mosquitto-{port}.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\ncertfile {certificate.cert_file}\nkeyfile {certificate.key_file}\n"
        + "".join(f"{line}\n" for line in lines)
        + "allow_anonymous true\nuser root\nlog_dest none\nmax_inflight_messages 4000\nmax_queued_messages 0\n",
        encoding="utf-8",
    )
    with subprocess.Popen([program, "-c", str(settings)], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: answers(port), what="Mosquitto's port")
            yield port
        finally:
            process.terminate()


@dataclass(frozen=True)
class SecureBrokers:
    """Brokers of a town: one as it should be, one whose certificate expired, one that asks who connects."""

    port: int
    expired_port: int
    asking_port: int
    town: Authority
    stranger: Authority


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBrokers]:
    folder = tmp_path_factory.mktemp("tls")
    town, stranger = make_authority(folder, "town"), make_authority(folder, "stranger")
    good, expired = town.vouch("server"), town.vouch("old-server", days=-1)
    with ExitStack() as stack:
        yield SecureBrokers(
            port=stack.enter_context(mosquitto(folder, good)),
            expired_port=stack.enter_context(mosquitto(folder, expired)),
            asking_port=stack.enter_context(
                mosquitto(folder, good, f"cafile {town.ca_file}", "require_certificate true")
            ),
            town=town,
            stranger=stranger,
        )


@pytest.fixture
def town(database_url: str, brokers: SecureBrokers) -> Town:
    town = Town(database_url=database_url, broker_url=f"mqtts://localhost:{brokers.port}")
    town.provision()
    return town


def publish(town: Town, brokers: SecureBrokers, publications: list[tuple[str, bytes]]) -> None:
    address = BrokerAddress.parse(town.broker_url, ca_file=brokers.town.ca_file)
    with BulkPublisher(address, f"publisher-{town.name}") as publisher:
        for publication in publications:
            publisher.publish([publication])
        publisher.wait()


def test_everything_arrives_once(town: Town, brokers: SecureBrokers):
    # Large ones among them: TLS hands out records of 16 KiB, and holds back what the socket no longer shows.
    establish_session(town.options(ca_file=brokers.town.ca_file))
    messages = town.stream(3000)
    large = [(topic, payload[:-1] + b',"x":"' + LARGE + b'"}') for topic, payload in town.stream(3)]
    publish(town, brokers, [*messages[:1500], *large, *messages[1500:]])
    with collecting(town.options(ca_file=brokers.town.ca_file, max_payload_bytes=400_000)):
        town.wait_for_messages(3003)
    assert town.counters() == list(range(3000))
    assert town.tally() == (3003, 3000, 3, 0)


def value(collector: Collector, name: str) -> float:
    return collector.metrics.registry.get_sample_value(name) or 0.0


# paho 2.2 leaves a connection whose handshake failed to be closed by Python, which says so.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("case", "advice"),
    [
        pytest.param("stranger", "name its authority's in mqtt.ca_file", id="somebody else vouches"),
        pytest.param("nobody", "name its authority's in mqtt.ca_file", id="the system knows it not"),
        pytest.param("another host", "connect by a name that stands in it", id="another host's"),
        pytest.param("expired", "localhost's certificate has expired: renew it", id="expired"),
    ],
)
def test_a_broker_that_nobody_vouches_for_is_not_spoken_to(
    town: Town, brokers: SecureBrokers, case: str, advice: str, capfd: pytest.CaptureFixture[str]
):
    ca_file = {"stranger": brokers.stranger.ca_file, "nobody": None}.get(case, brokers.town.ca_file)
    host = "127.0.0.1" if case == "another host" else "localhost"
    port = brokers.expired_port if case == "expired" else brokers.port
    options = town.options(ca_file=ca_file, broker_url=f"mqtts://{host}:{port}")
    with pytest.raises(UnavailableError):
        establish_session(options, timeout_s=1.0)
    said = capfd.readouterr().out
    assert "certificate verify failed" in said
    assert advice in said
    with collecting(options) as collector:
        wait_until(lambda: advice in capfd.readouterr().out, what="a refusal in the log")
        assert value(collector, "voirie_broker_connected") == 0


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_that_asks_who_connects_is_shown_the_certificate(town: Town, brokers: SecureBrokers):
    url, ca_file = f"mqtts://localhost:{brokers.asking_port}", brokers.town.ca_file
    for stranger in (None, brokers.stranger.vouch("collector")):
        shown = {} if stranger is None else {"cert_file": stranger.cert_file, "key_file": stranger.key_file}
        with pytest.raises(UnavailableError):
            establish_session(town.options(broker_url=url, ca_file=ca_file, **shown), timeout_s=1.0)
    ours = brokers.town.vouch("collector")
    establish_session(
        town.options(broker_url=url, ca_file=ca_file, cert_file=ours.cert_file, key_file=ours.key_file), timeout_s=10
    )
