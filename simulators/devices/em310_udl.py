"""Milesight EM310-UDL, an ultrasonic distance sensor under a bin's lid: frames on fPort 85, channel-type-value.

From the maker's documents: channel 01 type 75 is the battery in percent, 03 82 the distance in millimetres (uint16,
little-endian), 04 00 the position (1: tilted); channel FF carries what the device says of itself when it joins. Its
range is 3 to 450 cm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MODEL = "milesight-em310-udl"
F_PORT = 85
NEAREST_MM = 30
FARTHEST_MM = 4500


def reading(*, battery_percent: int, distance_mm: int, tilted: bool) -> bytes:
    """Return the frame of one reading."""
    return bytes((0x01, 0x75, battery_percent, 0x03, 0x82, distance_mm & 0xFF, distance_mm >> 8, 0x04, 0x00, tilted))


def joined(*, serial: bytes) -> bytes:
    """Return the frame sent once after joining: power on, protocol, serial number (8 bytes), versions, class A."""
    return (
        b"\xff\x0b\xff"
        b"\xff\x01\x01"
        b"\xff\x16" + serial + b"\xff\x09\x02\x10"  # hardware v2.1
        b"\xff\x0a\x01\x03"  # firmware v1.3
        b"\xff\x0f\x00"
    )


def measured_mm(true_mm: NDArray[np.float64], echo_luck: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return what the sensor reports, int64 (n,), for true distances (n,), with `echo_luck` (n,) uniform on [0, 1).

    Nearer than its range it hears the echo of the echo, about twice as far, or reports the range's near end.
    """
    rounded = np.rint(true_mm)
    too_near = rounded < NEAREST_MM
    near = np.where(echo_luck < 0.5, NEAREST_MM, 2 * np.maximum(rounded, NEAREST_MM))  # noqa: PLR2004 - either
    return np.clip(np.where(too_near, near, rounded), NEAREST_MM, FARTHEST_MM).astype(np.int64)
