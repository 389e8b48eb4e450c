"""Devices, where they are and were, and what is told of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field

from api.models.common import Model, Moment
from storage.model import (
    BinShape,
    DeviceChangeKind,
    DeviceNow,
    DeviceStatus,
    Geometry,
    Mounting,
    Orientation,
    PlaceKind,
)

PlaceName = Annotated[str, Field(min_length=1, max_length=100, examples=["COR-0001"])]
Author = Annotated[str | None, Field(max_length=100, description="Who tells it", examples=["Equipe Nord"])]
Comment = Annotated[str | None, Field(max_length=1000, description="Why, in their words")]


class GeometryModel(Model):
    """How a bin's sensor is mounted, and what the bin is like: what a distance means."""

    empty_distance_mm: int | None = Field(default=None, description="What the sensor reads when the bin is empty")
    full_distance_mm: int | None = Field(default=None, description="What the sensor reads when the bin is full")
    mounting_height_mm: int | None = Field(default=None, description="The sensor's height over the bin's bottom")
    full_height_mm: int | None = Field(default=None, description="The full line's height over the bin's bottom")
    orientation: Orientation = Field(default=Orientation.DOWN, description="Where the sensor looks")
    bin_shape: BinShape = Field(default=BinShape.STRAIGHT, description="How the cross-section changes with the height")
    bottom_ratio: float | None = Field(
        default=None, description="Tapered bins: width at the bottom over that at the full line"
    )

    def told(self) -> Geometry:
        """Return it as the domain says it."""
        return Geometry(**self.model_dump())


class MountingModel(Model):
    """A device on a place for a time."""

    place_id: str
    place_kind: PlaceKind
    mounted_at: Moment
    unmounted_at: Moment | None = Field(description="null: it is there now")
    geometry: GeometryModel | None = Field(description="null: none is known, or the place is no bin")

    @classmethod
    def of(cls, mounting: Mounting) -> Self:
        """Return the mounting as it is shown."""
        return cls(
            place_id=mounting.place_id,
            place_kind=mounting.place_kind,
            mounted_at=mounting.mounted_at,
            unmounted_at=mounting.unmounted_at,
            geometry=_geometry(mounting.geometry),
        )


class DeviceModel(Model):
    """A device now."""

    eui: str = Field(description="DevEUI in lower case, or a native identifier", examples=["24e124713b000001"])
    model: str = Field(description="Names the decoder", examples=["milesight-em310-udl"])
    status: DeviceStatus
    comment: str | None
    place_id: str | None = Field(description="Where it is; null: on no place")
    place_kind: PlaceKind | None
    mounted_at: Moment | None = Field(description="Since when it is there")
    geometry: GeometryModel | None
    last_seen_at: Moment | None = Field(description="Event time of the last reading or device event")
    battery_percent: float | None = Field(description="As last told")
    battery_v: float | None = Field(description="As last told")

    @classmethod
    def of(cls, device: DeviceNow) -> Self:
        """Return the device as it is shown."""
        return cls(**_shown(device))


class DevicesModel(Model):
    """One page of a commune's devices, by `eui`."""

    now: Moment
    counts: dict[DeviceStatus, int] = Field(description="Of all devices, whatever the filter")
    devices: list[DeviceModel]
    next: str | None = Field(description="Give it as `after` for the next page; null: this is the last one")


class DeviceChangeModel(Model):
    """What was told of a device. Kept for good, also when it was corrected since."""

    kind: DeviceChangeKind
    happened_at: Moment = Field(description="By the commune's clock")
    recorded_at: Moment = Field(description="When it was entered, by the real clock")
    place_id: str | None
    author: str | None
    comment: str | None
    detail: dict[str, Any]


class DeviceHistoryModel(DeviceModel):
    """A device now, with everything that is known of it."""

    mountings: list[MountingModel] = Field(description="Where it was, newest first")
    changes: list[DeviceChangeModel] = Field(description="What was told, in the order in which it was told")
    refused_messages: int = Field(description="Messages of it that are refused now")

    @classmethod
    def with_history(cls, device: DeviceNow, **history: Any) -> Self:
        """Return the device as it is shown, with its history."""
        return cls(**_shown(device), **history)


class DeviceIn(Model):
    """A device to make known, in stock; or another model of a known one."""

    model: str = Field(min_length=1, max_length=100, examples=["milesight-em310-udl"])
    comment: Comment = None
    author: Author = None


class AssignmentIn(Model):
    """The place where a device is."""

    place_id: PlaceName
    at: AwareDatetime | None = Field(default=None, description="Since when, with its offset; null: now")
    until: AwareDatetime | None = Field(default=None, description="Until when, to tell the past")
    geometry: GeometryModel | None = Field(
        default=None, description="null: what it has or had on this place, or that of the device it replaces"
    )
    replace: Literal["in_stock", "retired"] | None = Field(
        default=None, description="What becomes of a device that is there; null: the request is refused with 409"
    )
    comment: Comment = None
    author: Author = None


class StatusIn(Model):
    """Into stock, or out of service."""

    status: Literal["in_stock", "retired"]
    at: AwareDatetime | None = Field(default=None, description="Since when, with its offset; null: now")
    comment: Comment = None
    author: Author = None


class FollowedModel(Model):
    """What stored readings did, since their device was elsewhere than was thought."""

    moved: int = Field(description="To another place")
    displaced: int = Field(description="Set aside: their device was on no place that fits them")
    restored: int = Field(description="Back from having been set aside")
    rejudged: int = Field(description="Their level was computed anew")


class ToldModel(Model):
    """What became of a change. What was refused of these devices is judged again by the worker, within a minute."""

    eui: str
    at: Moment
    changed: list[str] = Field(description="Devices that changed; none: all was known already")
    replaced: str | None = Field(description="The device that was taken down for it")
    readings: FollowedModel


class ImportedModel(Model):
    """What became of a file of devices."""

    imported: int = Field(description="New devices")
    updated: int = Field(description="Known devices that changed")
    unchanged: int
    errors: list[str] = Field(default=[], max_length=0, description="Always empty: a file with faults is a problem")
    dry_run: bool


def _geometry(geometry: Geometry) -> GeometryModel | None:
    return None if geometry == Geometry() else GeometryModel.model_validate(geometry)


def _shown(device: DeviceNow) -> dict[str, Any]:
    names = (
        "eui", "model", "status", "comment", "place_id", "place_kind", "mounted_at", "last_seen_at", "battery_percent",
        "battery_v",
    )  # fmt: skip
    shown: dict[str, Any] = {name: getattr(device, name) for name in names}
    return shown | {"geometry": _geometry(device.geometry)}
