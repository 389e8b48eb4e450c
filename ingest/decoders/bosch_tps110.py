"""Bosch TPS110 (Parking Lot Sensor): radar and magnetometer, for delivery bays and parking spaces.

The port tells the frame's kind (Bosch, Parking Lot Sensor, communication interface, firmware 0.23 to 0.29). Bit 0 of
the state byte is the state; the other bits are reserved.

Public decoders disagree on the byte order of versions and debug codes, so these are kept as they came, in hexadecimal.
A network's object tells the frames apart by `type`, as the codec of The Things Network's repository writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.decoders.codec_object import flag, number, text
from ingest.decoders.decoded import Decoded, DeviceModel, Info, Measurement
from ingest.envelopes import Uplink
from ingest.refusal import malformed, quoted, unknown_port

_STATE, _HEARTBEAT, _START_UP, _INFORMATION, _USAGE, _DEBUG, _TEMPERATURE = range(1, 8)
_OCCUPIED = 0x01
_START_UP_LENGTH = 17
# Causes above 3 changed between firmwares: they keep their number.
_RESET_CAUSES = {1: "watchdog", 2: "power_on", 3: "system_request"}
_OTHER_FRAMES = {_INFORMATION: "device_information", _USAGE: "device_usage", _DEBUG: "debug"}
_OTHER_TYPES = {kind.replace("_", " "): kind for kind in _OTHER_FRAMES.values()}
_NAMES_OF_START_UP = {"firmwareVersion": "firmware", "resetCause": "reset_cause"}


def decode_tps110(uplink: Uplink) -> Decoded:
    """Return the state of the place, or the device's information."""
    payload = uplink.payload
    if not payload:
        raise malformed("the frame is empty")
    match uplink.f_port:
        case 1:
            _expect(payload, "a state", (1,))
            return Decoded(measurements=(Measurement(occupied=_occupied(payload[0])),))
        case 2:
            # Older firmware sends no temperature.
            _expect(payload, "a heartbeat", (1, 2))
            temperature = _signed(payload[1]) if len(payload) > 1 else None
            return Decoded(measurements=(Measurement(occupied=_occupied(payload[0]), temperature_c=temperature),))
        case 3:
            return Decoded(infos=(Info(kind="start_up", detail=_start_up(payload)),))
        case 4 | 5 | 6:
            return Decoded(infos=(Info(kind=_OTHER_FRAMES[uplink.f_port], detail={"bytes": payload.hex()}),))
        case 7:
            _expect(payload, "a temperature alert", (1,))
            return Decoded(infos=(Info(kind="temperature_alert", detail={"temperature_c": _signed(payload[0])}),))
        case other:
            raise unknown_port("TPS110", other)


def _start_up(payload: bytes) -> dict[str, Any]:
    """Return what the start-up frame says. Its state is no reading: after a reset the sensor learns its place anew."""
    _expect(payload, "a start-up frame", (_START_UP_LENGTH,))
    cause = payload[15]
    return {
        "debug_bytes": payload[:12].hex(),
        "firmware_bytes": payload[12:15].hex(),
        "reset_cause": _RESET_CAUSES.get(cause, f"other ({cause})"),
        "occupied_flag": _occupied(payload[16]),
    }


def read_tps110_object(decoded: Mapping[str, Any]) -> Decoded:
    """Return what the published codec says (TheThingsNetwork/lorawan-devices, vendor/bosch, tpl110-0292.js)."""
    occupied, kind = flag(decoded, "occupied"), decoded.get("type")
    match kind:
        case "parking status" if occupied is not None:
            return Decoded(measurements=(Measurement(occupied=occupied),))
        case "heartbeat" if occupied is not None:
            temperature = number(decoded, "temperature")
            return Decoded(measurements=(Measurement(occupied=occupied, temperature_c=temperature),))
        case "startup" if occupied is not None:
            said = {ours: text(decoded, name) for name, ours in _NAMES_OF_START_UP.items()}
            detail = {name: value for name, value in said.items() if value is not None}
            return Decoded(infos=(Info(kind="start_up", detail=detail | {"occupied_flag": occupied}),))
        case str() if kind in _OTHER_TYPES:
            detail = {name: value for name, value in decoded.items() if name != "type"}
            return Decoded(infos=(Info(kind=_OTHER_TYPES[kind], detail=detail),))
        case _:
            raise malformed(f"expected a type of the TPS110 with its state in the network's object, got {quoted(kind)}")


def _expect(payload: bytes, what: str, lengths: tuple[int, ...]) -> None:
    if len(payload) not in lengths:
        expected = " or ".join(str(length) for length in lengths)
        raise malformed(f"expected {what} of {expected} bytes, got {len(payload)}")


def _occupied(state: int) -> bool:
    return bool(state & _OCCUPIED)


def _signed(byte: int) -> int:
    return int.from_bytes(bytes((byte,)), signed=True)


MODELS = (
    DeviceModel(
        name="bosch-tps110",
        title="Bosch Parking Lot Sensor TPS110",
        measures="occupancy",
        decode=decode_tps110,
        read_object=read_tps110_object,
        source="Bosch, Parking Lot Sensor, communication interface, firmware 0.23 to 0.29; "
        "TheThingsNetwork/lorawan-devices, vendor/bosch",
    ),
)
