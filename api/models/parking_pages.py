"""What the pages for drivers are asked: by a form, a link, or whoever puts up a sign."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.geo import rounded
from api.models.guidance import Vehicle


class _Asked(BaseModel):
    # A link that somebody's newsletter has lengthened still leads to the page.
    model_config = ConfigDict(extra="ignore", frozen=True)

    near: str = Field(default="", max_length=100, description="A street, an address or a place, as somebody types it")
    lon: float | None = Field(default=None, ge=-180, le=180, description="Or a point: longitude, degrees")
    lat: float | None = Field(default=None, ge=-90, le=90, description="Latitude, degrees")
    vehicle: Vehicle = Field(default=Vehicle.CAR, description="Whose places")
    at: int = Field(default=0, ge=0, le=60, description="Arrival, minutes from now; 0 is now")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.lon is None) is not (self.lat is None):
            raise ValueError("expected both lon and lat, or none")
        return self

    @property
    def point(self) -> tuple[float, float] | None:
        """The point that was asked for, rounded to some ten metres."""
        if self.lon is None or self.lat is None:
            return None
        return rounded(self.lon, self.lat)


class ParkingQuery(_Asked):
    """Where somebody goes, when, and with what."""

    radius_m: int = Field(default=500, ge=100, le=1000, description="How far around, as the crow flies, metres")


class SignQuery(_Asked):
    """Which places a sign counts, and how old what it shows may be."""

    zone: str = Field(default="", max_length=300, description="A zone, street, area or car park, or a group's id")
    radius_m: int = Field(default=200, ge=10, le=1000, description="Around a point: how far, metres")
    max_age_min: int = Field(default=30, ge=1, le=1440, description="Older than that, nothing is said")
    label: bool = Field(default=True, description="Whether the zone's name stands under the number")
