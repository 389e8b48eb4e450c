"""Edits of plans: what is asked, and what became of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from api.models.common import Model, Moment
from storage.model import RequestState


class PlanEditsIn(Model):
    """Edits of a plan, or more edits of a draft. The client makes `request_id`, so that asking again does no harm."""

    request_id: UUID = Field(description="Made by the client, once per request")
    by: str = Field(min_length=1, max_length=100, description="Who asks, as the audit names them")
    edits: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=1000,
        description="In order; docs/rounds-editing.md has each kind",
        examples=[[{"kind": "move", "place_id": "COR-0001", "vehicle_id": "BOM-2", "position": 3}]],
    )


class PlanRequestModel(Model):
    """A request to the worker. `refused`: because of what was asked; `failed`: because of us."""

    request_id: UUID
    plan_id: UUID = Field(description="The plan that was to be edited")
    asked_by: str
    asked_at: Moment
    state: RequestState
    detail: str | None = Field(description="Why it was refused: the bin and the rule, in the checker's words")
    made_plan_id: UUID | None = Field(description="The draft that answers it")
    difference: dict[str, Any] | None = Field(description="What the draft changes; docs/rounds-editing.md")
    answered_at: Moment | None
