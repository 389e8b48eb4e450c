"""What a decoder makes of an uplink, before anybody knows where the device is mounted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from ingest.envelopes import Uplink
from ingest.refusal import RefusedError
from storage.model import Quality


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One record of what a device measured. With a quality other than OK nothing was measured: no level, no state.

    `measured_at`: the device's own time (UTC), None when the frame carries none. `distance_mm`: from the sensor to what
    it sees; kept with every quality, as the device said it. `from_below`: True when the sensor sits under what it
    measures, so that the distance is the contents' height. `own_fill_fraction`: the device's own idea of its level.
    `battery_percent`, `battery_v`: whichever the device says. `fire`, `full`: alarms that the device raises by itself.
    `raw`: the record as it came, None when the whole payload is the record.
    """

    quality: Quality = Quality.OK
    measured_at: datetime | None = None
    distance_mm: int | None = None
    from_below: bool | None = None
    own_fill_fraction: float | None = None
    occupied: bool | None = None
    temperature_c: float | None = None
    battery_percent: float | None = None
    battery_v: float | None = None
    tilted: bool | None = None
    fire: bool | None = None
    full: bool | None = None
    raw: bytes | None = None


class Info(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something a device said that is no measurement: start-up, configuration, debug.

    `detail`: names with their units (`interval_h`), and JSON's values. `transient`: what comes with every reading
    (axes, angles, humidity): told by `voirie decode` and not stored as an event, since the reading keeps the bytes.
    `raw`: the bytes to keep with it, None for the whole frame; fewer when a frame names a person.
    """

    kind: str
    detail: dict[str, Any]
    transient: bool = False
    raw: bytes | None = None


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """All that one uplink said. `unreadable` holds what could not be read of an uplink that was read in part."""

    measurements: tuple[Measurement, ...] = ()
    infos: tuple[Info, ...] = ()
    unreadable: tuple[RefusedError, ...] = ()


class Decoder(Protocol):
    """Reads the uplinks of one device family."""

    def __call__(self, uplink: Uplink, /) -> Decoded:
        """Return what the uplink says; RefusedError(MALFORMED_PAYLOAD) when it cannot be read at all."""
        ...


class ObjectReader(Protocol):
    """Reads what the network's own codec made of an uplink of one device family."""

    def __call__(self, decoded: Mapping[str, Any], /) -> Decoded:
        """Return what the object says; RefusedError(MALFORMED_PAYLOAD) when it cannot be read at all."""
        ...


class DeviceModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model of sensor that this version reads. A device is bound to its model by the registry, never by guessing.

    `name`: what the registry and `voirie decode --model` call it. `title`: maker and product, for people. `measures`:
    what its readings are. `source`: the document that the decoder was written from. `read_object`: reads the object of
    the maker's published network codec, for uplinks that come without their bytes; None when only bytes are read.
    `takes_records`: whether its uplinks are decoded records instead of bytes (the native envelope).
    """

    name: str
    title: str
    measures: Literal["level", "occupancy", "either"]
    decode: Decoder
    source: str
    read_object: ObjectReader | None = None
    takes_records: bool = False
