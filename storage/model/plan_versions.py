"""What becomes of a plan: drafted, published, superseded; by whom and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class PlanStatus(StrEnum):
    """A draft is seen by who makes it; the published plan is the one that crews drive; others were."""

    DRAFT = "draft"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"


class PlanOrigin(StrEnum):
    """What a plan was made by: the planner, somebody's edits, or the repair of a round under way."""

    PLANNED = "planned"
    EDITED = "edited"
    REPAIRED = "repaired"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanVersion:
    """A plan's life. `version` counts the plans published of a day, from 1; a draft has none.

    `edits` are what was asked of the plan `based_on`, `difference` what they change.
    """

    commune_insee: str
    plan_id: UUID
    service_date: date
    status: PlanStatus
    version: int | None
    origin: PlanOrigin
    based_on: UUID | None
    made_by: str
    made_at: datetime
    published_by: str | None
    published_at: datetime | None
    edits: list[dict[str, Any]] = field(default_factory=list)
    difference: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanSource:
    """Where a plan that is to be saved comes from."""

    origin: PlanOrigin = PlanOrigin.PLANNED
    based_on: UUID | None = None
    made_by: str = "voirie"
    edits: tuple[dict[str, Any], ...] = ()
    difference: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanDeed:
    """One line of the audit: who did what to a plan."""

    plan_id: UUID
    happened_at: datetime
    done_by: str
    action: str
    detail: dict[str, Any] = field(default_factory=dict)


class RequestState(StrEnum):
    """Where a request to the worker is: refused because of what was asked, failed because of us."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRequest:
    """Edits that somebody asked for; `made_plan_id` is the draft that answers them."""

    commune_insee: str
    request_id: UUID
    plan_id: UUID
    content: dict[str, Any]
    asked_by: str
    asked_at: datetime
    state: RequestState
    made_plan_id: UUID | None
    answer: dict[str, Any] | None
    answered_at: datetime | None
