"""A small commune that exists for one run of the matrix: its devices on all five kinds of networks, and its topics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.topics import EnvelopeKind
from storage import bins, communes, devices, places
from storage.database import Connection, connect
from storage.model import Bin, Commune, Device, Mounting, ParkingSpace, PlaceKind

DEVICES = 60
_MODELS = {PlaceKind.BIN: "milesight-em310-udl", PlaceKind.PARKING_SPACE: "bosch-tps110"}
_EMPTY_MM, _FULL_MM = 1000, 200
MOUNTED_BEFORE = timedelta(days=30)
"""Devices hang where they hang since that long before the run; what they measured earlier belongs to no place."""
_ENVELOPES: Sequence[EnvelopeKind] = ("chirpstack", "native", "ttn", "actility", "live_objects")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensor:
    """One device, the place it is on, and the network that it speaks through."""

    eui: str
    place_id: str
    kind: PlaceKind
    envelope: EnvelopeKind


@dataclass(frozen=True, kw_only=True)
class Town:
    """Names that nobody else uses. `run`: hexadecimal digits; `insee`: of a department that there is not."""

    run: str
    insee: str
    began: datetime
    sensors: tuple[Sensor, ...]

    def topic(self, sensor: Sensor) -> str:
        """Return the topic that the sensor's messages come on."""
        return self.topic_of(sensor.envelope, sensor.eui)

    def topic_of(self, envelope: EnvelopeKind, eui: str) -> str:
        """Return the topic of any device on a network."""
        match envelope:
            case "native":
                return f"voirie/v1/{self.insee}/{eui}/readings"
            case "chirpstack":
                return f"{self._prefix}/application/essai/device/{eui}/event/up"
            case "ttn":
                return f"{self._prefix}/v3/ville@ttn/devices/eui-{eui}/up"
            case "actility":
                return f"{self._prefix}/thingpark/{eui.upper()}"
            case "live_objects":
                return f"{self._prefix}/fifo/essai"

    def networks(self) -> list[dict[str, str]]:
        """Return the tables of the collectors' settings."""
        filters = {
            "native": f"voirie/v1/{self.insee}/+/readings",
            "chirpstack": f"{self._prefix}/application/+/device/+/event/up",
            "ttn": f"{self._prefix}/v3/+/devices/+/up",
            "actility": f"{self._prefix}/thingpark/+",
            "live_objects": f"{self._prefix}/fifo/essai",
        }
        return [
            {"name": envelope, "envelope": envelope, "topic_filter": filters[envelope], "commune": self.insee}
            for envelope in _ENVELOPES
        ]

    @property
    def _prefix(self) -> str:
        return f"voirie-faults-{self.run}"

    def provision(self, database_url: str) -> None:
        """Put the commune and its mounted devices into a migrated database."""
        with connect(database_url) as connection:
            communes.save(connection, Commune(commune_insee=self.insee, name="Essai"))
            where: dict[str, Any] = {"commune_insee": self.insee, "longitude_deg": 2.5, "latitude_deg": 48.8}
            of_bins = [sensor for sensor in self.sensors if sensor.kind is PlaceKind.BIN]
            of_spaces = [sensor for sensor in self.sensors if sensor.kind is PlaceKind.PARKING_SPACE]
            bins.save(
                connection,
                [Bin(**where, place_id=one.place_id, street=None, bin_kind="street", volume_l=80) for one in of_bins],
            )
            places.save_parking_spaces(
                connection, [ParkingSpace(**where, place_id=one.place_id, street=None) for one in of_spaces]
            )
            for sensor in self.sensors:
                self._mount(connection, sensor)

    def _mount(self, connection: Connection, sensor: Sensor) -> None:
        model = "voirie-native" if sensor.envelope == "native" else _MODELS[sensor.kind]
        device_id = devices.register(connection, Device(commune_insee=self.insee, eui=sensor.eui, model=model))
        is_bin = sensor.kind is PlaceKind.BIN
        devices.mount(
            connection,
            Mounting(
                commune_insee=self.insee,
                device_id=device_id,
                place_id=sensor.place_id,
                place_kind=sensor.kind,
                mounted_at=self.began - MOUNTED_BEFORE,
                empty_distance_mm=_EMPTY_MM if is_bin else None,
                full_distance_mm=_FULL_MM if is_bin else None,
            ),
        )


def make_town(run: str) -> Town:
    """Return the commune of a run, `run` being eight hexadecimal digits or more."""
    number = int(run[:8], 16)
    sensors = []
    for index in range(DEVICES):
        envelope = _ENVELOPES[index % len(_ENVELOPES)]
        is_bin = index // len(_ENVELOPES) % 2 == 0
        sensors.append(
            Sensor(
                eui=f"essai-{run[:8]}-{index:03d}" if envelope == "native" else f"{run[:8]}{index:08x}",
                place_id=f"{'COR' if is_bin else 'STA'}-{index:04d}",
                kind=PlaceKind.BIN if is_bin else PlaceKind.PARKING_SPACE,
                envelope=envelope,
            )
        )
    return Town(
        run=run[:8],
        insee=f"00{number % 1000:03d}",
        began=datetime.now(UTC).replace(microsecond=0),
        sensors=tuple(sensors),
    )
