"""Where somebody may want to go: streets, house numbers and places by name."""

from __future__ import annotations

from pydantic import Field

from api.gazetteer.names import NameKind
from api.models.common import Latitude, Longitude, Model


class DestinationModel(Model):
    """A street, an address or a place."""

    name: str = Field(examples=["12 Rue de la République"])
    kind: NameKind
    detail: str | None = Field(description="Of a place: its address, when known")
    longitude_deg: Longitude
    latitude_deg: Latitude


class DestinationsModel(Model):
    """What was meant, the likeliest first."""

    destinations: list[DestinationModel]
