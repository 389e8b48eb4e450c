"""Pepperl+Fuchs WILSEN.sonic.level: ultrasonic distance and fill level, for containers.

The frame is a chain of packages: length, a 16-bit identifier, value (big endian); the length counts the identifier.
What is not known is stepped over (TDOCT7056, Description of the payload; actility/device-catalog, vendors/pf).

The traps: one identifier says the distance in centimetres and another in millimetres, and the published codec passes
both on under names that differ by their end alone; no variant sees beyond 7 m, so larger distances are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.decoders import beside
from ingest.decoders.codec_object import number
from ingest.decoders.decoded import Decoded, DeviceModel, Info, Measurement
from ingest.decoders.pepperl_fuchs_packages import MEASURED, SETTINGS, STATUS, Value
from ingest.envelopes import Uplink
from ingest.refusal import RefusedError, malformed
from storage.model import Quality

_RANGE_MM = 7000
_FULL_PERCENT = 100
_ID = 2

# The published codec's names of what is measured; what it says of the rest is kept out, since it sends its bytes along.
_OBJECT_NAMES = {
    "proxx_mm": "distance_mm",
    "fillinglvl": "fill_percent",
    "temp": "temperature_c",
    "battery_vol": "battery_v",
    "latitude": "latitude_deg",
    "longitude": "longitude_deg",
}


def decode_wilsen(uplink: Uplink) -> Decoded:
    """Return the level, or what the device says of itself."""
    frame = uplink.payload
    if not frame:
        raise malformed("the frame is empty")
    return _decode(frame)


def _decode(frame: bytes) -> Decoded:
    measured: dict[str, Value] = {}
    status: dict[str, Value] = {}
    settings: dict[str, Value] = {}
    unknown: dict[str, Value] = {}
    unreadable: list[RefusedError] = []
    at = 0
    while at < len(frame):
        end = at + 1 + frame[at]
        if frame[at] < _ID or end > len(frame):
            unreadable.append(malformed(f"the frame is cut in the package at byte {at}"))
            break
        identifier, value = int.from_bytes(frame[at + 1 : at + 3]), frame[at + 3 : end]
        at = end
        for known, found in ((MEASURED, measured), (STATUS, status), (SETTINGS, settings)):
            package = known.get(identifier)
            if package is None:
                continue
            if len(value) < package.length:
                detail = f"expected {package.length} bytes in package {identifier:04x}, got {len(value)}"
                unreadable.append(malformed(detail))
            else:
                found[package.name] = package.value(value)
            break
        else:
            unknown[f"{identifier:04x}"] = value.hex()
    if not (measured or status or settings):
        raise unreadable[0] if unreadable else malformed("expected a package of WILSEN.sonic.level, got none")
    decoded = _said(measured, status)
    infos = list(decoded.infos)
    if settings:
        infos.append(Info(kind="configuration", detail=settings))
    if unknown:
        infos.append(Info(kind="unknown_packages", detail=unknown, transient=True))
    return Decoded(measurements=decoded.measurements, infos=tuple(infos), unreadable=tuple(unreadable))


def _said(measured: Mapping[str, Any], status: Mapping[str, Value]) -> Decoded:
    """Return what was measured; what stands beside no level is part of the device's status."""
    infos: tuple[Info, ...] = ()
    latitude_deg, longitude_deg = measured.get("latitude_deg"), measured.get("longitude_deg")
    if latitude_deg is not None and longitude_deg is not None:
        infos = beside.location(latitude_deg=latitude_deg, longitude_deg=longitude_deg)
    temperature_c, refused_temperature = beside.temperature(measured.get("temperature_c"))
    battery_v = measured.get("battery_v")
    distance_mm, fill_percent = measured.get("distance_mm"), measured.get("fill_percent")
    if distance_mm is None and fill_percent is None:
        said = {**status, "temperature_c": temperature_c, "battery_v": battery_v}
        detail = {name: value for name, value in said.items() if value is not None}
        return Decoded(infos=((Info(kind="status", detail=detail),) if detail else ()) + infos + refused_temperature)
    quality = _quality(distance_mm)
    level_known = quality is Quality.OK and fill_percent is not None and 0 <= fill_percent <= _FULL_PERCENT
    reading = Measurement(
        quality=quality,
        distance_mm=distance_mm,
        own_fill_fraction=fill_percent / 100 if level_known and fill_percent is not None else None,
        temperature_c=temperature_c,
        battery_v=battery_v,
    )
    return Decoded(measurements=(reading,), infos=infos + refused_temperature + beside.diagnostics(**status))


def _quality(distance_mm: int | None) -> Quality:
    if distance_mm is None:
        return Quality.OK
    if distance_mm == 0:
        return Quality.BLIND_ZONE
    return Quality.OK if distance_mm <= _RANGE_MM else Quality.NO_TARGET


def read_wilsen_object(decoded: Mapping[str, Any]) -> Decoded:
    """Return what the published codec says. It hands the frame's bytes on as `payload`: they are read where they are.

    Otherwise its values are: `proxx` in centimetres, `proxx_mm` in millimetres.
    """
    payload = decoded.get("payload")
    if isinstance(payload, str):
        try:
            frame = bytes.fromhex(payload)
        except ValueError:
            frame = b""
        if frame:
            return _decode(frame)
    measured: dict[str, Value] = {ours: number(decoded, name) for name, ours in _OBJECT_NAMES.items()}
    centimetres = number(decoded, "proxx")
    if measured["distance_mm"] is None and centimetres is not None:
        measured["distance_mm"] = centimetres * 10
    found = {name: value for name, value in measured.items() if value is not None}
    if "distance_mm" in found:
        found["distance_mm"] = round(float(found["distance_mm"]))
    said = _said(found, {})
    if not said.measurements and not said.infos:
        raise malformed("expected proxx, proxx_mm or fillinglvl in the network's object, got none")
    return said


MODELS = (
    DeviceModel(
        name="pepperl-fuchs-wilsen-sonic-level",
        title="Pepperl+Fuchs WILSEN.sonic.level",
        measures="level",
        decode=decode_wilsen,
        read_object=read_wilsen_object,
        source="Pepperl+Fuchs, TDOCT7056, description of the payload; actility/device-catalog, vendors/pf",
    ),
)
