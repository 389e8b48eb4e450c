"""What devices and agents say, and what became of it.

Readings are structs: a collector makes thousands a second, and making a frozen dataclass of twenty fields takes as long
as reading its message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from storage.model.kinds import Quality, RefusalReason, ServiceEventKind


class FillReading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One measured level of a bin. `fill_fraction` is 0..1 (above 1: overflowing), None when nothing was measured.

    `measured_at` is the event's time (the device's own, else the network's), `network_time` when the network received
    the frame (None: it did not say), `received_at` when the collector did. `fire` and `full` are the device's own
    alarms.
    `payload` is what the device sent, without the network's envelope; `network` names the network that brought it.
    """

    commune_insee: str
    device_id: int
    place_id: str
    measured_at: datetime
    record_index: int
    received_at: datetime
    quality: Quality
    fill_fraction: float | None = None
    distance_mm: int | None = None
    temperature_c: float | None = None
    battery_percent: float | None = None
    tilted: bool | None = None
    frame_counter: int | None = None
    payload: bytes | None = None
    network_time: datetime | None = None
    battery_v: float | None = None
    fire: bool | None = None
    full: bool | None = None
    rssi_dbm: float | None = None
    snr_db: float | None = None
    network: str | None = None


class OccupancyReading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One measured state of a delivery bay or parking space; `occupied` is None when nothing was measured.

    `network` is the name of the network that brought it: what devices fall silent together by.
    """

    commune_insee: str
    device_id: int
    place_id: str
    measured_at: datetime
    record_index: int
    received_at: datetime
    quality: Quality
    occupied: bool | None = None
    temperature_c: float | None = None
    battery_percent: float | None = None
    frame_counter: int | None = None
    payload: bytes | None = None
    network_time: datetime | None = None
    battery_v: float | None = None
    rssi_dbm: float | None = None
    snr_db: float | None = None
    network: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceEvent:
    """A frame that carries no reading: start-up, configuration, version."""

    commune_insee: str
    device_id: int
    measured_at: datetime
    received_at: datetime
    kind: str
    detail: dict[str, Any]
    payload: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedMessage:
    """A message that was not taken in, whole, with the reason."""

    commune_insee: str
    received_at: datetime
    network: str
    topic: str
    payload: bytes
    reason: RefusalReason
    detail: str
    device_eui: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class IntakeBatch:
    """What one collector takes in with one commit; `messages` counts the MQTT messages behind it."""

    commune_insee: str
    collector: str
    messages: int
    fill_readings: tuple[FillReading, ...] = ()
    occupancy_readings: tuple[OccupancyReading, ...] = ()
    device_events: tuple[DeviceEvent, ...] = ()
    refused: tuple[RefusedMessage, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class IntakeResult:
    """What became of a batch. `duplicates` counts readings, events and refused messages that the tables already had."""

    stored: int
    duplicates: int
    refused: int


@dataclass(frozen=True, kw_only=True, slots=True)
class IntakeTally:
    """The ledger of what collectors committed, summed over a commune."""

    messages: int
    stored: int
    duplicates: int
    refused: int
    last_committed_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceEvent:
    """What an agent declared at a bin. `event_id` is made by the tablet, so that sending twice does no harm.

    `found_fraction` is how full the agent said the bin was (0, 0.25, ... 1), None when they did not say.
    """

    commune_insee: str
    event_id: UUID
    place_id: str
    kind: ServiceEventKind
    happened_at: datetime
    found_fraction: float | None = None
    plan_id: UUID | None = None
    comment: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceWithdrawal:
    """A declaration that an agent took back, and when."""

    event_id: UUID
    withdrawn_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Emptying:
    """One emptying of a bin; `found_fraction` is what the crew said, None when it said nothing."""

    place_id: str
    emptied_at: datetime
    found_fraction: float | None
