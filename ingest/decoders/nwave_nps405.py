"""Nwave NPS405 (Smart Parking Sensor G4, SM and FM): magnetometer and radar, for delivery bays and parking spaces.

The port tells the frame's kind (Nwave, LoRaWAN parking sensor, application protocol): 1 state, 2 heartbeat, 3 start-up,
6 debug, 10 a driver's tag. Bit 0 of the first byte is the state; the seven bits above it are, in a state, how long the
previous one lasted, and in a heartbeat the hardware's health, 0 when it is well.

The traps: an older published codec looks for the state in bit 7, and the newer one leaves it in the health. A tag names
a person: it is not told, and of its frame only the first byte is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.decoders import beside
from ingest.decoders.codec_object import flag, number, text, whole
from ingest.decoders.decoded import Decoded, DeviceModel, Info, Measurement
from ingest.envelopes import Uplink
from ingest.refusal import malformed, quoted, unknown_port
from storage.model import Quality

_STATE, _HEARTBEAT, _START_UP, _DEBUG, _TAG = 1, 2, 3, 6, 10
_STATE_LENGTH, _HEARTBEAT_LENGTH, _START_UP_LENGTH = 1, 3, 5
# Older firmware does not send the tag's battery.
_TAG_LENGTH, _TAG_LENGTH_WITH_BATTERY = 5, 6
_RESET_CAUSES = {
    0: "rejoining_lorawan_network",
    1: "watchdog",
    2: "power_on",
    3: "user_request",
    6: "brownout",
    7: "other",
}
# The duration of the previous state: minutes, then steps of five, then hours, then "longer".
_STEPS = ((90, 0, 1), (120, 90, 5), (127, 240, 60))
_LONGER_MIN = 660
# The maker's limits of the battery; a cold battery has less.
_LOW_V, _CRITICAL_V, _COLD_C, _COLD_ALLOWANCE_V = 3.0, 2.9, -5, 0.1


def decode_nps405(uplink: Uplink) -> Decoded:
    """Return the state of the place, or what the device says of itself."""
    frame = uplink.payload
    if not frame:
        raise malformed("the frame is empty")
    match uplink.f_port:
        case 1:
            _expect(frame, "a state", (_STATE_LENGTH,))
            return _state(occupied=_occupied(frame), previous=_previous(frame[0] >> 1))
        case 2:
            if len(frame) < _HEARTBEAT_LENGTH:
                raise malformed(f"expected a heartbeat of {_HEARTBEAT_LENGTH} bytes or more, got {len(frame)}")
            return _heartbeat(
                occupied=_occupied(frame),
                health=frame[0] >> 1,
                battery_v=(2500 + 4 * frame[1]) / 1000,
                temperature_c=int.from_bytes(frame[2:3], signed=True) / 2 + 10,
            )
        case 3:
            _expect(frame, "a start-up frame", (_START_UP_LENGTH,))
            return _start_up(
                firmware=".".join(str(byte) for byte in frame[:3]),
                cause=_RESET_CAUSES.get(frame[3], f"other ({frame[3]})"),
                occupied=frame[4] & 1 == 1,
            )
        case 6:
            return Decoded(infos=(Info(kind="debug", detail={"bytes": frame.hex()}),))
        case 10:
            _expect(frame, "a tag's registration", (_TAG_LENGTH, _TAG_LENGTH_WITH_BATTERY))
            with_battery = len(frame) == _TAG_LENGTH_WITH_BATTERY
            return _tag(
                occupied=_occupied(frame) or None,
                previous=_previous(frame[0] >> 1),
                tag_battery_v=frame[1] / 10 if with_battery else None,
                raw=frame[:1],
            )
        case other:
            raise unknown_port("NPS405", other)


def _expect(frame: bytes, what: str, lengths: tuple[int, ...]) -> None:
    if len(frame) not in lengths:
        expected = " or ".join(str(length) for length in lengths)
        raise malformed(f"expected {what} of {expected} bytes, got {len(frame)}")


def _occupied(frame: bytes) -> bool:
    return frame[0] & 1 == 1


def _previous(code: int) -> dict[str, int]:
    """Return how long the previous state lasted, in minutes, and by how many it may have been longer."""
    first = 0
    for end, from_min, step_min in _STEPS:
        if code < end:
            return {
                "previous_state_min": from_min + (code - first) * step_min,
                "previous_state_error_min": step_min - 1,
            }
        first = end
    return {"previous_state_at_least_min": _LONGER_MIN}


def _state(*, occupied: bool, previous: Mapping[str, int]) -> Decoded:
    return Decoded(measurements=(Measurement(occupied=occupied),), infos=beside.diagnostics(**previous))


def _heartbeat(*, occupied: bool, health: int, battery_v: float | None, temperature_c: float | None) -> Decoded:
    believed_c, refused_temperature = beside.temperature(temperature_c)
    measurement = Measurement(
        quality=Quality.OK if health == 0 else Quality.SENSOR_FAULT,
        occupied=occupied if health == 0 else None,
        temperature_c=believed_c,
        battery_v=battery_v,
    )
    infos = refused_temperature
    if health:
        infos += (Info(kind="hardware_fault", detail={"health_bits": health}),)
    if battery_v is not None:
        allowance_v = _COLD_ALLOWANCE_V if believed_c is not None and believed_c < _COLD_C else 0.0
        if battery_v < _LOW_V - allowance_v:
            level = "critical" if battery_v < _CRITICAL_V - allowance_v else "low"
            infos += (beside.battery_low(battery_v=battery_v, level=level),)
    return Decoded(measurements=(measurement,), infos=infos)


def _start_up(*, firmware: str, cause: str, occupied: bool) -> Decoded:
    """Return what the start-up frame says. Its state is no reading: after a reset the sensor learns its place anew."""
    detail = {"firmware": firmware, "reset_cause": cause, "occupied_flag": occupied}
    return Decoded(infos=(Info(kind="start_up", detail=detail),))


def _tag(
    *, occupied: bool | None, previous: Mapping[str, int], tag_battery_v: float | None, raw: bytes | None = None
) -> Decoded:
    """Return that a driver's tag was there; without a car, that says nothing of the place."""
    battery = {} if tag_battery_v is None else {"tag_battery_v": tag_battery_v}
    info = Info(kind="user_registration", detail={**(previous if occupied else {}), **battery}, raw=raw)
    measurements = (Measurement(occupied=True, raw=raw),) if occupied else ()
    return Decoded(measurements=measurements, infos=(info,))


