"""What the review of readings finds: emptyings, the devices' health, alerts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from storage.model.kinds import AlertKind, ClosedBy, Quality, Severity, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectedEmptying:
    """An emptying that a sensor saw, between the readings at `emptied_after` and `emptied_before`.

    Levels are fill fractions; `confidence` 0..1 is the sensor's alone, whatever crews declared. `event_id` is the
    declaration of it (None: nobody declared it), `declared_after_s` the declared time minus the middle of the readings.
    """

    place_id: str
    device_id: int
    emptied_after: datetime
    emptied_before: datetime
    level_before: float
    level_after: float
    confidence: float
    event_id: UUID | None = None
    declared_after_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredCheck:
    """What the sensor says of a declared emptying; levels before and after are None when it saw none."""

    event_id: UUID
    place_id: str
    device_id: int
    happened_at: datetime
    verdict: Verdict
    level_before: float | None = None
    level_after: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BinLevel:
    """The last trusted level of a bin, and what its sensor said since.

    `fill_fraction` was measured at `measured_at` (None: never trusted yet); `filtered_fraction` is that level with the
    noise taken out, `filtered_sd` its standard deviation. `newest_quality` is the verdict on the newest reading.
    """

    place_id: str
    device_id: int
    measured_at: datetime | None
    fill_fraction: float | None
    battery_percent: float | None
    filtered_fraction: float | None
    filtered_sd: float | None
    reviewed_until: datetime
    newest_quality: Quality
    newest_reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceHealth:
    """A device now: when it was heard, what is usual for it, its battery and its radio. None where unknown.

    `silent_after_s` is how long it may say nothing; `excused_until` when its network's last outage ended.
    `battery_empty_at` is where the battery's trend leads, `loss_fraction` the share of frames that never came.
    """

    device_id: int
    heard_at: datetime
    silent_after_s: float
    place_id: str | None = None
    network: str | None = None
    heard_before_at: datetime | None = None
    period_s: float | None = None
    excused_until: datetime | None = None
    noise_fraction: float | None = None
    step_fraction: float | None = None
    repeat_share: float | None = None
    battery_percent: float | None = None
    battery_v: float | None = None
    battery_empty_at: datetime | None = None
    rssi_dbm: float | None = None
    snr_db: float | None = None
    loss_fraction: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """Something that somebody should look at. Times are the events'; `noticed_at` is when the review saw it.

    `subject` is what it is about and, with `kind`, what opens once: `place:…`, `device:…` or `network:…`. `message` is
    a French sentence, `evidence` the figures behind it.
    """

    kind: AlertKind
    subject: str
    severity: Severity
    opened_at: datetime
    noticed_at: datetime
    message: str
    closed_at: datetime | None = None
    closed_by: ClosedBy | None = None
    place_id: str | None = None
    device_id: int | None = None
    network: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    alert_id: int = 0  # given by the database
