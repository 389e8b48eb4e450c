"""Communes and their clocks."""

from __future__ import annotations

from pydantic import Field

from api.models.common import Model, Moment


class CommuneModel(Model):
    """A commune served here."""

    commune_insee: str = Field(description="INSEE code", examples=["93051"])
    name: str = Field(examples=["Noisy-le-Grand"])
    time_zone: str = Field(description="IANA name; rules and shifts are in its local time", examples=["Europe/Paris"])


class CommunesModel(Model):
    """All communes of this installation."""

    communes: list[CommuneModel]


class CommuneNowModel(CommuneModel):
    """A commune and its present. A simulated commune's clock runs `clock_rate` times faster than ours."""

    now: Moment = Field(description="The commune's present, UTC; every answer about the commune is given for it")
    simulated: bool = Field(description="True for a demonstration: devices, streets' use and clock are made up")
    clock_rate: float = Field(description="Seconds of the commune in one real second; 1 for a real commune")
    places: dict[str, int] = Field(
        description="Number of places by kind", examples=[{"bin": 1000, "delivery_bay": 60, "parking_space": 400}]
    )
