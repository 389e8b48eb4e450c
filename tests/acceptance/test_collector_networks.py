"""All networks at once: what each publishes, as its documents show it, becomes rows of one table."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from ingest.address import BrokerAddress
from ingest.session import establish_session
from ingest.topics import EnvelopeKind, Network
from storage import bins, devices
from storage.database import connect
from storage.model import Bin, Device, Mounting, PlaceKind
from tests.acceptance.collecting import (
    INSEE,
    START,
    Publication,
    Town,
    bin_eui,
    collecting,
    make_session,
    publisher,
)
from tests.conftest import mosquitto_program
from tests.tools import REPOSITORY, answers, free_port, missing, wait_until

ENVELOPES = REPOSITORY / "tests" / "unit" / "envelopes"
FIXTURE_EUI = "24e124713d000001"
NATIVE_DEVICE, NATIVE_BIN = "sonde-1", "COR-9999"
# 812 mm between 1000 (empty) and 200 (full).
FILL_FRACTION = 0.235


def golden(kind: EnvelopeKind, case: str, *, eui: str, at: datetime) -> bytes:
    """A golden envelope as if the device `eui` had been heard at `at`."""
    text = json.dumps(json.loads((ENVELOPES / kind / f"{case}.json").read_text(encoding="utf-8"))["message"])
    text = text.replace(FIXTURE_EUI, eui).replace(FIXTURE_EUI.upper(), eui.upper())
    local = at.astimezone(timezone(timedelta(hours=1)))
    text = text.replace("2026-03-02T06:10:00", f"{local:%Y-%m-%dT%H:%M:%S}")
    return text.replace("2026-03-02T05:10:00", f"{at:%Y-%m-%dT%H:%M:%S}").encode()


def networks(town: Town) -> tuple[Network, ...]:
    filters: dict[EnvelopeKind, str] = {
        "native": f"voirie/v1/{INSEE}/+/readings",
        "chirpstack": f"{town.name}/application/+/device/+/event/+",
        "ttn": f"{town.name}/v3/+/devices/+/#",
        "actility": f"{town.name}/mqtt/things/+/uplink",
        "live_objects": f"{town.name}/fifo/corbeilles",
    }
    return tuple(
        Network(name=kind, commune_insee=INSEE, envelope=kind, topic_filter=topic_filter)
        for kind, topic_filter in filters.items()
    )


def add_native_device(town: Town) -> None:
    with connect(town.database_url) as connection:
        where = {"commune_insee": INSEE, "longitude_deg": 2.5, "latitude_deg": 48.8, "street": None}
        bins.save(connection, [Bin(**where, place_id=NATIVE_BIN, bin_kind="street", volume_l=80)])
        device_id = devices.register(connection, Device(commune_insee=INSEE, eui=NATIVE_DEVICE, model="voirie-native"))
        devices.mount(
            connection,
            Mounting(
                commune_insee=INSEE,
                device_id=device_id,
                place_id=NATIVE_BIN,
                place_kind=PlaceKind.BIN,
                mounted_at=START - timedelta(days=1),
                empty_distance_mm=1000,
                full_distance_mm=200,
            ),
        )


def test_five_networks_fill_one_table(any_database_url: str, any_broker_url: str):
    town = Town(database_url=any_database_url, broker_url=any_broker_url)
    town.provision()
    add_native_device(town)
    at, name = START, town.name
    readings: dict[str, Publication] = {
        "COR-0000": (
            f"{name}/application/9f1c/device/{bin_eui(0)}/event/up",
            golden("chirpstack", "reading", eui=bin_eui(0), at=at),
        ),
        "COR-0001": (
            f"{name}/v3/corbeilles@ville/devices/cor-0001/up",
            golden("ttn", "reading", eui=bin_eui(1), at=at),
        ),
        "COR-0002": (
            f"{name}/mqtt/things/{bin_eui(2).upper()}/uplink",
            golden("actility", "numbers-as-text", eui=bin_eui(2), at=at),
        ),
        "COR-0003": (f"{name}/fifo/corbeilles", golden("live_objects", "fifo", eui=bin_eui(3), at=at)),
        NATIVE_BIN: (
            f"voirie/v1/{INSEE}/{NATIVE_DEVICE}/readings",
            json.dumps({"readings": [{"measured_at": at.isoformat(), "distance_mm": 812}]}).encode(),
        ),
    }
    stranger = "24e124713dffffff"
    others: dict[str, Publication] = {
        "simulated_uplink": (
            f"{name}/v3/corbeilles@ville/devices/cor-0001/up",
            golden("ttn", "simulated", eui=bin_eui(1), at=at + timedelta(hours=1)),
        ),
        "unknown_topic": (
            f"{name}/mqtt/things/{bin_eui(2).upper()}/uplink",
            golden("actility", "downlink-sent", eui=bin_eui(2), at=at),
        ),
        "malformed_envelope": (f"{name}/fifo/corbeilles", b"\0"),
        "unknown_device": (f"{name}/fifo/corbeilles", golden("live_objects", "fifo", eui=stranger, at=at)),
    }
    options = {"networks": networks(town)}
    make_session(town, **options)
    with publisher(town) as sender, collecting(town.options(**options)):
        # Every message twice: networks repeat, and brokers deliver again.
        sender.publish([*readings.values(), *others.values(), *readings.values()])
        town.wait_for_messages(2 * len(readings) + len(others))
        # As The Things Stack does; the collector is surely connected by now, and would not get it otherwise.
        sender.publish([readings["COR-0001"]], qos=0)
        town.wait_for_messages(2 * len(readings) + len(others) + 1)

    rows = town.rows(
        "SELECT place_id, date_trunc('second', measured_at), distance_mm, round(fill_fraction::numeric, 3)::float8,"
        " quality FROM fill_reading ORDER BY place_id"
    )
    assert rows == [(place, at.astimezone(UTC), 812, FILL_FRACTION, "ok") for place in sorted(readings)]
    lora = town.rows(
        "SELECT frame_counter, rssi_dbm, round(snr_db::numeric, 1)::float8, encode(payload, 'hex'),"
        " network_time = measured_at FROM fill_reading WHERE place_id <> 'COR-9999'"
    )
    assert lora == [(1041, -97, 7.2, "01755c03822c03040000", True)] * 4
    refused = town.rows("SELECT reason, topic, payload, device_eui FROM refused_message")
    assert {(reason, topic, bytes(payload)) for reason, topic, payload, _ in refused} == {
        (reason, *publication) for reason, publication in others.items()
    }
    euis = {reason: eui for reason, _, _, eui in refused}
    assert euis["unknown_device"] == stranger, "the payload's, since a FIFO's topic names none"


@contextmanager
def mosquitto(folder: Path, *lines: str) -> Iterator[str]:
    """Run a Mosquitto of our own with these settings; yield its URL."""
    program = mosquitto_program()
    if program is None:
        missing("Mosquitto")
    port = free_port()
    settings = folder / f"mosquitto-{port}.conf"
    settings.write_text(
        "\n".join((f"listener {port} 127.0.0.1", "allow_anonymous true", "log_dest none", *lines)) + "\n"
    )
    with subprocess.Popen([program, "-c", str(settings)]) as process:
        try:
            wait_until(lambda: answers(port), what="Mosquitto's port")
            yield f"mqtt://127.0.0.1:{port}"
        finally:
            process.terminate()


def documented_bridge(remote_url: str, *, without: str = "") -> list[str]:
    """The bridge of docs/mqtt.md, towards a broker of the test's, which wants neither TLS nor a password."""
    text = (REPOSITORY / "docs" / "mqtt.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- example: bridge -->\n```\n(.*?)```", text, re.DOTALL)
    assert block is not None
    left_out = ("bridge_capath", "remote_username", "remote_password", *([without] if without else []))
    address = remote_url.removeprefix("mqtt://")
    lines = [line for line in block[1].splitlines() if not line.startswith(left_out)]
    return [re.sub(r"^address .*", f"address {address}", line) for line in lines]


