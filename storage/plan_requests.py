"""What is asked of the worker that has the streets in memory: a row, its answer in the same row."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from storage.database import Connection, fetch_one, statement
from storage.errors import ConflictError, NotFoundError
from storage.model import PlanRequest, RequestState


def ask(
    connection: Connection,
    commune_insee: str,
    request_id: UUID,
    *,
    plan_id: UUID,
    edits: list[dict[str, Any]],
    by: str,
) -> PlanRequest:
    """Store a request for edits of a plan; asking again with the same id changes nothing.

    Raises ConflictError for an id that something else was asked with.
    """
    row = {"commune_insee": commune_insee, "request_id": request_id, "plan_id": plan_id, "asked_by": by}
    connection.execute(statement("plan_requests", "ask"), row | {"content": Jsonb({"edits": edits})})
    found = one(connection, commune_insee, request_id)
    if (found.plan_id, found.content) != (plan_id, {"edits": edits}):
        raise ConflictError(f"request {request_id} was made before, for something else")
    return found


def one(connection: Connection, commune_insee: str, request_id: UUID) -> PlanRequest:
    """Return a request; NotFoundError when the commune has no such one."""
    key = {"commune_insee": commune_insee, "request_id": request_id}
    found = fetch_one(connection, PlanRequest, statement("plan_requests", "one"), key)
    if found is None:
        raise NotFoundError(f"commune {commune_insee} has no request {request_id}")
    return found


def waiting(connection: Connection, commune_insee: str) -> list[UUID]:
    """Return the requests without an answer, oldest first."""
    return [
        row[0] for row in connection.execute(statement("plan_requests", "waiting"), {"commune_insee": commune_insee})
    ]


def answer(
    connection: Connection,
    commune_insee: str,
    request_id: UUID,
    *,
    state: RequestState,
    made_plan_id: UUID | None = None,
    detail: str | None = None,
) -> None:
    """Answer a request that waits; one that is answered keeps its answer."""
    connection.execute(
        statement("plan_requests", "answer"),
        {
            "commune_insee": commune_insee,
            "request_id": request_id,
            "state": state,
            "made_plan_id": made_plan_id,
            "answer": None if detail is None else Jsonb({"detail": detail}),
        },
    )
