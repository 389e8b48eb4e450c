"""Parking spaces: free, occupied or unknown."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from api.models.common import Located, Model, Moment


class SpaceState(StrEnum):
    """What is known of a space. Unknown is never counted as free."""

    FREE = "free"
    OCCUPIED = "occupied"
    UNKNOWN = "unknown"


class SpaceModel(Located):
    """A parking space now."""

    space_kind: str = Field(description="standard, pmr (disabled persons) or short_stay", examples=["standard"])
    state: SpaceState
    heard_at: Moment | None = Field(description="When the sensor last said anything, UTC")
    distance_m: float | None = Field(description="From the point asked for, as the crow flies, metres")


class ParkingModel(Model):
    """The spaces that were asked for. The counts are over all of them, whatever `state` filters."""

    now: Moment = Field(description="The commune's present, UTC")
    total: int
    free: int
    occupied: int
    unknown: int = Field(description="Sensor silent or faulty: maybe free, maybe not")
    spaces: list[SpaceModel] = Field(description="Nearest first when a point was given, else by id")
