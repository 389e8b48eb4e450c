"""Versions of plans: drafts, the one that is published of each day, those that were; and who did what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from storage.database import Connection, fetch, fetch_one, statement
from storage.errors import ConflictError, NotFoundError
from storage.gone_on import refuse_when_gone_on
from storage.model import Plan, PlanDeed, PlanOrigin, PlanSource, PlanStatus, PlanVersion


def draft(connection: Connection, plan: Plan, source: PlanSource) -> None:
    """Note a plan that was just stored as a draft."""
    connection.execute(
        statement("plan_versions", "add"),
        {
            "commune_insee": plan.commune_insee,
            "plan_id": plan.plan_id,
            "service_date": plan.service_date,
            "origin": source.origin,
            "based_on": source.based_on,
            "made_by": source.made_by,
            "made_at": plan.made_at,
            "edits": Jsonb(list(source.edits)),
            "difference": None if source.difference is None else Jsonb(source.difference),
        },
    )
    detail: dict[str, Any] = {"origin": source.origin.value}
    if source.based_on is not None:
        detail["based_on"] = str(source.based_on)
    _note(connection, plan.commune_insee, plan.plan_id, plan.service_date, plan.made_at, source.made_by, "drafted",
          detail)  # fmt: skip


def publish(connection: Connection, commune_insee: str, plan_id: UUID, *, by: str, at: datetime) -> PlanVersion:
    """Make a draft the plan of its day and tell the live listeners; return its version.

    Publishing what is published changes nothing. Raises ConflictError for a draft that is based on a plan which is not
    the published one any more or from which crews have gone on, and for a plan that was superseded or discarded.
    """
    found = one(connection, commune_insee, plan_id)
    day = {"commune_insee": commune_insee, "service_date": found.service_date}
    connection.execute(statement("plan_versions", "hold_day"), day)
    found = one(connection, commune_insee, plan_id)
    if found.status is PlanStatus.PUBLISHED:
        return found
    if found.status is not PlanStatus.DRAFT:
        raise ConflictError(f"plan {plan_id} is {found.status}: only a draft can be published")
    present = published(connection, commune_insee, service_date=found.service_date)
    if found.based_on is not None and (present is None or present.plan_id != found.based_on):
        instead = "no plan" if present is None else f"plan {present.plan_id} (version {present.version})"
        raise ConflictError(
            f"the draft {plan_id} is based on plan {found.based_on}, and {instead} is published meanwhile: "
            "make the draft anew from that one"
        )
    if found.based_on is not None and found.origin is PlanOrigin.EDITED:
        refuse_when_gone_on(connection, commune_insee, draft_id=plan_id, based_on=found.based_on, at=at)
    for (superseded,) in connection.execute(statement("plan_versions", "supersede"), day).fetchall():
        _note(connection, commune_insee, superseded, found.service_date, at, by, "superseded", {"by": str(plan_id)})
    key = {"commune_insee": commune_insee, "plan_id": plan_id}
    connection.execute(statement("plan_versions", "publish"), key | {"by": by, "at": at})
    found = one(connection, commune_insee, plan_id)
    _note(connection, commune_insee, plan_id, found.service_date, at, by, "published", {"version": found.version})
    notice = {"kind": "plan", "commune_insee": commune_insee, "plan_id": str(plan_id)}
    connection.execute(statement("readings", "notify"), {"message": msgspec.json.encode(notice).decode()})
    return found


def discard(connection: Connection, commune_insee: str, plan_id: UUID, *, by: str, at: datetime) -> PlanVersion:
    """Give a draft up. Raises ConflictError for what is no draft any more, unless it was given up already."""
    found = one(connection, commune_insee, plan_id)
    if found.status is PlanStatus.DISCARDED:
        return found
    key = {"commune_insee": commune_insee, "plan_id": plan_id}
    if not connection.execute(statement("plan_versions", "discard"), key).rowcount:
        raise ConflictError(f"plan {plan_id} is {found.status}: only a draft can be discarded")
    _note(connection, commune_insee, plan_id, found.service_date, at, by, "discarded", {})
    return one(connection, commune_insee, plan_id)


def one(connection: Connection, commune_insee: str, plan_id: UUID) -> PlanVersion:
    """Return what became of a plan; NotFoundError when the commune has no such plan."""
    key = {"commune_insee": commune_insee, "plan_id": plan_id}
    found = fetch_one(connection, PlanVersion, statement("plan_versions", "one"), key)
    if found is None:
        raise NotFoundError(f"commune {commune_insee} has no plan {plan_id}")
    return found


def published(connection: Connection, commune_insee: str, *, service_date: date) -> PlanVersion | None:
    """Return the published plan of a day, None when there is none."""
    key = {"commune_insee": commune_insee, "service_date": service_date}
    return fetch_one(connection, PlanVersion, statement("plan_versions", "published"), key)


def of_day(connection: Connection, commune_insee: str, *, service_date: date) -> list[PlanVersion]:
    """Return every plan of a day: those that were published by version, then drafts and what was given up."""
    key = {"commune_insee": commune_insee, "service_date": service_date}
    return fetch(connection, PlanVersion, statement("plan_versions", "of_day"), key)


def audit(connection: Connection, commune_insee: str, *, service_date: date) -> list[PlanDeed]:
    """Return who did what to the plans of a day, oldest first."""
    key = {"commune_insee": commune_insee, "service_date": service_date}
    return fetch(connection, PlanDeed, statement("plan_versions", "audit"), key)


def _note(  # noqa: PLR0917 - the columns of one row
    connection: Connection,
    commune_insee: str,
    plan_id: UUID,
    service_date: date,
    at: datetime,
    by: str,
    action: str,
    detail: dict[str, Any],
) -> None:
    row = {"commune_insee": commune_insee, "plan_id": plan_id, "service_date": service_date, "at": at, "by": by}
    connection.execute(statement("plan_versions", "note"), row | {"action": action, "detail": Jsonb(detail)})
