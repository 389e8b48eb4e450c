"""What agents declare at a bin."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, Field

from api.models.common import Model
from storage.model import ServiceEventKind


class ServiceEventIn(Model):
    """One declaration. The client makes `event_id`, so that sending it again does no harm."""

    event_id: UUID = Field(description="Made by the client, once per declaration")
    place_id: str = Field(min_length=1, max_length=100, examples=["COR-0001"])
    kind: ServiceEventKind
    happened_at: AwareDatetime = Field(description="When it happened, with its offset from UTC")
    found_fraction: float | None = Field(
        default=None, ge=0, le=1.5, description="How full the bin was found: 0 empty, 1 full, above overflowing"
    )
    plan_id: UUID | None = Field(default=None, description="The plan that the agent was driving")
    comment: str | None = Field(default=None, max_length=1000)


class ServiceEventsIn(Model):
    """A batch, for instance all taps that a tablet kept while it had no network."""

    events: list[ServiceEventIn] = Field(min_length=1, max_length=1000)


class ServiceEventsOut(Model):
    """What became of a batch: all of it is stored, or none."""

    accepted: int = Field(description="Events in the request, all stored now")
    new: int = Field(description="Those that were not stored before")


class WithdrawalIn(Model):
    """A declaration that is taken back."""

    event_id: UUID = Field(description="Of the declaration")
    withdrawn_at: AwareDatetime = Field(description="When it was taken back, with its offset from UTC")


class WithdrawalsIn(Model):
    """A batch of them."""

    withdrawals: list[WithdrawalIn] = Field(min_length=1, max_length=1000)


class WithdrawalsOut(Model):
    """What became of a batch: all of it is stored, or none."""

    accepted: int = Field(description="Declarations in the request, all taken back now")
    new: int = Field(description="Those that were not taken back before")
