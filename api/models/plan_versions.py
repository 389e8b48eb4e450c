"""What becomes of plans: drafts, what is published, who did it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field

from api.models.common import Model, Moment
from storage.model import PlanOrigin, PlanStatus


class PlanVersionModel(Model):
    """A plan's life, without its rounds."""

    plan_id: UUID
    service_date: date = Field(description="Local day of service")
    status: PlanStatus
    version: int | None = Field(description="Counts the plans published of the day, from 1; null for a draft")
    origin: PlanOrigin = Field(description="By the planner, by somebody's edits, by a repair during the round")
    based_on: UUID | None = Field(description="The plan that was edited or repaired")
    made_by: str
    made_at: Moment
    published_by: str | None
    published_at: Moment | None
    edits: list[dict[str, Any]] = Field(description="What was asked of `based_on`, in order")
    difference: dict[str, Any] | None = Field(description="What that changes; see docs/rounds-editing.md")


class PlanDeedModel(Model):
    """One line of the audit."""

    plan_id: UUID
    happened_at: Moment
    done_by: str
    action: str = Field(examples=["published"])
    detail: dict[str, Any]


class PlanDayModel(Model):
    """Every plan of a day, and who did what to them."""

    service_date: date
    versions: list[PlanVersionModel] = Field(description="What was published by version, then drafts")
    audit: list[PlanDeedModel] = Field(description="Oldest first; lines are only ever added")


class ByModel(Model):
    """Who does it."""

    by: str = Field(min_length=1, max_length=100, description="Who does it, as the audit names them")
