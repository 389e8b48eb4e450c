"""Whether the service is well."""

from __future__ import annotations

from typing import Literal

from api.models.common import Model


class AliveModel(Model):
    """The process answers."""

    status: Literal["alive"] = "alive"


class ReadyModel(Model):
    """The database answers and has the schema that this version needs."""

    status: Literal["ready"] = "ready"
    schema_version: str
