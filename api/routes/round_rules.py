"""What rounds have to know of bins, vehicles and disposal sites beyond where they are."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.errors import documented
from api.here import Reading, Writing
from api.models.round_rules import RoundRulesModel, RulesToldModel
from api.noting import note_import
from storage import round_rules

router = APIRouter(
    prefix="/communes/{commune_insee}/round-rules", tags=["plans"], responses=documented(404, 413, 422, 503)
)


@router.get("", summary="Rules of rounds")
def list_rules(here: Reading) -> RoundRulesModel:
    """Return every rule that differs from the usual, in the form in which they are told."""
    return RoundRulesModel.model_validate(round_rules.every(here.connection, here.insee))


@router.post("", summary="Tell rules of rounds")
def tell_rules(
    here: Writing,
    body: RoundRulesModel,
    *,
    dry_run: Annotated[bool, Query(description="Look for faults and store nothing")] = False,
) -> RulesToldModel:
    """Store rules, all or none; an entry replaces what was told of the same bin, vehicle or site before."""
    content = body.model_dump_json().encode()
    found = round_rules.decode(content)
    if dry_run:
        with here.connection.transaction(force_rollback=True):
            round_rules.save(here.connection, here.insee, found)
    else:
        round_rules.save(here.connection, here.insee, found)
        note_import(here, "rules", content, bins=len(found.bins), vehicles=len(found.vehicles))
    return RulesToldModel(
        bins=len(found.bins),
        vehicles=len(found.vehicles),
        disposal_sites=len(found.disposal_sites),
        dry_run=dry_run,
    )
