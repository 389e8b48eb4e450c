"""Readings that come already decoded, in our own units: the native JSON of docs/mqtt.md."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ingest.decoders.decoded import Decoded, DeviceModel, Measurement
from ingest.envelopes import Uplink
from ingest.refusal import RefusedError, quoted
from storage.model import Quality, RefusalReason


class _Record(msgspec.Struct, frozen=True):
    measured_at: Annotated[datetime, Meta(tz=True)]
    distance_mm: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    fill_percent: Annotated[float, Meta(ge=0, le=150)] | None = None
    occupied: bool | None = None
    status: Literal["ok", "no_target", "blind_zone", "sensor_fault"] = "ok"
    temperature_c: float | None = None
    battery_percent: float | None = None
    battery_v: float | None = None
    tilted: bool | None = None
    fire: bool | None = None


_DECODER = msgspec.json.Decoder(_Record)


def decode_native(uplink: Uplink) -> Decoded:
    """Return every record that can be read; those that cannot are named, and do not spoil the others."""
    measurements: list[Measurement] = []
    unreadable: list[RefusedError] = []
    for index, record in enumerate(uplink.records or ()):
        try:
            measurements.append(_measurement(record))
        except RefusedError as refused:
            unreadable.append(RefusedError(refused.reason, f"reading {index}: {refused.detail}"))
    return Decoded(measurements=tuple(measurements), unreadable=tuple(unreadable))


def _measurement(raw: bytes) -> Measurement:
    try:
        record = _DECODER.decode(raw)
        measured_at = record.measured_at.astimezone(UTC)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise RefusedError(RefusalReason.MALFORMED_PAYLOAD, quoted(str(error))) from error
    quality = Quality(record.status)
    silent = record.distance_mm is None and record.fill_percent is None and record.occupied is None
    if silent and quality is Quality.OK:
        raise RefusedError(
            RefusalReason.MALFORMED_PAYLOAD, "expected distance_mm, fill_percent, occupied or a status, got none"
        )
    return Measurement(
        quality=quality,
        measured_at=measured_at,
        distance_mm=record.distance_mm,
        own_fill_fraction=None if record.fill_percent is None else record.fill_percent / 100,
        occupied=record.occupied,
        temperature_c=record.temperature_c,
        battery_percent=record.battery_percent,
        battery_v=record.battery_v,
        tilted=record.tilted,
        fire=record.fire,
        raw=raw,
    )


MODELS = (
    DeviceModel(
        name="voirie-native",
        title="Any device or gateway that speaks Voirie's own JSON",
        measures="either",
        decode=decode_native,
        source="docs/mqtt.md",
        takes_records=True,
    ),
)
