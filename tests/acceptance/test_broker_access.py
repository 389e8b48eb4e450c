"""Each device and network has a user of its own on the broker, and can do nothing but publish as itself."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from paho.mqtt.client import Client
from psycopg.conninfo import make_conninfo

from ingest.options import CollectorOptions
from ingest.session import establish_session
from ingest.topics import Network
from storage import broker_credentials, communes, devices, places
from storage.broker_secrets import prove
from storage.database import connect
from storage.isolation import ROLE
from storage.model import Commune, Device, DeviceStatus, Mounting, ParkingSpace, PlaceKind
from tests.acceptance.collecting import collecting
from tests.acceptance.guarded_broker import PASSWORDS, GuardedBroker, guarded_broker
from tests.commanding import run_voirie
from tests.tools import wait_until

INSEE = "93051"
A, B = "sonde-A", "sonde.B"
BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}


@dataclass(kw_only=True)
class Town:
    """Two devices that publish themselves, the broker that they meet, and the command."""

    database_url: str
    broker: GuardedBroker
    folder: Path

    def voirie(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        done = run_voirie("broker", *arguments, "--json", cwd=self.folder, VOIRIE_DATABASE__URL=self.database_url)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if code == 0 else {"said": done.stderr}

    def issue(self, *arguments: str) -> tuple[str, str]:
        """The user and password that `voirie broker` gives, known to the broker."""
        (issued,) = self.voirie(*arguments)["issued"]
        self.refresh()
        wait_until(lambda: self.broker.admits(issued["user"], issued["password"]), what=f"{issued['user']} let in")
        return issued["user"], issued["password"]

    def refresh(self) -> None:
        self.broker.keeper.refresh()

    def options(self) -> CollectorOptions:
        return CollectorOptions(
            database_url=self.database_url,
            broker_url=self.broker.url("collector", PASSWORDS["collector"].replace(" ", "%20")),
            ca_file=self.broker.ca_file,
            client_id="voirie-collector",
            networks=(
                Network(
                    name="native", commune_insee=INSEE, envelope="native", topic_filter="voirie/v1/93051/+/readings"
                ),
            ),
            batch_messages=100,
            batch_wait_s=0.05,
        )

    def stored(self) -> dict[str, int]:
        """How many readings there are of each device."""
        with psycopg.connect(self.database_url) as connection:
            return dict(
                connection.execute(
                    "SELECT eui, count(*) FROM occupancy_reading JOIN device USING (device_id) GROUP BY eui"
                ).fetchall()
            )

    def refused(self) -> list[tuple[str, str]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute("SELECT topic, detail FROM refused_message ORDER BY topic").fetchall()


@pytest.fixture
def town(tmp_path: Path, database_url: str) -> Iterator[Town]:
    with connect(database_url) as connection:
        communes.save(connection, Commune(commune_insee=INSEE, name="Essai"))
        spaces = [
            ParkingSpace(commune_insee=INSEE, place_id=f"P-{name}", longitude_deg=2.5, latitude_deg=48.8, street=None)
            for name in (A, B)
        ]
        places.save_parking_spaces(connection, spaces)
        for name in (A, B):
            device_id = devices.register(connection, Device(commune_insee=INSEE, eui=name, model="voirie-native"))
            devices.mount(
                connection,
                Mounting(
                    commune_insee=INSEE, device_id=device_id, place_id=f"P-{name}",
                    place_kind=PlaceKind.PARKING_SPACE, mounted_at=BEGAN - timedelta(days=1),
                ),
            )  # fmt: skip
        devices.register(connection, Device(commune_insee=INSEE, eui="24e124713d000001", model="bosch-tps110"))
    (tmp_path / "broker").mkdir()
    with guarded_broker(tmp_path / "broker", database_url) as broker:
        yield Town(database_url=database_url, broker=broker, folder=tmp_path)


def topic(name: str) -> str:
    return f"voirie/v1/{INSEE}/{name}/readings"


def reading(number: int, **claims: str) -> str:
    at = BEGAN + timedelta(seconds=number)
    return json.dumps({"readings": [{"measured_at": at.isoformat(), "occupied": number % 2 == 0}]} | claims)


def publish(client: Client, *messages: tuple[str, str]) -> None:
    """Publish with QoS 1, and wait until the broker has acknowledged.

    Mosquitto acknowledges what it denies, and closes the connection (with `max_queued_messages 0`): paho comes back.
    """
    for where, what in messages:
        published = client.publish(where, what, qos=1)
        # `is_published` raises while there is no connection, although the message waits for the next.
        wait_until(lambda published=published: published._published, what="an acknowledgement")  # type: ignore[misc]


def leave(client: Client) -> None:
    client.disconnect()
    client.loop_stop()


def test_a_device_publishes_as_itself_and_nobody_else(town: Town):
    establish_session(town.options())
    user, password = town.issue("issue", A)
    assert user == f"device.{INSEE}.{A}.1"
    client = town.broker.connect(user, password)
    publish(
        client,
        (topic(B), reading(1)),
        ("application/1/device/24e124713d000001/event/up", "{}"),
        (f"voirie/v1/75056/{A}/readings", reading(1)),
        ("voirie/v1/health", "x"),
        # On its own topic, as another one: refused by the collector, and kept.
        (topic(A), reading(2, device_id=B)),
        (topic(A), reading(3, device_id=A)),
    )
    leave(client)
    with collecting(town.options()):
        wait_until(lambda: town.stored() == {A: 1}, what="the reading of its own")
        wait_until(lambda: len(town.refused()) == 1, what="the claim refused and kept")
    ((where, detail),) = town.refused()
    assert where == topic(A)
    assert B in detail
    assert town.stored() == {A: 1}


def test_nobody_takes_over_the_session_of_a_collector(town: Town):
    establish_session(town.options())
    user, password = town.issue("issue", A)
    honest = town.broker.connect(user, password)
    publish(honest, (topic(A), reading(1)))
    leave(honest)
    thief = town.broker.connect(user, password, client_id="voirie-collector")
    publish(thief, (topic(A), reading(2)))
    leave(thief)
    with collecting(town.options()):
        wait_until(lambda: town.stored() == {A: 2}, what="what waited in the collector's session")


def test_rotation_loses_nothing_and_the_old_secret_ends(town: Town):
    establish_session(town.options())
    old = town.issue("issue", A)
    numbers = itertools.count(1)

    def stream(client: Client, messages: int) -> None:
        publish(client, *((topic(A), reading(next(numbers))) for _ in range(messages)))

    with collecting(town.options()):
        first = town.broker.connect(*old)
        stream(first, 20)
        new = town.issue("rotate", A, "--overlap-h", "1")
        assert new[0] == f"device.{INSEE}.{A}.2"
        # Both are good: the device changes when it can.
        stream(first, 20)
        second = town.broker.connect(*new)
        stream(second, 20)
        stream(first, 20)
        leave(first)
        with psycopg.connect(town.database_url) as connection:
            connection.execute("UPDATE broker_credential SET expires_at = now() WHERE user_name = %s", [old[0]])
        town.refresh()
        wait_until(lambda: not town.broker.admits(*old), what="the end of the old secret")
        stream(second, 20)
        leave(second)
        wait_until(lambda: town.stored() == {A: 100}, what="every message in its place")
    assert town.broker.admits(*new)


def test_who_is_revoked_is_put_out_at_once(town: Town):
    user, password = town.issue("issue", A)
    client = town.broker.connect(user, password)
    gone: list[bool] = []
    client.on_disconnect = lambda *_: gone.append(True)
    assert town.voirie("revoke", user) == {"revoked": [user]}
    town.refresh()
    wait_until(lambda: bool(gone), what="the end of the connection")
    wait_until(lambda: not town.broker.admits(user, password), what="no way back")
    client.loop_stop()
    assert town.voirie("list") == {"users": []}
    (kept,) = town.voirie("list", "--every")["users"]
    assert kept["revoked_at"] is not None


def test_a_network_speaks_under_its_own_filter(town: Town):
    establish_session(town.options())
    user, password = town.issue("issue", "--network", "chirpstack", "--topic", "application/7/device/+/event/+")
    assert user == f"network.{INSEE}.chirpstack.1"
    heard: list[str] = []
    town.broker.client("mosquitto_sub", "collector", "-c", "-i", "ear", "-t", "application/#", "-t", "voirie/#", "-E")
    client = town.broker.connect(user, password)
    publish(
        client,
        ("application/7/device/24e124713d000001/event/up", "own"),
        ("application/8/device/24e124713d000001/event/up", "another's"),
        (topic(A), "a device's"),
    )
    leave(client)
    ear = ["-c", "-i", "ear", "-t", "application/#", "-t", "voirie/#", "-W", "2"]
    heard += town.broker.client("mosquitto_sub", "collector", *ear).stdout.splitlines()
    assert heard == ["own"]


def test_what_cannot_be_is_refused_with_the_rule(town: Town):
    town.voirie("issue", A)
    for arguments, said in (
        (("issue", A), "voirie broker rotate"),
        (("issue",), "expected devices, or --network"),
        (("issue", "24e124713d000001"), "speaks through a network"),
        (("issue", "--network", "ttn"), "no network 'ttn' in the settings, only native, chirpstack"),
        (("issue", "--network", "chirpstack", "--topic", "#"), "a first level of the network's own"),
        (("issue", "--network", "chirpstack", "--topic", "a/#/b"), "expected '#' to be the last level"),
        (("issue", B, "--topic", "a"), "--topic is of a --network"),
    ):
        assert said in town.voirie(*arguments, code=2)["said"]
    assert "has no user to rotate" in town.voirie("rotate", B, code=1)["said"]
    assert "no user 'nobody'" in town.voirie("revoke", "nobody", code=1)["said"]
    (missing,) = town.voirie("issue", "--missing")["issued"]
    assert missing["device"] == B


def test_secrets_are_kept_nowhere_and_files_change_only_with_the_registry(town: Town):
    (issued,) = town.voirie("issue", A)["issued"]
    out, secret = town.folder / "access", issued["password"]
    out.mkdir()
    collector = town.broker.folder / "secrets" / "mqtt_collector_password"
    files = ["files", "--out", str(out), "--collector-password-file", str(collector)]
    assert town.voirie(*files) == {"users": 2, "changed": True}
    assert sorted(file.name for file in out.iterdir()) == ["acl", "passwords"]
    assert all(file.stat().st_mode & 0o777 == 0o640 for file in out.iterdir())
    kept = "".join(file.read_text(encoding="utf-8") for file in out.iterdir())
    with psycopg.connect(town.database_url) as connection:
        rows = connection.execute(
            "SELECT c::text, s::text FROM broker_credential AS c JOIN broker_secret AS s USING (credential_id)"
        )
        kept += str(rows.fetchall())
    assert secret not in kept
    keeper = town.broker.keeper
    keeper.refresh()
    assert keeper.refresh()[1] is False
    with connect(town.database_url) as connection:
        device = devices.one(connection, INSEE, A).device
        connection.execute(
            "UPDATE device SET status = %s WHERE device_id = %s", [DeviceStatus.RETIRED.value, device.device_id]
        )
    written, changed = keeper.refresh()
    assert changed
    assert A not in written.passwords + written.rights, "a retired device has no way in"


def test_a_broker_that_asks_the_database_is_told_the_same(database_url: str):
    # What docs/mqtt.md gives EMQX: one login that may call two functions, and sees nothing else.
    with connect(database_url) as connection:
        communes.save(connection, Commune(commune_insee=INSEE, name="Essai"))
        devices.register(connection, Device(commune_insee=INSEE, eui=A, model="voirie-native"))
        device = devices.one(connection, INSEE, A)
        issued = broker_credentials.issue_to_device(connection, device, prove("a secret"))
        connection.execute("CREATE ROLE asking_broker LOGIN")
        connection.execute(
            "GRANT EXECUTE ON FUNCTION voirie_broker_login(text), voirie_broker_rules(text) TO asking_broker"
        )
        connection.commit()
    try:
        with psycopg.connect(make_conninfo(database_url, user="asking_broker"), autocommit=True) as connection:
            row = connection.execute("SELECT * FROM voirie_broker_login(%s)", [issued.user_name]).fetchone()
            assert row is not None
            expected = hashlib.pbkdf2_hmac("sha512", b"a secret", row[1].encode(), 101, 64)
            assert row[0] == expected.hex()
            assert connection.execute("SELECT * FROM voirie_broker_rules(%s)", [issued.user_name]).fetchall() == [
                ("allow", "publish", topic(A))
            ]
            assert connection.execute("SELECT * FROM voirie_broker_login('nobody')").fetchall() == []
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT * FROM broker_secret")
        with psycopg.connect(database_url) as connection:
            connection.execute(f"SET ROLE {ROLE}")
            for forbidden in ("SELECT * FROM broker_secret", "SELECT voirie_broker_login('x')"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(forbidden)
    finally:
        with psycopg.connect(database_url) as connection:
            connection.execute("DROP OWNED BY asking_broker")
            connection.execute("DROP ROLE asking_broker")
