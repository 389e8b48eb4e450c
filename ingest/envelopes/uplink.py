"""The one thing all envelopes come down to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec


class Uplink(msgspec.Struct, frozen=True, kw_only=True):
    """What a device sent, freed of its network's envelope.

    `payload`: the device's bytes, None when the envelope carries decoded values alone. `records`: decoded values as
    they came, one JSON text a record, None when the envelope carries none; their decoder reads them. `decoded`: what
    the network's own codec made of the bytes, when the bytes themselves are missing; None otherwise, since bytes win.
    `network_time`: when the network received the frame (UTC), which is the event time of a frame without a clock of its
    own; None when the envelope carries none. `frame_counter`: the network's, None when unknown.
    """

    device_eui: str
    payload: bytes | None = None
    records: tuple[bytes, ...] | None = None
    decoded: Mapping[str, Any] | None = None
    network_time: datetime | None = None
    f_port: int | None = None
    frame_counter: int | None = None
    rssi_dbm: float | None = None
    snr_db: float | None = None
