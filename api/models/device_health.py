"""The devices' health."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.models.common import Model, Moment
from storage.health import WatchedDevice
from storage.model import PlaceKind


class DeviceHealthModel(Model):
    """A device that is on a place now: when it was heard, its habit, its battery and its radio."""

    device_id: int
    eui: str
    model: str
    place_id: str
    place_kind: PlaceKind
    network: str | None = Field(description="The network that last brought a message of it")
    heard_at: Moment | None = Field(description="When a network last heard it; null: never")
    period_s: float | None = Field(description="How often it speaks, learnt from itself; null while little is known")
    silent_after_s: float | None = Field(description="After so long without a word it is silent, learnt from itself")
    silent: bool = Field(description="Whether it has said nothing for longer than that, or never spoke")
    battery_percent: float | None
    battery_v: float | None
    battery_empty_at: Moment | None = Field(description="Where the battery's trend leads; null when none can be told")
    rssi_dbm: float | None = Field(description="Median of its last days, dBm")
    snr_db: float | None = Field(description="Median of its last days, dB")
    loss_fraction: float | None = Field(description="Share of its frames of the last days that never came")
    checks_right: int = Field(description="How often officers found what it says so, in the last 90 days")
    checks_wrong: int = Field(description="How often officers found it wrong, in the last 90 days")

    @classmethod
    def of(cls, device: WatchedDevice, *, now: datetime) -> DeviceHealthModel:
        """Return `device` at `now` as the API says it."""
        quiet_s = None if device.heard_at is None else (now - device.heard_at).total_seconds()
        silent = quiet_s is None or (device.silent_after_s is not None and quiet_s > device.silent_after_s)
        known = {name: getattr(device, name) for name in cls.model_fields if name != "silent"}
        return cls.model_validate(known | {"silent": silent})


class DevicesHealthModel(Model):
    """Every device that is on a place now."""

    now: Moment = Field(description="The commune's present, UTC")
    silent: int = Field(description="How many of them are silent")
    devices: list[DeviceHealthModel]