def read_nps405_object(decoded: Mapping[str, Any]) -> Decoded:
    """Return what the published codec says (TheThingsNetwork/lorawan-devices, vendor/nwave, nps405.js)."""
    occupied, kind = flag(decoded, "occupied"), decoded.get("type")
    previous = _previous_of(decoded)
    match kind:
        case "parking_status" if occupied is not None:
            return _state(occupied=occupied, previous=previous)
        case "heartbeat" if occupied is not None:
            # The codec leaves the state's bit in the health.
            return _heartbeat(
                occupied=occupied,
                health=(whole(decoded, "hw_health_status") or 0) >> 1,
                battery_v=number(decoded, "battery_voltage"),
                temperature_c=number(decoded, "temperature"),
            )
        case "startup" if occupied is not None:
            firmware, cause = text(decoded, "firmware_version"), text(decoded, "reset_cause")
            return _start_up(firmware=firmware or "", cause=cause or "other", occupied=occupied)
        case "user_registration":
            tag_battery_v = number(decoded, "tag_battery_voltage")
            return _tag(occupied=occupied, previous=previous, tag_battery_v=tag_battery_v)
        case "debug":
            return Decoded(infos=(Info(kind="debug", detail={"bytes": str(decoded.get("bytes"))}),))
        case _:
            raise malformed(f"expected a type of the NPS405 with its state in the network's object, got {quoted(kind)}")


def _previous_of(decoded: Mapping[str, Any]) -> dict[str, int]:
    minutes = whole(decoded, "previous_state_duration")
    if minutes is None:
        return {}
    if flag(decoded, "previous_state_duration_overflow"):
        return {"previous_state_at_least_min": minutes}
    error_min = whole(decoded, "previous_state_duration_error")
    return {"previous_state_min": minutes} | ({} if error_min is None else {"previous_state_error_min": error_min})


MODELS = (
    DeviceModel(
        name="nwave-nps405",
        title="Nwave NPS405, Smart Parking Sensor G4",
        measures="occupancy",
        decode=decode_nps405,
        read_object=read_nps405_object,
        source="Nwave, LoRaWAN parking sensor, application protocol; TheThingsNetwork/lorawan-devices, vendor/nwave",
    ),
)
