"""The domain's types: what the rooms say to each other. Imports nothing of ours.

Values are frozen, keyword-only and carry their unit in the name. Every time is time-zone aware UTC; people's local time
is made at the rim. Measured, predicted and declared fill are three different fields, never one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID


class PlaceKind(StrEnum):
    """What stands at a place."""

    BIN = "bin"
    DELIVERY_BAY = "delivery_bay"
    PARKING_SPACE = "parking_space"
    DEPOT = "depot"
    DISPOSAL_SITE = "disposal_site"


class Quality(StrEnum):
    """Whether a reading measured something; all but OK carry no level and no occupancy."""

    OK = "ok"
    NO_TARGET = "no_target"
    BLIND_ZONE = "blind_zone"
    SENSOR_FAULT = "sensor_fault"
    IMPLAUSIBLE = "implausible"


class RefusalReason(StrEnum):
    """Why a message was not taken in. The message is kept whole beside it."""

    UNKNOWN_TOPIC = "unknown_topic"
    TOO_LARGE = "too_large"
    MALFORMED_ENVELOPE = "malformed_envelope"
    SIMULATED_UPLINK = "simulated_uplink"
    UNKNOWN_DEVICE = "unknown_device"
    UNKNOWN_MODEL = "unknown_model"
    MALFORMED_PAYLOAD = "malformed_payload"
    NOT_MOUNTED = "not_mounted"
    IN_THE_FUTURE = "in_the_future"
    TOO_OLD = "too_old"
    INTERNAL_ERROR = "internal_error"


class ServiceEventKind(StrEnum):
    """What an agent declares at a stop."""

    EMPTIED = "emptied"
    BLOCKED = "blocked"
    OVERFLOWING = "overflowing"
    DAMAGED = "damaged"


class StopKind(StrEnum):
    """What a vehicle does at a stop of its route."""

    DEPOT = "depot"
    BIN = "bin"
    DISPOSAL = "disposal"
    BREAK = "break"


class BayState(StrEnum):
    """The state of a delivery bay at a moment. Unknown is never free."""

    RULE_NOT_IN_FORCE = "rule_not_in_force"
    FREE = "free"
    WITHIN_LIMIT = "within_limit"
    NEAR_LIMIT = "near_limit"
    OVER_LIMIT = "over_limit"
    UNKNOWN = "unknown"


# --- who and where --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Commune:
    """A commune served by this installation; `commune_insee` is its INSEE code."""

    commune_insee: str
    name: str
    time_zone: str = "Europe/Paris"
    school_zone: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """The commune's time. Real communes have rate 1 and no origin; a simulated one runs faster than the wall clock."""

    wall_origin: datetime | None = None
    simulated_origin: datetime | None = None
    rate: float = 1.0

    def now(self) -> datetime:
        """Return the commune's present, in UTC."""
        wall = datetime.now(UTC)
        if self.wall_origin is None or self.simulated_origin is None:
            return wall
        return self.simulated_origin + (wall - self.wall_origin) * self.rate

    def wall_time(self, moment: datetime) -> datetime:
        """Return when, by the wall clock, the commune's `moment` comes (or came); both in UTC."""
        if self.wall_origin is None or self.simulated_origin is None:
            return moment
        return self.wall_origin + (moment - self.simulated_origin) / self.rate


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """How a simulated commune was made, so that a restart continues it; only simulated communes have one."""

    commune_insee: str
    seed: int
    streets_source: str
    started_at: datetime
    history_until: datetime
    wall_origin: datetime
    simulated_origin: datetime
    rate: float
    history_published: bool = False
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A point of the commune; WGS 84 degrees."""

    commune_insee: str
    place_id: str
    kind: PlaceKind
    longitude_deg: float
    latitude_deg: float
    street: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Bin:
    """A street bin (corbeille de rue). `surroundings` are numbers read from OpenStreetMap around it."""

    commune_insee: str
    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    bin_kind: str
    volume_l: float
    service_s: float = 40.0
    sector: str | None = None
    surroundings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryBay:
    """A delivery bay (place d'une aire de livraison) with its rule: days are ISO weekdays, hours are local."""

    commune_insee: str
    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    length_cm: int
    max_stay_s: int
    grace_s: int
    enforced_days: tuple[int, ...]
    enforced_from: time
    enforced_until: time


@dataclass(frozen=True, kw_only=True, slots=True)
class ParkingSpace:
    """A parking space on the street; `space_kind` is standard, pmr (disabled persons) or short_stay (arrêt minute)."""

    commune_insee: str
    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    space_kind: str = "standard"


@dataclass(frozen=True, kw_only=True, slots=True)
class DisposalSite:
    """Where vehicles unload."""

    commune_insee: str
    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    unload_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Vehicle:
    """A collection vehicle with its shift, its legal break and its depot. Hours are local, of the day of service."""

    commune_insee: str
    vehicle_id: str
    name: str
    capacity_l: float
    depot_id: str
    shift_from: time
    shift_until: time
    break_s: float
    break_from: time
    break_until: time


# --- devices and what they say ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A sensor. `model` names its decoder; `eui` is a LoRaWAN DevEUI in lower-case hex or a native identifier."""

    commune_insee: str
    eui: str
    model: str
    device_id: int = 0  # given by the database
    status: str = "mounted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mounting:
    """A device on a place for a time. Distances (bins only): what the sensor reads when the bin is empty and full."""

    commune_insee: str
    device_id: int
    place_id: str
    place_kind: PlaceKind
    mounted_at: datetime
    unmounted_at: datetime | None = None
    empty_distance_mm: int | None = None
    full_distance_mm: int | None = None

    def covers(self, moment: datetime) -> bool:
        """Whether the device was on this place at `moment`."""
        return self.mounted_at <= moment and (self.unmounted_at is None or moment < self.unmounted_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisteredDevice:
    """A device and all its mountings, newest first: what the collector needs to place a reading."""

    device: Device
    mountings: tuple[Mounting, ...]

    def mounting_at(self, moment: datetime) -> Mounting | None:
        """Return the mounting in force at `moment`, or None."""
        return next((mounting for mounting in self.mountings if mounting.covers(moment)), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class FillReading:
    """One measured level of a bin. `fill_fraction` is 0..1 (above 1: overflowing), None when nothing was measured.

    `payload` is what the device sent, without the network's envelope.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class OccupancyReading:
    """One measured state of a delivery bay or parking space; `occupied` is None when nothing was measured."""

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
    """What became of a batch. `duplicates` counts readings and events that the table already had."""

    stored: int
    duplicates: int
    refused: int


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


# --- forecasts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class FillForecast:
    """The predicted fill of one bin at one moment if nobody empties it before: quantiles of fill_fraction."""

    place_id: str
    valid_at: datetime
    p05: float
    p10: float
    p50: float
    p90: float
    p95: float
    probability_full: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ForecastRun:
    """One run of one model for one commune; `as_of` is the last moment whose data the run saw."""

    commune_insee: str
    run_id: UUID
    model_version: str
    as_of: datetime
    made_at: datetime
    trained_from: datetime
    trained_until: datetime
    scores: dict[str, Any] = field(default_factory=dict)


# --- plans -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why a bin is served or left out: a code for machines, a French sentence for people, and the figures behind it."""

    code: str
    text: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedStop:
    """One stop of a route. `load_l` is the load on leaving it; distance and time are from the previous stop."""

    stop_index: int
    kind: StopKind
    place_id: str | None
    longitude_deg: float | None
    latitude_deg: float | None
    arrive_at: datetime
    depart_at: datetime
    load_l: float
    distance_m: float
    reason: Reason | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRoute:
    """One vehicle's round. `geometry` is the GeoJSON coordinates of its way along the streets, [lon, lat] pairs."""

    route_index: int
    vehicle_id: str
    start_at: datetime
    end_at: datetime
    distance_m: float
    duration_s: float
    stops: tuple[PlannedStop, ...]
    geometry: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """A bin that the plan does not serve, and why that is safe."""

    place_id: str
    reason: Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The rounds of one day. `checker` is the verdict of the independent checker; only accepted plans are stored."""

    commune_insee: str
    plan_id: UUID
    service_date: date
    made_at: datetime
    as_of: datetime
    engine: str
    seed: int
    solve_s: float
    travel_source: str
    forecast_run_id: UUID | None
    distance_m: float
    duration_s: float
    checker: dict[str, Any]
    inputs: dict[str, Any]
    routes: tuple[PlannedRoute, ...]
    left_out: tuple[LeftOut, ...]


# --- present states, by event time -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class BinNow:
    """A bin with what was last measured, last declared and is now predicted for it, each in its own fields."""

    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    bin_kind: str
    volume_l: float
    sector: str | None
    has_sensor: bool
    measured_at: datetime | None
    measured_fill_fraction: float | None
    quality: Quality | None
    battery_percent: float | None
    last_emptied_at: datetime | None
    forecast_valid_at: datetime | None
    forecast_p10: float | None
    forecast_p50: float | None
    forecast_p90: float | None
    probability_full: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BayNow:
    """A delivery bay with its rule and its last known occupancy. `occupied_since` is None unless occupied."""

    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    length_cm: int
    max_stay_s: int
    grace_s: int
    enforced_days: tuple[int, ...]
    enforced_from: time
    enforced_until: time
    heard_at: datetime | None
    occupied: bool | None
    occupied_since: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SpaceNow:
    """A parking space with its last known occupancy."""

    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    space_kind: str
    heard_at: datetime | None
    occupied: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class IntakeTally:
    """The ledger of what collectors committed, summed over a commune."""

    messages: int
    stored: int
    duplicates: int
    refused: int
    last_committed_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Emptying:
    """One emptying of a bin; `found_fraction` is what the crew said, None when it said nothing."""

    place_id: str
    emptied_at: datetime
    found_fraction: float | None


SENSOR_SILENT_AFTER = timedelta(hours=30)
"""A bay sensor that said nothing for this long is silent: TPS110 sends a heartbeat every 24 h (Bosch, TPS110)."""
