"""The last advice on delivery areas."""

from __future__ import annotations

from fastapi import APIRouter

from api.errors import documented
from api.here import Reading
from api.models.advice import AdviceModel
from storage import advice

router = APIRouter(
    prefix="/communes/{commune_insee}/delivery-areas", tags=["observatory"], responses=documented(404, 422, 503)
)


@router.get("/advice", summary="Advice on delivery areas", response_model_exclude_unset=True)
def show_advice(here: Reading) -> AdviceModel:
    """Return the last advice that was made, each measure with its evidence and what it does in played weeks."""
    return AdviceModel.model_validate(advice.latest(here.connection, here.insee), strict=False)
