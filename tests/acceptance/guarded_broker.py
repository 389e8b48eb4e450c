"""The broker as docker-compose.yml runs it, on this machine: its configuration, users, rights and certificate."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from cli.broker.keeping import Keeper
from tests.conftest import mosquitto_program
from tests.tools import REPOSITORY, answers, free_port, missing, wait_until

SERVICES = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
CONFIG = REPOSITORY / "config"
FILTERS = ("voirie/v1/93051/+/readings", "application/+/device/+/event/up")
PASSWORDS = {"collector": "one secret", "simulator": "two-secret"}


@dataclass(kw_only=True)
class GuardedBroker:
    """A running Mosquitto and the folder that stands for the container's files.

    `port` is the one of devices and networks, `inner_port` the collectors'.
    """

    folder: Path
    keeper: Keeper
    port: int = field(default_factory=free_port)
    inner_port: int = field(default_factory=free_port)

    @property
    def ca_file(self) -> Path:
        return self.folder / "secrets" / "broker" / "ca.pem"

    def in_place(self, text: str) -> str:
        """Turn the container's paths, ports and `$$` into this broker's."""
        for there, here in {
            "/run/secrets/mqtt_ca": self.ca_file,
            "/run/secrets": self.folder / "secrets",
            "/mosquitto/certificates": self.folder / "secrets" / "broker",
            "/mosquitto/config/broker.sh": CONFIG / "compose" / "broker.sh",
            "/mosquitto/config/mosquitto.conf": self.folder / "mosquitto.conf",
            "/mosquitto/": f"{self.folder}/",
            "$$": "$",
            "listener 8883": f"listener {self.port} 127.0.0.1",
            "listener 8884": f"listener {self.inner_port} 127.0.0.1",
            "-p 8884": f"-p {self.inner_port}",
        }.items():
            text = text.replace(there, str(here))
        return text

    def url(self, user: str, password: str) -> str:
        return f"mqtts://{user}:{password}@localhost:{self.inner_port if user == 'collector' else self.port}"

    def client(self, program: str, user: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of Mosquitto's clients as one of the installation's own users, or as anybody."""
        port = self.inner_port if user == "collector" else self.port
        login = ["-u", user, "-P", PASSWORDS[user]] if user in PASSWORDS else []
        return subprocess.run(
            [program, "-p", str(port), "--cafile", str(self.ca_file), "-q", "1", *login, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def connect(self, user: str, password: str, *, client_id: str = "") -> Client:
        """Connect as a device or network does; the loop runs until `disconnect` and `loop_stop`."""
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        client.username_pw_set(user, password)
        client.tls_set(ca_certs=str(self.ca_file))
        client.connect("localhost", self.port)
        client.loop_start()
        wait_until(client.is_connected, what=f"the connection of {user}")
        return client

    def admits(self, user: str, password: str) -> bool:
        """Whether the broker lets this user in now."""
        done = subprocess.run(
            ["mosquitto_pub", "-p", str(self.port), "--cafile", str(self.ca_file), "-u", user, "-P", password,
             "-t", "voirie/v1/health", "-m", "", "-q", "1"],
            capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        return done.returncode == 0


@contextmanager
def guarded_broker(folder: Path, database_url: str) -> Iterator[GuardedBroker]:
    """Run the broker of the compose file with the users of the database, which a keeper writes when asked."""
    program = mosquitto_program()
    if program is None or shutil.which("mosquitto_sub") is None or shutil.which("openssl") is None:
        missing("Mosquitto with its clients, or openssl")
    for name in ("secrets", "access", "data"):
        (folder / name).mkdir()
    for user, password in PASSWORDS.items():
        (folder / "secrets" / f"mqtt_{user}_password").write_text(password + "\n", encoding="utf-8")
    subprocess.run([REPOSITORY / "scripts" / "make-broker-certificate", folder / "secrets"], check=True)
    keeper = Keeper(
        database_url=database_url,
        folder=folder / "access",
        filters=FILTERS,
        collector_password_file=folder / "secrets" / "mqtt_collector_password",
        simulator_password_file=folder / "secrets" / "mqtt_simulator_password",
    )
    keeper.refresh()
    broker = GuardedBroker(folder=folder, keeper=keeper)
    shipped = broker.in_place((CONFIG / "mosquitto.conf").read_text(encoding="utf-8"))
    # The container's user is not on this machine: the broker runs as whoever runs the tests.
    (folder / "mosquitto.conf").write_text(f"{shipped}\nuser root\n", encoding="utf-8")
    service = SERVICES["broker"]
    command = [broker.in_place(part) for part in service["entrypoint"] + service["command"]]
    path = f"{Path(program).parent}:{os.environ['PATH']}"
    with subprocess.Popen(
        command,
        env=os.environ | {"PATH": path, "BROKER_LOOKS_S": "0.2"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_until(lambda: answers(broker.port) and answers(broker.inner_port), what="Mosquitto's ports")
            yield broker
        finally:
            process.terminate()
