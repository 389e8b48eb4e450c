"""Which frames of which models tell a change, and which are heartbeats. Pure.

A collector keeps a frame's bytes, not its port; where a model's frames differ in length, that tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from optimise.occupancy.reports import Told

# Bosch TPS110: one byte on fPort 1, the state; two on fPort 2, the state and the temperature. (Firmware that sends a
# heartbeat of one byte is older than any that Bosch still documents.) Nwave NPS405: one byte, against three or more.
_CHANGE_BYTES: Mapping[str, Callable[[int], bool]] = {
    "bosch-tps110": lambda length: length == 1,
    "nwave-nps405": lambda length: length == 1,
}


def told_by(model: str | None, payload_bytes: int) -> Told:
    """Return why a sensor of `model` spoke; UNKNOWN where its frames do not say (or `payload_bytes` is -1)."""
    is_change = _CHANGE_BYTES.get(model or "")
    if is_change is None or payload_bytes < 0:
        return Told.UNKNOWN
    return Told.CHANGE if is_change(payload_bytes) else Told.HEARTBEAT
