"""What a decoder makes of an uplink, before anybody knows where the device is mounted."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import msgspec

from ingest.envelopes import Uplink
from ingest.refusal import RefusedError
from storage.model import Quality


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One record of what a device measured. With a quality other than OK nothing was measured: no level, no state.

    `measured_at`: the device's own time (UTC), None when the frame carries none. `distance_mm`: from the sensor to what
    it sees; kept with every quality, as the device said it. `own_fill_fraction`: the device's own idea of its level.
    `raw`: the record as it came, None when the whole payload is the record.
    """

    quality: Quality = Quality.OK
    measured_at: datetime | None = None
    distance_mm: int | None = None
    own_fill_fraction: float | None = None
    occupied: bool | None = None
    temperature_c: float | None = None
    battery_percent: float | None = None
    tilted: bool | None = None
    raw: bytes | None = None


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """Something a device said that is no measurement: start-up, configuration, debug."""

    kind: str
    detail: dict[str, Any]


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
