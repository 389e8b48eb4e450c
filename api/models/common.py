"""What several nouns share."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

Moment = Annotated[AwareDatetime, Field(description="UTC, ISO 8601")]
LocalTime = Annotated[
    time,
    # JSON Schema's "time" has an offset (RFC 3339), which hours of every day have not.
    WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?$"}),
]
Longitude = Annotated[float, Field(description="WGS 84, degrees", examples=[2.5531])]
Latitude = Annotated[float, Field(description="WGS 84, degrees", examples=[48.8486])]


class Model(BaseModel):
    """Base of every model: made from the domain's values, and nothing unknown comes in."""

    model_config = ConfigDict(from_attributes=True, extra="forbid", frozen=True)


class Located(Model):
    """A place on the map."""

    place_id: str = Field(description="Stable id of the place in its commune", examples=["COR-0001"])
    longitude_deg: Longitude
    latitude_deg: Latitude
    street: str | None = Field(description="Name of the street, when known", examples=["Rue de la République"])
