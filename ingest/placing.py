"""From what a device measured to a reading of the place where it was at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ingest.decoders import Info, Measurement
from ingest.envelopes import Uplink
from ingest.message import Message
from ingest.quality import QualityRules, check_time, judge_level, plausible_battery_percent, plausible_temperature_c
from ingest.refusal import RefusedError
from storage.model import (
    DeviceEvent,
    FillReading,
    Mounting,
    OccupancyReading,
    PlaceKind,
    Quality,
    RefusalReason,
    RegisteredDevice,
)


class PlacedMeasurement(NamedTuple):
    """One measurement with its place and its time."""

    measurement: Measurement
    mounting: Mounting
    measured_at: datetime
    record_index: int


def moment_of(measurement: Measurement, uplink: Uplink, *, now: datetime, rules: QualityRules) -> datetime:
    """Return when it was measured: by the device's own time if it says one, by the network's otherwise."""
    if measurement.measured_at is not None:
        check_time(measurement.measured_at, now=now, rules=rules)
        return measurement.measured_at
    if uplink.network_time is None:
        raise RefusedError(RefusalReason.MALFORMED_PAYLOAD, "neither the device nor the network says when")
    return uplink.network_time


def mounting_of(registered: RegisteredDevice, measurement: Measurement, measured_at: datetime) -> Mounting:
    """Return where the device was; RefusedError when that is nowhere, or a place that it cannot judge."""
    mounting = registered.mounting_at(measured_at)
    if mounting is None:
        raise RefusedError(
            RefusalReason.NOT_MOUNTED, f"device {registered.device.eui} was on no place at {measured_at.isoformat()}"
        )
    has_level = measurement.distance_mm is not None or measurement.own_fill_fraction is not None
    has_state = measurement.occupied is not None
    fits = not has_state or has_level if mounting.place_kind is PlaceKind.BIN else not has_level or has_state
    if not fits:
        raise RefusedError(
            RefusalReason.NOT_MOUNTED,
            f"the device measures {'a state' if has_state else 'a level'}, and is mounted on a {mounting.place_kind}",
        )
    return mounting


def fill_reading(message: Message, uplink: Uplink, placed: PlacedMeasurement, rules: QualityRules) -> FillReading:
    """Return the level as it is stored, judged by the bin's geometry."""
    measurement, mounting, measured_at, record_index = placed
    level = judge_level(measurement, mounting, rules)
    return FillReading(
        commune_insee=mounting.commune_insee,
        device_id=mounting.device_id,
        place_id=mounting.place_id,
        measured_at=measured_at,
        record_index=record_index,
        received_at=message.received_at,
        quality=level.quality,
        fill_fraction=level.fill_fraction,
        distance_mm=measurement.distance_mm,
        temperature_c=plausible_temperature_c(measurement.temperature_c),
        battery_percent=plausible_battery_percent(measurement.battery_percent),
        tilted=measurement.tilted,
        frame_counter=uplink.frame_counter,
        payload=measurement.raw or uplink.payload,
        network_time=uplink.network_time,
        battery_v=measurement.battery_v,
        fire=measurement.fire,
        full=measurement.full,
        rssi_dbm=uplink.rssi_dbm,
        snr_db=uplink.snr_db,
        network=message.network.name,
    )


def occupancy_reading(message: Message, uplink: Uplink, placed: PlacedMeasurement) -> OccupancyReading:
    """Return the state as it is stored."""
    measurement, mounting, measured_at, record_index = placed
    return OccupancyReading(
        commune_insee=mounting.commune_insee,
        device_id=mounting.device_id,
        place_id=mounting.place_id,
        measured_at=measured_at,
        record_index=record_index,
        received_at=message.received_at,
        quality=measurement.quality,
        occupied=measurement.occupied if measurement.quality is Quality.OK else None,
        temperature_c=plausible_temperature_c(measurement.temperature_c),
        battery_percent=plausible_battery_percent(measurement.battery_percent),
        frame_counter=uplink.frame_counter,
        payload=measurement.raw or uplink.payload,
        network_time=uplink.network_time,
        battery_v=measurement.battery_v,
        rssi_dbm=uplink.rssi_dbm,
        snr_db=uplink.snr_db,
        network=message.network.name,
    )


def events_once(infos: Sequence[Info]) -> list[Info]:
    """Return what is stored as events, once a kind: with the device and the moment, the kind is an event's key.

    What several of one kind say stands in one, as a list named `each`.
    """
    kinds: dict[str, list[Info]] = {}
    for info in infos:
        if not info.transient:
            kinds.setdefault(info.kind, []).append(info)
    return [
        same[0] if len(same) == 1 else Info(kind=kind, detail={"each": [info.detail for info in same]}, raw=same[0].raw)
        for kind, same in kinds.items()
    ]


def device_event(message: Message, uplink: Uplink, registered: RegisteredDevice, info: Info) -> DeviceEvent:
    """Return what the device said of itself, at the network's time."""
    return DeviceEvent(
        commune_insee=message.network.commune_insee,
        device_id=registered.device.device_id,
        measured_at=uplink.network_time or message.received_at,
        received_at=message.received_at,
        kind=info.kind,
        detail=info.detail,
        payload=uplink.payload if info.raw is None else info.raw,
    )
