"""The registry of fill models: what was trained of what, how good it is, and which one serves."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from storage.database import Connection, fetch, fetch_one, statement
from storage.errors import NotFoundError
from storage.model import TrainedModel


def save(connection: Connection, model: TrainedModel, *, fitted: bytes | None) -> None:
    """Enter a model; one that is in service needs its `fitted` numbers, and the one before it must be retired first."""
    documents = {name: Jsonb(getattr(model, name)) for name in ("libraries", "saw", "scores", "data_quality")}
    compared = None if model.compared is None else Jsonb(model.compared)
    parameters = asdict(model) | documents | {"compared": compared, "status": model.status.value, "fitted": fitted}
    connection.execute(statement("fill_models", "save"), parameters)


def retire_serving(connection: Connection, commune_insee: str, *, reason: str, at: datetime) -> None:
    """Take the model in service, if there is one, out of it; its fitted numbers are let go."""
    connection.execute(
        statement("fill_models", "retire_serving"), {"commune_insee": commune_insee, "reason": reason, "at": at}
    )


def serving(connection: Connection, commune_insee: str) -> TrainedModel | None:
    """Return the model in service."""
    return fetch_one(connection, TrainedModel, statement("fill_models", "serving"), {"commune_insee": commune_insee})


def fitted(connection: Connection, commune_insee: str, model_id: UUID) -> bytes | None:
    """Return the fitted numbers of a model, None unless it is in service."""
    parameters = {"commune_insee": commune_insee, "model_id": model_id}
    row = connection.execute(statement("fill_models", "fitted"), parameters).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def latest_as_of(connection: Connection, commune_insee: str, *, at: datetime) -> datetime | None:
    """Return when a model was last trained up to `at`, by the commune's clock, whatever became of it."""
    parameters = {"commune_insee": commune_insee, "now": at}
    row = connection.execute(statement("fill_models", "latest_as_of"), parameters).fetchone()
    return None if row is None else row[0]


def every(connection: Connection, commune_insee: str, *, most: int = 100) -> list[TrainedModel]:
    """Return the newest models of the commune, the newest first."""
    parameters = {"commune_insee": commune_insee, "most": most}
    return fetch(connection, TrainedModel, statement("fill_models", "every"), parameters)


def one(connection: Connection, commune_insee: str, model_id: UUID) -> TrainedModel:
    """Return a model; NotFoundError when the commune has none of this id."""
    parameters = {"commune_insee": commune_insee, "model_id": model_id}
    found = fetch_one(connection, TrainedModel, statement("fill_models", "one"), parameters)
    if found is None:
        raise NotFoundError(f"commune {commune_insee} has no fill model {model_id}")
    return found
