"""The ledger of what collectors took in."""

from __future__ import annotations

from pydantic import Field

from api.models.common import Model, Moment
from storage.model import RefusalReason


class RefusalModel(Model):
    """Messages refused for one reason; each is kept whole."""

    reason: RefusalReason
    messages: int
    last_received_at: Moment


class IntakeModel(Model):
    """Sums over everything that collectors committed for the commune."""

    messages: int = Field(description="MQTT messages taken in")
    stored: int = Field(description="Readings and device events stored")
    duplicates: int = Field(description="Readings that were there already (redelivered or repeated)")
    refused: int = Field(description="Messages refused, each kept whole with its reason")
    last_committed_at: Moment | None = Field(description="Last commit by the real clock, UTC")
    refusals: list[RefusalModel] = Field(description="Most frequent first")
