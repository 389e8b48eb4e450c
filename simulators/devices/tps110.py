"""Bosch TPS110, a parking sensor on the ground (firmware 0.29).

From the maker's interface description: fPort 1 is a change of state (1 byte), fPort 2 the heartbeat every 24 h (state,
and the temperature as int8 in degrees Celsius), fPort 3 the start-up (three debug codes of 4 bytes, firmware version of
3 bytes, reset cause, state). The state is bit 0: occupied.
"""

from __future__ import annotations

MODEL = "bosch-tps110"
CHANGE_PORT = 1
HEARTBEAT_PORT = 2
START_UP_PORT = 3
HEARTBEAT_S = 24 * 3600
_FIRMWARE = (0, 29, 2)
_POWER_ON = 2


def change(*, occupied: bool) -> bytes:
    """Return the frame of fPort 1."""
    return bytes((occupied,))


def heartbeat(*, occupied: bool, temperature_c: int) -> bytes:
    """Return the frame of fPort 2."""
    return bytes((occupied, temperature_c & 0xFF))


def start_up(*, occupied: bool) -> bytes:
    """Return the frame of fPort 3 after a power-on, with nothing to debug."""
    return bytes(12) + bytes((*_FIRMWARE, _POWER_ON, occupied))
