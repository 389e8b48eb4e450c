"""Whether the process is alive, and whether it can serve."""

from __future__ import annotations

from fastapi import APIRouter

from api.errors import documented
from api.here import ReadConnection
from api.models.health import AliveModel, ReadyModel
from storage.schema_version import head_version, require_schema

router = APIRouter(prefix="/health", tags=["operations"])


@router.get("/live", summary="Alive", responses=documented())
async def health_live() -> AliveModel:
    """Answer, and ask nobody else."""
    return AliveModel()


@router.get("/ready", summary="Ready", responses=documented(503))
def health_ready(connection: ReadConnection) -> ReadyModel:
    """Say that the database answers and has the schema that this version needs; otherwise 503."""
    require_schema(connection)
    return ReadyModel(schema_version=head_version())
