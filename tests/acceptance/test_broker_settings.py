"""The broker as docker-compose.yml runs it: its passwords, rights, limits and health check, on a real Mosquitto."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import mosquitto_program
from tests.tools import REPOSITORY, answers, free_port, missing, wait_until

SERVICES = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
CONFIG = REPOSITORY / "config"
PASSWORDS = {"collector": "one secret", "devices": "two-secret"}
NOT_AUTHORISED = 5


class Broker:
    """A running Mosquitto and the folder that stands for the container's files."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def in_place(self, text: str) -> str:
        """Turn the container's paths, port and `$$` into this broker's."""
        text = text.replace("/mosquitto/config", str(CONFIG)).replace("/mosquitto/", f"{self.folder}/")
        return text.replace("/run/secrets", f"{self.folder}/secrets").replace("$$", "$")

    def client(self, program: str, user: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        login = ["-u", user, "-P", PASSWORDS[user]] if user in PASSWORDS else []
        return subprocess.run(
            [program, "-p", str(self.port), "-q", "1", *login, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    program = mosquitto_program()
    if program is None or shutil.which("mosquitto_passwd") is None or shutil.which("mosquitto_sub") is None:
        missing("Mosquitto with its clients")
    broker = Broker(tmp_path, free_port())
    for folder in ("secrets", "passwords", "data"):
        (tmp_path / folder).mkdir()
    for user, password in PASSWORDS.items():
        (tmp_path / "secrets" / f"mqtt_{user}_password").write_text(password + "\n", encoding="utf-8")
    (job,) = SERVICES["broker-passwords"]["command"]
    # No user of that name is needed here: the broker runs as whoever runs the tests.
    script = re.sub(r"^chown .*$", "", broker.in_place(job), flags=re.MULTILINE)
    subprocess.run(["/bin/sh", "-euc", script], check=True, capture_output=True)
    settings = broker.in_place((CONFIG / "mosquitto.conf").read_text(encoding="utf-8"))
    settings = settings.replace("listener 1883", f"listener {broker.port} 127.0.0.1\nuser root")
    (tmp_path / "mosquitto.conf").write_text(settings, encoding="utf-8")
    with subprocess.Popen(
        [program, "-c", str(tmp_path / "mosquitto.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: answers(broker.port), what="Mosquitto's port")
            yield broker
        finally:
            process.terminate()


def test_nobody_enters_without_the_right_password(broker: Broker):
    for user in ("nobody", "collector"):
        refused = broker.client("mosquitto_sub", user, *([] if user == "nobody" else ["-P", "wrong"]), "-t", "a", "-E")
        assert refused.returncode == NOT_AUTHORISED, refused.stderr
    kept = (broker.folder / "passwords" / "passwords").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^(\w+):\$", kept, re.MULTILINE)) == ["collector", "devices"]
    assert not any(password in kept for password in PASSWORDS.values())


def test_devices_speak_and_the_collector_listens(broker: Broker):
    # A collector that could write, or a device that could read, would be one stolen password away from everything.
    collecting = ["-c", "-i", "collecting", "-t", "voirie/v1/#", "-t", "application/#", "-t", "elsewhere/#"]
    overhearing = ["-c", "-i", "overhearing", "-t", "voirie/v1/#"]
    assert broker.client("mosquitto_sub", "collector", *collecting, "-E").returncode == 0
    assert broker.client("mosquitto_sub", "devices", *overhearing, "-E").returncode == 0
    topics = ["voirie/v1/93051/COR-1/readings", "elsewhere/readings", "application/1/device/0a/event/up"]
    broker.client("mosquitto_pub", "collector", "-t", topics[0], "-m", "forged")
    for topic in topics:
        broker.client("mosquitto_pub", "devices", "-t", topic, "-m", topic)
    heard = broker.client("mosquitto_sub", "collector", *collecting, "-C", "2", "-W", "10")
    assert heard.stdout.splitlines() == [topics[0], topics[2]]
    overheard = broker.client("mosquitto_sub", "devices", *overhearing, "-C", "1", "-W", "1")
    assert overheard.stdout == ""


def test_collectors_may_share_what_they_may_read(broker: Broker):
    session = ["-V", "mqttv311", "-c", "-i", "member"]
    topics = ["-t", "$share/group/voirie/v1/#", "-t", "$share/group/elsewhere/#"]
    assert broker.client("mosquitto_sub", "collector", *session, *topics, "-E").returncode == 0
    for topic in ("voirie/v1/93051/COR-1/readings", "elsewhere/readings", "voirie/v1/93051/COR-2/readings"):
        broker.client("mosquitto_pub", "devices", "-t", topic, "-m", topic)
    heard = broker.client("mosquitto_sub", "collector", *session, *topics, "-C", "2", "-W", "10")
    assert heard.stdout.split() == ["voirie/v1/93051/COR-1/readings", "voirie/v1/93051/COR-2/readings"]


def test_health_check_tells_a_broker_that_serves_from_one_that_does_not(broker: Broker):
    kind, command = SERVICES["broker"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    check = broker.in_place(command).replace("mosquitto_sub", f"mosquitto_sub -p {broker.port}")
    assert subprocess.run(["/bin/sh", "-c", check], check=False, timeout=30).returncode == 0
    elsewhere = check.replace(str(broker.port), str(free_port()))
    assert subprocess.run(["/bin/sh", "-c", elsewhere], check=False, timeout=30, capture_output=True).returncode != 0


def test_message_too_large_for_a_reading_still_reaches_the_collector(broker: Broker, tmp_path: Path):
    large = tmp_path / "large"
    large.write_bytes(b"x" * 200_000)
    session = ["-c", "-i", "listener", "-t", "voirie/v1/#"]
    broker.client("mosquitto_sub", "collector", *session, "-E")
    broker.client("mosquitto_pub", "devices", "-t", "voirie/v1/93051/COR-1/readings", "-f", str(large))
    heard = broker.client("mosquitto_sub", "collector", *session, "-C", "1", "-W", "10")
    assert heard.stdout == "x" * 200_000 + "\n"
