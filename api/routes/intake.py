"""What was taken in and what was refused."""

from __future__ import annotations

from fastapi import APIRouter

from api.errors import documented
from api.here import Reading
from api.models.intake import IntakeModel, RefusalModel
from storage import readings

router = APIRouter(prefix="/communes/{commune_insee}/intake", tags=["intake"], responses=documented(404, 422, 503))


@router.get("", summary="The collectors' ledger")
def intake(here: Reading) -> IntakeModel:
    """Return sums over everything that collectors committed, and the refused messages by reason."""
    tally = readings.tally(here.connection, here.insee)
    return IntakeModel(
        messages=tally.messages,
        stored=tally.stored,
        duplicates=tally.duplicates,
        refused=tally.refused,
        last_committed_at=tally.last_committed_at,
        refusals=[
            RefusalModel(reason=item.reason, messages=item.messages, last_received_at=item.last_received_at)
            for item in readings.refusals_by_reason(here.connection, here.insee)
        ],
    )
