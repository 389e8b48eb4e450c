"""The frame that all of Dingtek's sensors send: `80`, `00`, device type, report type, size, values, `81`.

Sizes count the whole frame, numbers are big endian, and two alarms share a byte, one in each half. The port is a
setting of the network (3 in the maker's examples, 10 in a recorded message), so it is not looked at
(TheThingsNetwork/lorawan-devices, vendor/dingtek; cndingtek/Chirpstack_codec; DF702 & DF703 LoRaWAN protocol V2.8).
"""

from __future__ import annotations

from ingest.envelopes import Uplink
from ingest.refusal import malformed

PARAMETERS = 0x03
_REPORTS = (0x01, 0x02, PARAMETERS)
_HEAD, _TAIL = 0x80, 0x81
# Head, forced bit, device type, report type, size, tail.
_SHORTEST = 6


def open_frame(uplink: Uplink, *, device_types: tuple[int, ...]) -> bytes:
    """Return the whole frame of a device of these types; RefusedError(MALFORMED_PAYLOAD) when it is none."""
    frame = uplink.payload
    if not frame:
        raise malformed("the frame is empty")
    if frame[0] != _HEAD:
        raise malformed(f"expected a frame that begins with 80, got {frame[0]:02x}")
    if len(frame) < _SHORTEST or len(frame) < frame[4]:
        raise malformed(f"the frame is cut after {len(frame)} bytes")
    if len(frame) != frame[4] or frame[-1] != _TAIL:
        raise malformed(f"expected {frame[4]} bytes that end in 81, got {len(frame)} that end in {frame[-1]:02x}")
    if frame[2] not in device_types:
        expected = " or ".join(f"{device_type:02x}" for device_type in device_types)
        raise malformed(f"expected a device of type {expected}, got one of type {frame[2]:02x}")
    if frame[3] not in _REPORTS:
        raise malformed(f"nothing is known of reports of type {frame[3]:02x}")
    return frame


def alarms(byte: int) -> tuple[bool, bool]:
    """Return the alarm in the byte's upper half and the one in its lower half."""
    return byte >> 4 != 0, byte & 0x0F != 0


def unsigned(frame: bytes, at: int) -> int:
    """Return the two bytes there."""
    return int.from_bytes(frame[at : at + 2])


def signed(frame: bytes, at: int) -> int:
    """Return the two bytes there, with a sign."""
    return int.from_bytes(frame[at : at + 2], signed=True)


def degrees_c(byte: int) -> int:
    """Return a temperature: the maker's codecs print -5 as 251, and nothing on a street has 128 degrees and lives."""
    return byte if byte < 0x80 else byte - 0x100  # noqa: PLR2004 - two's complement of a byte


def firmware(frame: bytes) -> str:
    """Return the version in a frame of parameters."""
    return f"{frame[5]}.{frame[6]}"
