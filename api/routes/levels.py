"""Reviewed levels, and emptyings seen against declared."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.errors import documented
from api.here import Reading
from api.models.levels import (
    BinLevelsModel,
    DeclaredCheckModel,
    EmptyingsModel,
    ReviewedLevelModel,
    SeenEmptyingModel,
)
from storage import bins, levels
from storage.model import Verdict

router = APIRouter(prefix="/communes/{commune_insee}", tags=["levels"], responses=documented(404, 422, 503))

Days = Annotated[int, Query(ge=1, le=400, description="How many days back from the commune's present")]


@router.get("/bins/{place_id}/levels", summary="A bin's measurements with the verdict on each")
def bin_levels(
    here: Reading,
    place_id: Annotated[str, Path(min_length=1, max_length=100, description="Id of the bin", examples=["COR-0001"])],
    days: Days = 7,
) -> BinLevelsModel:
    """Return every measurement with its quality and why, the filtered level, and emptyings as seen and as declared."""
    bins.one_now(here.connection, here.insee, place_id, at=here.now)
    since = here.now - timedelta(days=days)
    found = levels.of_bin(here.connection, here.insee, place_id, since=since, until=here.now)
    return BinLevelsModel(
        place_id=place_id,
        since=since,
        now=here.now,
        levels=[
            ReviewedLevelModel.model_validate({name: getattr(item, name) for name in ReviewedLevelModel.model_fields})
            for item in found
        ],
        seen=[
            SeenEmptyingModel.of(item)
            for item in levels.emptyings(here.connection, here.insee, since=since, until=here.now, place_id=place_id)
        ],
        declared=[
            DeclaredCheckModel.of(item)
            for item in levels.checks(here.connection, here.insee, since=since, until=here.now, place_id=place_id)
        ],
    )


@router.get("/emptyings", summary="Emptyings that sensors saw, against what crews declared")
def compare_emptyings(
    here: Reading,
    days: Days = 7,
    confidence: Annotated[float, Query(ge=0.3, le=1, description="Only what was seen with at least this")] = 0.8,
) -> EmptyingsModel:
    """Return counts, and each emptying that was declared and not seen, or seen and not declared."""
    since = here.now - timedelta(days=days)
    seen = [
        item
        for item in levels.emptyings(here.connection, here.insee, since=since, until=here.now)
        if item.confidence >= confidence
    ]
    checks = levels.checks(here.connection, here.insee, since=since, until=here.now)
    counts = Counter(item.verdict for item in checks)
    return EmptyingsModel(
        since=since,
        now=here.now,
        seen=len(seen),
        declared_seen=counts[Verdict.SEEN],
        declared_not_observable=counts[Verdict.NOT_OBSERVABLE],
        declared_not_seen=[DeclaredCheckModel.of(item) for item in checks if item.verdict is Verdict.NOT_SEEN],
        seen_not_declared=[SeenEmptyingModel.of(item) for item in seen if item.event_id is None],
    )
