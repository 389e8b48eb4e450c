"""Delivery bays by the rule in force: free, within the limit, over it, unknown."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Query

from api.errors import documented
from api.here import Reading
from api.models.delivery_bays import BayModel, BaysModel
from storage.kerb_now import kerb_now
from storage.model import BayState, PlaceKind

router = APIRouter(
    prefix="/communes/{commune_insee}/delivery-bays", tags=["delivery bays"], responses=documented(404, 422, 503)
)


@router.get("", summary="Delivery bays, now")
def list_bays(
    here: Reading,
    state: Annotated[
        list[BayState] | None, Query(description="Only bays in these states, for instance `over_limit`")
    ] = None,
) -> BaysModel:
    """Return every bay (or those in the states asked for), overstays first. A hint for who goes and looks, no proof."""
    view = kerb_now(here.connection, here.insee, now=here.now, zone=here.zone, kinds=[PlaceKind.DELIVERY_BAY])
    bays = [BayModel.of(bay, view) for bay in view.places]
    counts = Counter(bay.state for bay in bays)
    chosen = [bay for bay in bays if not state or bay.state in state]
    return BaysModel(
        now=here.now,
        counts={each: counts[each] for each in BayState},
        delivery_bays=sorted(chosen, key=lambda bay: (-(bay.overstay_s or 0), bay.place_id)),
    )
