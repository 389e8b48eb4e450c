"""The registry of fill models."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api.errors import documented
from api.here import Reading
from api.models.fill_models import FillModelModel, FillModelsModel
from storage import fill_models

router = APIRouter(
    prefix="/communes/{commune_insee}/fill-models", tags=["forecasts"], responses=documented(404, 422, 503)
)


@router.get("", summary="Fill models")
def list_fill_models(
    here: Reading, limit: Annotated[int, Query(ge=1, le=1000, description="At most so many")] = 20
) -> FillModelsModel:
    """Return the newest fill models, refused ones too, with their scores and why each has its status."""
    found = fill_models.every(here.connection, here.insee, most=limit)
    return FillModelsModel(models=[FillModelModel.of(model) for model in found])


@router.get("/{model_id}", summary="One fill model")
def one_fill_model(here: Reading, model_id: Annotated[UUID, Path(description="Id of the model")]) -> FillModelModel:
    """Return one fill model."""
    return FillModelModel.of(fill_models.one(here.connection, here.insee, model_id))
