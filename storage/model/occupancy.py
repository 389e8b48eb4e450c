"""Stays of vehicles, and what each place's sensor last said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.model.kinds import EndedBy


@dataclass(frozen=True, kw_only=True, slots=True)
class OccupancySession:
    """One stay at a bay or space, by event times; no vehicle is known by it.

    `started_at` is the arrival when `start_seen`; otherwise the vehicle was found there then and had come after
    `started_after` (None: nobody knows). `ended_at` is None when it is still there, or nobody knows (`ended_by`).
    `dwell_s` is None unless arrival and departure were told. `certainty` 0..1.
    `overstay_s` is how long it was beyond the limits that held; None where none was counted or nobody knows.
    """

    place_id: str
    started_at: datetime
    started_after: datetime | None
    start_seen: bool
    last_seen_at: datetime
    ended_at: datetime | None
    ended_by: EndedBy
    dwell_s: float | None
    certainty: float
    reports: int
    device_id: int
    overstay_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OccupancyPresent:
    """What a place's sensor last said: `heard_at` anything, `measured_at` its state, which holds since `since`."""

    place_id: str
    device_id: int
    heard_at: datetime
    measured_at: datetime | None
    occupied: bool | None
    since: datetime | None
    certainty: float | None
