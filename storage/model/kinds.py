"""The words with a closed list of values."""

from __future__ import annotations

from enum import StrEnum


class PlaceKind(StrEnum):
    """What stands at a place."""

    BIN = "bin"
    DELIVERY_BAY = "delivery_bay"
    PARKING_SPACE = "parking_space"
    DEPOT = "depot"
    DISPOSAL_SITE = "disposal_site"
    DELIVERY_AREA = "delivery_area"
    ZONE = "zone"
    STREET_FACE = "street_face"


class Quality(StrEnum):
    """Whether a reading measured something; all but OK carry no level and no occupancy.

    The first five are judged at intake, of each reading alone. The others come from the review, which sees readings in
    the order of events; UNCONFIRMED is the newest reading of a bin when it jumps: the next one settles what it was.
    """

    OK = "ok"
    NO_TARGET = "no_target"
    BLIND_ZONE = "blind_zone"
    SENSOR_FAULT = "sensor_fault"
    IMPLAUSIBLE = "implausible"
    IMPOSSIBLE_JUMP = "impossible_jump"
    UNCONFIRMED = "unconfirmed"
    STUCK = "stuck"
    BLOCKED = "blocked"
    OUT_OF_CALIBRATION = "out_of_calibration"


class RefusalReason(StrEnum):
    """Why a message was not taken in. The message is kept whole beside it."""

    UNKNOWN_TOPIC = "unknown_topic"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    TOO_MANY = "too_many"
    MALFORMED_ENVELOPE = "malformed_envelope"
    SIMULATED_UPLINK = "simulated_uplink"
    UNKNOWN_DEVICE = "unknown_device"
    UNKNOWN_MODEL = "unknown_model"
    MALFORMED_PAYLOAD = "malformed_payload"
    NOT_MOUNTED = "not_mounted"
    IN_THE_FUTURE = "in_the_future"
    TOO_OLD = "too_old"
    INTERNAL_ERROR = "internal_error"


class DeviceStatus(StrEnum):
    """Where a device is in its life."""

    IN_STOCK = "in_stock"
    MOUNTED = "mounted"
    RETIRED = "retired"


class DeviceChangeKind(StrEnum):
    """What was told of a device."""

    REGISTERED = "registered"
    MODEL_CHANGED = "model_changed"
    MOUNTED = "mounted"
    RECALIBRATED = "recalibrated"
    UNMOUNTED = "unmounted"
    RETIRED = "retired"
    RESTOCKED = "restocked"
    COMMENTED = "commented"


class Orientation(StrEnum):
    """Where a bin's sensor looks: down on the contents, up at them from below, or across the bin at its own height."""

    DOWN = "down"
    UP = "up"
    ACROSS = "across"


class BinShape(StrEnum):
    """How a bin's cross-section changes with its height: not at all, in proportion to it, or as a lying cylinder's."""

    STRAIGHT = "straight"
    TAPERED = "tapered"
    LYING_CYLINDER = "lying_cylinder"


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


class EndedBy(StrEnum):
    """How a vehicle's stay ended, as far as its sensor tells.

    FREED: the departure was told. FOUND_FREE: a heartbeat found the place free, the departure itself was not told.
    REPLACED: the next vehicle's arrival was told, and nothing between. LOST: the sensor fell silent. OPEN: not yet.
    """

    FREED = "freed"
    FOUND_FREE = "found_free"
    REPLACED = "replaced"
    LOST = "lost"
    OPEN = "open"


class Verdict(StrEnum):
    """What a bin's sensor says of an emptying that a crew declared."""

    SEEN = "seen"
    NOT_SEEN = "not_seen"
    NOT_OBSERVABLE = "not_observable"


class Severity(StrEnum):
    """How soon somebody should look at an alert."""

    URGENT = "urgent"
    IMPORTANT = "important"
    MINOR = "minor"


class AlertKind(StrEnum):
    """What an alert says."""

    FIRE = "fire"
    HOT = "hot"
    TILTED = "tilted"
    OVERFLOW = "overflow"
    MISSED_EMPTYING = "missed_emptying"
    SENSOR_FAULT = "sensor_fault"
    STUCK = "stuck"
    BLOCKED = "blocked"
    OUT_OF_CALIBRATION = "out_of_calibration"
    SILENT = "silent"
    NETWORK_SILENT = "network_silent"
    BATTERY_LOW = "battery_low"
    RADIO_WEAK = "radio_weak"
    CONTRADICTED = "contradicted"


class ClosedBy(StrEnum):
    """Why an alert is over: the condition ended, or later data showed that there was none."""

    RECOVERED = "recovered"
    WITHDRAWN = "withdrawn"
