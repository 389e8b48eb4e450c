"""Dragino's ultrasonic sensors: frames of LDDS75, LDDS45, LDDS20 and of their successors with a data log, DDS..-LB.

The port tells the frame's kind: 2 a measurement, 3 the data log, 5 device information, 6 samples for debugging
(dragino/dragino-end-node-decoder; wiki.dragino.com, user manuals).

A measurement has 8 bytes, big endian: battery (14 bits, mV), distance (mm), interrupt, temperature of an optional
probe, whether the ultrasonic sensor is there. LDDS firmware before 1.1.4 sends 5 bytes, without the last two; with no
sensor it sends fewer. A distance of 0 is no sensor, and 20 mm is what firmware since 1.1.4 writes for an invalid
reading: whatever is nearer than the product can see is no measurement, though the vendor's newer codecs pass it on.
Without a probe, older devices write 0.0 degrees, which nothing tells from frost.

The temperature is in tenths of a degree. The vendor's codecs of the DDS75-LB disagree: since July 2025 the one for The
Things Network divides by 100 on port 2, while its own data log, its ChirpStack twin of September 2025 and all other
products' codecs divide by 10. The frames decide: a device without a probe sends 0ccc, which is the family's
"no probe" of 327.67 degrees in tenths, and would be a warm 32.76 degrees in hundredths.

Battery bit 12 marks frames with more distances (DDS75-LB), but is also part of the voltage of a full lithium-ion
battery (4.1 V and more), so that the length decides. What stands where in the longer frames is not documented and the
vendor's codec contradicts itself: they are kept as events. Eleven bytes on port 2 are of the DDS75-3, with three
sensors, and are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ingest.decoders.decoded import Decoded, Info, Measurement
from ingest.decoders.device_clock import device_time
from ingest.envelopes import Uplink
from ingest.refusal import RefusedError, malformed, unknown_port
from storage.model import Quality

MEASUREMENT_PORT, LOG_PORT, INFORMATION_PORT, DEBUG_PORT = 2, 3, 5, 6
_MEASUREMENT_LENGTH, _OLD_LENGTH, _RECORD_LENGTH, _INFORMATION_LENGTH = 8, 5, 11, 7
_WITHOUT_SENSOR_LENGTHS = (3, 4)
# Battery, at least one more distance behind the eight bytes of a measurement, and its flags again.
_SHORTEST_OF_MANY = 14
_MANY = 0x10
_BATTERY = 0x3FFF
_INVALID_MM = 20
_COLDEST_TENTHS, _HOTTEST_TENTHS = -550, 1250  # DS18B20
_PRODUCTS = {0x27: "DDS75-LB", 0x28: "DDS45-LB", 0x29: "DDS20-LB"}
_BANDS = (
    *("EU868", "US915", "IN865", "AU915", "KZ865", "RU864", "AS923"),
    *("AS923_1", "AS923_2", "AS923_3", "CN470", "EU433", "KR920", "MA869"),
)
_NO_SUB_BAND = 0xFF


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """One product, by its `name`. It sees distances of `nearest_mm` to `farthest_mm`, both included.

    `logs`: whether it has a data log, and never had the old firmware's frames. `from_below`: whether it sits under a
    container and measures the height of what is in it.
    """

    name: str
    nearest_mm: int
    farthest_mm: int
    logs: bool
    from_below: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.nearest_mm < self.farthest_mm:
            raise ValueError(f"expected 0 < nearest < farthest, got {self.nearest_mm} and {self.farthest_mm}")

    def quality(self, distance_mm: int) -> Quality:
        """Return what a distance is worth."""
        if distance_mm == 0:
            return Quality.SENSOR_FAULT
        if distance_mm < self.nearest_mm or distance_mm == _INVALID_MM:
            return Quality.BLIND_ZONE
        return Quality.OK if distance_mm <= self.farthest_mm else Quality.NO_TARGET

    def measurement(self, distance_mm: int, **more: Any) -> Measurement:
        """Return a distance as a measurement."""
        from_below = True if self.from_below else None
        return Measurement(quality=self.quality(distance_mm), distance_mm=distance_mm, from_below=from_below, **more)


def decoder_of(product: Product) -> Callable[[Uplink], Decoded]:
    """Return the decoder of a product."""

    def decode(uplink: Uplink) -> Decoded:
        """Return what the frame says; RefusedError(MALFORMED_PAYLOAD) when nothing of it can be read."""
        payload = uplink.payload
        if not payload:
            raise malformed("the frame is empty")
        if uplink.f_port == MEASUREMENT_PORT:
            return _measured(payload, product)
        if product.logs and uplink.f_port == LOG_PORT:
            return _logged(payload, product)
        if product.logs and uplink.f_port == INFORMATION_PORT:
            return Decoded(infos=(_information(payload),))
        if product.logs and uplink.f_port == DEBUG_PORT:
            return Decoded(infos=(Info(kind="debug_samples", detail={"distances_mm": _pairs(payload)}),))
        raise unknown_port(product.name, uplink.f_port)

    return decode


def _measured(payload: bytes, product: Product) -> Decoded:
    if len(payload) == _MEASUREMENT_LENGTH:
        return _standard(payload, product)
    if product.logs:
        if len(payload) >= _SHORTEST_OF_MANY and payload[0] & _MANY:
            return Decoded(infos=(_many(payload),))
        raise malformed(f"expected a measurement of {_MEASUREMENT_LENGTH} bytes, got {len(payload)}")
    if len(payload) == _OLD_LENGTH:
        measurement = product.measurement(_big(payload[2:4]), battery_v=battery_v(payload))
        return Decoded(measurements=(measurement,), infos=interrupt(payload[4]))
    if len(payload) in _WITHOUT_SENSOR_LENGTHS:
        return Decoded(measurements=(no_sensor(battery_v(payload)),))
    expected = f"{_MEASUREMENT_LENGTH} bytes, or {_OLD_LENGTH} of firmware before 1.1.4"
    raise malformed(f"expected a measurement of {expected}, got {len(payload)}")


def _standard(payload: bytes, product: Product) -> Decoded:
    distance_mm, temperature_c = _big(payload[2:4]), _temperature(payload[5:7])
    voltage = battery_v(payload)
    if payload[7] == 0:
        measurement = no_sensor(voltage, temperature_c=temperature_c, distance_mm=distance_mm)
    else:
        measurement = product.measurement(distance_mm, battery_v=voltage, temperature_c=temperature_c)
    return Decoded(measurements=(measurement,), infos=interrupt(payload[4]))


def no_sensor(voltage: float | None, **more: Any) -> Measurement:
    """Return what a device measured that finds no ultrasonic sensor on its cable."""
    return Measurement(quality=Quality.SENSOR_FAULT, battery_v=voltage, **more)


def interrupt(flag: int) -> tuple[Info, ...]:
    """Return that a frame was sent because the device's input pin moved; nothing for a periodic one."""
    return (Info(kind="interrupt", detail={"flag": flag}),) if flag else ()


