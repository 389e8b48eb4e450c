"""The broker as docker-compose.yml runs it: its passwords, rights, limits and health check, on a real Mosquitto."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.guarded_broker import PASSWORDS, SERVICES, GuardedBroker, guarded_broker
from tests.tools import answers, free_port, wait_until

NOT_AUTHORISED = 5


@pytest.fixture
def broker(tmp_path: Path, database_url: str) -> Iterator[GuardedBroker]:
    with guarded_broker(tmp_path, database_url) as running:
        yield running


def test_nobody_enters_without_a_password(broker: GuardedBroker):
    for user in ("nobody", "collector"):
        refused = broker.client("mosquitto_sub", user, *([] if user == "nobody" else ["-P", "wrong"]), "-t", "a", "-E")
        assert refused.returncode == NOT_AUTHORISED, refused.stderr
    kept = (broker.folder / "access" / "passwords").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^(\w+):\$7\$", kept, re.MULTILINE)) == ["collector", "simulator"]
    assert not any(password in kept for password in PASSWORDS.values())


def test_nothing_is_spoken_in_the_clear(broker: GuardedBroker):
    for port in (broker.port, broker.inner_port):
        plain = subprocess.run(
            ["mosquitto_pub", "-p", str(port), "-u", "simulator", "-P", PASSWORDS["simulator"], "-t", "a", "-m", "b"],
            capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        assert plain.returncode != 0


def test_devices_speak_and_the_collector_listens(broker: GuardedBroker):
    # A collector that could write, or a device that could read, would be one stolen password away from everything.
    collecting = ["-c", "-i", "collecting", "-t", "voirie/v1/#", "-t", "application/#", "-t", "elsewhere/#"]
    overhearing = ["-c", "-i", "overhearing", "-t", "voirie/v1/#"]
    # Mosquitto takes any subscription, and looks at the rights of each message.
    assert broker.client("mosquitto_sub", "collector", *collecting, "-E").returncode == 0
    assert broker.client("mosquitto_sub", "simulator", *overhearing, "-E").returncode == 0
    topics = ["voirie/v1/93051/COR-1/readings", "elsewhere/readings", "application/1/device/0a/event/up"]
    broker.client("mosquitto_pub", "collector", "-t", topics[0], "-m", "forged")
    for topic in topics:
        broker.client("mosquitto_pub", "simulator", "-t", topic, "-m", topic)
    heard = broker.client("mosquitto_sub", "collector", *collecting, "-C", "2", "-W", "10")
    assert heard.stdout.splitlines() == [topics[0], topics[2]]
    overheard = broker.client("mosquitto_sub", "simulator", *overhearing, "-C", "1", "-W", "1")
    assert overheard.stdout == ""


def test_collectors_may_share_what_they_may_read(broker: GuardedBroker):
    session = ["-V", "mqttv311", "-c", "-i", "member"]
    topics = ["-t", "$share/group/voirie/v1/93051/+/readings"]
    assert broker.client("mosquitto_sub", "collector", *session, *topics, "-E").returncode == 0
    for topic in ("voirie/v1/93051/COR-1/readings", "elsewhere/readings", "voirie/v1/93051/COR-2/readings"):
        broker.client("mosquitto_pub", "simulator", "-t", topic, "-m", topic)
    heard = broker.client("mosquitto_sub", "collector", *session, *topics, "-C", "2", "-W", "10")
    assert heard.stdout.split() == ["voirie/v1/93051/COR-1/readings", "voirie/v1/93051/COR-2/readings"]


def test_health_check_tells_a_broker_that_serves_from_one_that_does_not(broker: GuardedBroker):
    kind, command = SERVICES["broker"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    check = broker.in_place(command).replace("mosquitto_sub", "mosquitto_sub -h localhost")
    assert subprocess.run(["/bin/sh", "-c", check], check=False, timeout=30).returncode == 0
    elsewhere = check.replace(str(broker.inner_port), str(free_port()))
    assert subprocess.run(["/bin/sh", "-c", elsewhere], check=False, timeout=30, capture_output=True).returncode != 0


def test_message_too_large_for_a_reading_still_reaches_the_collector(broker: GuardedBroker, tmp_path: Path):
    large = tmp_path / "large"
    large.write_bytes(b"x" * 200_000)
    session = ["-c", "-i", "listener", "-t", "voirie/v1/93051/+/readings"]
    broker.client("mosquitto_sub", "collector", *session, "-E")
    broker.client("mosquitto_pub", "simulator", "-t", "voirie/v1/93051/COR-1/readings", "-f", str(large))
    heard = broker.client("mosquitto_sub", "collector", *session, "-C", "1", "-W", "10")
    assert heard.stdout == "x" * 200_000 + "\n"


def test_certificate_is_renewed_without_a_restart(broker: GuardedBroker):
    def serial() -> str:
        said = subprocess.run(
            ["openssl", "s_client", "-connect", f"localhost:{broker.port}", "-servername", "localhost"],
            input="", capture_output=True, text=True, timeout=30, check=False,
        ).stdout  # fmt: skip
        return subprocess.run(
            ["openssl", "x509", "-noout", "-serial"], input=said, capture_output=True, text=True, check=True
        ).stdout

    before = serial()
    script = str(Path(__file__).parents[2] / "scripts" / "make-broker-certificate")
    kept = subprocess.run([script, str(broker.folder / "secrets")], capture_output=True, text=True, check=True)
    assert kept.stdout == "", "a good one is kept"
    subprocess.run([script, str(broker.folder / "secrets"), "mqtt.example.fr"], capture_output=True, check=True)
    wait_until(lambda: serial() != before, what="the new certificate")
    assert broker.admits("simulator", PASSWORDS["simulator"])


def test_broker_ends_when_its_container_is_stopped(tmp_path: Path, database_url: str):
    with guarded_broker(tmp_path, database_url) as running:
        port = running.port
    wait_until(lambda: not answers(port), what="the end of Mosquitto")