@contextmanager
def listening(broker_url: str, topic_filter: str) -> Iterator[set[bytes]]:
    """Subscribe; yield the payloads that have come so far."""
    address = BrokerAddress.parse(broker_url)
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    heard: set[bytes] = set()
    subscribed = threading.Event()
    client.on_message = lambda _client, _userdata, message: heard.add(message.payload)
    client.on_connect = lambda *_: client.subscribe(topic_filter, qos=1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect(address.host, address.port)
    client.loop_start()
    try:
        assert subscribed.wait(10)
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize(
    ("bridged", "without", "kept"),
    [
        pytest.param(True, "", True, id="as documented"),
        pytest.param(True, "upgrade_outgoing_qos", False, id="without the upgrade"),
        pytest.param(False, "", False, id="without a bridge"),
    ],
)
def test_the_documented_bridge_keeps_what_comes_with_qos_0(
    database_url: str, tmp_path: Path, *, bridged: bool, without: str, kept: bool
):
    """As The Things Stack publishes: what comes while the collector is away is lost, but for the documented bridge."""
    topic = "v3/corbeilles@ville/devices/cor-0001/up"
    network = Network(name="ttn", commune_insee=INSEE, envelope="ttn", topic_filter="v3/+/devices/+/up")
    while_away = golden("ttn", "reading", eui=bin_eui(1), at=START)
    while_there = golden("ttn", "reading", eui=bin_eui(2), at=START)
    with ExitStack() as stack:
        remote_url = stack.enter_context(mosquitto(tmp_path))
        bridge = documented_bridge(remote_url, without=without)
        broker_url = stack.enter_context(mosquitto(tmp_path, *bridge)) if bridged else remote_url
        town = Town(database_url=database_url, broker_url=broker_url)
        town.provision()
        options = town.options(networks=(network,))
        heard = stack.enter_context(listening(broker_url, network.topic_filter))
        network_server = stack.enter_context(publisher(Town(database_url=database_url, broker_url=remote_url)))

        def send_until_heard(payload: bytes) -> None:
            """The bridge connects when it does: until then, nothing gets through."""

            def is_heard() -> bool:
                network_server.publish([(topic, payload)], qos=0)
                return payload in heard

            wait_until(is_heard, what="the bridge")

        send_until_heard(b"is the bridge there?")
        establish_session(options)
        send_until_heard(while_away)
        with collecting(options) as collector:
            connected = "voirie_broker_connected"
            wait_until(lambda: collector.metrics.registry.get_sample_value(connected) == 1, what="the collector")
            send_until_heard(while_there)
            wait_until(lambda: ("COR-0002",) in town.rows("SELECT place_id FROM fill_reading"), what="the last message")
    stored = {place for (place,) in town.rows("SELECT place_id FROM fill_reading")}
    assert stored == ({"COR-0001", "COR-0002"} if kept else {"COR-0002"})
