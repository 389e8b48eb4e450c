"""A registry of models: what was trained of what, how good it is, and which one serves."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from storage.database import Connection, fetch, fetch_one, statement
from storage.errors import NotFoundError
from storage.model import TrainedModel


class ModelRegistry:
    """The registry whose queries are `sql/queries/<queries>.sql`; `title` is what people call its models."""

    def __init__(self, queries: str, *, title: str) -> None:
        self._queries = queries
        self._title = title

    def save(self, connection: Connection, model: TrainedModel, *, fitted: bytes | None) -> None:
        """Enter a model; one that is in service needs its `fitted` numbers, and the one before it retired first."""
        documents = {name: Jsonb(getattr(model, name)) for name in ("libraries", "saw", "scores", "data_quality")}
        compared = None if model.compared is None else Jsonb(model.compared)
        parameters = asdict(model) | documents | {"compared": compared, "status": model.status.value, "fitted": fitted}
        connection.execute(statement(self._queries, "save"), parameters)

    def retire_serving(self, connection: Connection, commune_insee: str, *, reason: str, at: datetime) -> None:
        """Take the model in service, if there is one, out of it; its fitted numbers are let go."""
        parameters = {"commune_insee": commune_insee, "reason": reason, "at": at}
        connection.execute(statement(self._queries, "retire_serving"), parameters)

    def serving(self, connection: Connection, commune_insee: str) -> TrainedModel | None:
        """Return the model in service."""
        parameters = {"commune_insee": commune_insee}
        return fetch_one(connection, TrainedModel, statement(self._queries, "serving"), parameters)

    def fitted(self, connection: Connection, commune_insee: str, model_id: UUID) -> bytes | None:
        """Return the fitted numbers of a model, None unless it is in service."""
        parameters = {"commune_insee": commune_insee, "model_id": model_id}
        row = connection.execute(statement(self._queries, "fitted"), parameters).fetchone()
        return None if row is None or row[0] is None else bytes(row[0])

    def latest_as_of(self, connection: Connection, commune_insee: str, *, at: datetime) -> datetime | None:
        """Return when a model was last trained up to `at`, by the commune's clock, whatever became of it."""
        parameters = {"commune_insee": commune_insee, "now": at}
        row = connection.execute(statement(self._queries, "latest_as_of"), parameters).fetchone()
        return None if row is None else row[0]

    def every(self, connection: Connection, commune_insee: str, *, most: int = 100) -> list[TrainedModel]:
        """Return the newest models of the commune, the newest first."""
        parameters = {"commune_insee": commune_insee, "most": most}
        return fetch(connection, TrainedModel, statement(self._queries, "every"), parameters)

    def one(self, connection: Connection, commune_insee: str, model_id: UUID) -> TrainedModel:
        """Return a model; NotFoundError when the commune has none of this id."""
        parameters = {"commune_insee": commune_insee, "model_id": model_id}
        found = fetch_one(connection, TrainedModel, statement(self._queries, "one"), parameters)
        if found is None:
            raise NotFoundError(f"commune {commune_insee} has no {self._title} {model_id}")
        return found
