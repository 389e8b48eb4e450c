"""Collection vehicles."""

from __future__ import annotations

from pydantic import Field

from api.models.common import LocalTime, Model


class VehicleModel(Model):
    """A vehicle with its shift. Hours are local, of the day of service."""

    vehicle_id: str = Field(examples=["BOM-1"])
    name: str = Field(description="What crews call it", examples=["Benne 1"])
    capacity_l: float = Field(description="Litres")
    depot_id: str = Field(description="The place where its day starts")
    shift_from: LocalTime
    shift_until: LocalTime


class VehiclesModel(Model):
    """All vehicles of a commune."""

    vehicles: list[VehicleModel]