def _many(payload: bytes) -> Info:
    detail = {"bytes": payload.hex(), "additional_distances_mm": _pairs(payload[8:-4])}
    return Info(kind="many_distances", detail=detail)


def _logged(payload: bytes, product: Product) -> Decoded:
    measurements: list[Measurement] = []
    unreadable: list[RefusedError] = []
    empty = 0
    for at in range(0, len(payload), _RECORD_LENGTH):
        record = payload[at : at + _RECORD_LENGTH]
        try:
            if len(record) < _RECORD_LENGTH:
                raise malformed("is cut")
            if not any(record):
                # The answer to a poll of a time that the device has nothing of.
                empty += 1
                continue
            measurements.append(
                product.measurement(
                    _big(record[2:4]),
                    measured_at=device_time(_big(record[7:11])),
                    battery_v=battery_v(record),
                    temperature_c=_temperature(record[4:6]),
                    raw=record,
                )
            )
        except RefusedError as refused:
            unreadable.append(RefusedError(refused.reason, f"record at byte {at}: {refused.detail}"))
    if len(payload) < _RECORD_LENGTH:
        raise malformed(f"expected records of {_RECORD_LENGTH} bytes, got {len(payload)} bytes")
    infos = (Info(kind="log_without_records", detail={"records": empty}),) if empty else ()
    return Decoded(measurements=tuple(measurements), infos=infos, unreadable=tuple(unreadable))


def _information(payload: bytes) -> Info:
    if len(payload) != _INFORMATION_LENGTH:
        raise malformed(f"expected device information of {_INFORMATION_LENGTH} bytes, got {len(payload)}")
    band = payload[3]
    detail = {
        "product": _PRODUCTS.get(payload[0], f"unknown (0x{payload[0]:02x})"),
        "firmware_version": f"{payload[1] & 0x0F}.{payload[2] >> 4}.{payload[2] & 0x0F}",
        "frequency_band": _BANDS[band - 1] if 1 <= band <= len(_BANDS) else f"unknown ({band})",
        "sub_band": None if payload[4] == _NO_SUB_BAND else payload[4],
        "battery_v": battery_v(payload[5:]),
    }
    return Info(kind="device_information", detail=detail)


def battery_v(payload: bytes) -> float:
    """Return the voltage in a frame's first two bytes, whose two upper bits are flags."""
    return (_big(payload[:2]) & _BATTERY) / 1000


def _temperature(value: bytes) -> float | None:
    """Return the probe's temperature, None when it says what no probe can: there is none."""
    tenths = int.from_bytes(value, "big", signed=True)
    return tenths / 10 if _COLDEST_TENTHS <= tenths <= _HOTTEST_TENTHS else None


def _pairs(values: bytes) -> list[int]:
    return [_big(values[at : at + 2]) for at in range(0, len(values) - 1, 2)]


def _big(value: bytes) -> int:
    return int.from_bytes(value, "big")
