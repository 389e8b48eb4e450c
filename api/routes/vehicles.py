"""The vehicles of a commune, out or idle."""

from __future__ import annotations

from fastapi import APIRouter

from api.errors import documented
from api.here import Reading
from api.models.vehicles import VehiclesModel
from storage import places

router = APIRouter(prefix="/communes/{commune_insee}/vehicles", tags=["plans"], responses=documented(404, 422, 503))


@router.get("", summary="Vehicles")
def list_vehicles(here: Reading) -> VehiclesModel:
    """Return the commune's collection vehicles by id, whether a plan sends them out or not."""
    return VehiclesModel.model_validate({"vehicles": places.vehicles(here.connection, here.insee)})
