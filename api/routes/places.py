"""Places at the kerb: the inventory, and tables taken into it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query

from api.errors import InvalidFileError, documented
from api.here import Reading, Writing
from api.models.kerb import LineModel, PlaceModel, PlacesImportedModel, PlacesModel
from api.noting import note_import
from storage import kerb_places
from storage.errors import InputError
from storage.model import KERB_KINDS, PlaceKind
from storage.place_files.lines import Defaults, PlaceForm
from storage.place_import import import_places

router = APIRouter(prefix="/communes/{commune_insee}/places", tags=["kerb"], responses=documented(404, 413, 422, 503))


@router.get("", summary="Places at the kerb, page by page")
def list_places(
    here: Reading,
    *,
    kind: Annotated[list[PlaceKind] | None, Query(description="Only of these kinds")] = None,
    living: Annotated[bool, Query(description="Only places in their life today")] = False,
    after: Annotated[str | None, Query(max_length=100, description="The last page's `next`")] = None,
    limit: Annotated[int, Query(ge=1, le=5000, description="Places a page")] = 1000,
) -> PlacesModel:
    """Return bays, delivery areas, parking spaces, zones and street faces by id, each with its own rules in words."""
    for one in kind or ():
        if one not in KERB_KINDS:
            raise InputError(f"kind: expected some of {', '.join(KERB_KINDS)}, got {one}")
    found = kerb_places.of_commune(
        here.connection,
        here.insee,
        kinds=kind or KERB_KINDS,
        day=here.today if living else None,
        after=after,
        limit=limit + 1,
    )
    page = found[:limit]
    return PlacesModel(
        places=[PlaceModel.of(place) for place in page], next=page[-1].place_id if len(found) > limit else None
    )


@router.post("", summary="Take a table of places in")
def import_table(
    here: Writing,
    body: Annotated[bytes, Body(media_type="application/octet-stream", description="The table as it is, UTF-8")],
    form: Annotated[PlaceForm, Query(alias="format", description="The table's form")],
    *,
    max_stay_s: Annotated[
        int | None, Query(ge=1, le=2_678_400, description="Limit where the table says none, seconds")
    ] = None,
    grace_s: Annotated[int, Query(ge=0, le=86_400, description="Tolerance where the table says none, seconds")] = 0,
    dry_run: Annotated[bool, Query(description="Look for faults and write nothing")] = False,
) -> PlacesImportedModel:
    """Take all of a table in, or nothing and every fault: `errors` name `body`, the line's number and the column."""
    report = import_places(
        here.connection,
        here.insee,
        body,
        form=form,
        defaults=Defaults(max_stay_s=max_stay_s, grace_s=grace_s),
        dry_run=dry_run,
    )
    if report.errors:
        raise InvalidFileError(report.errors)
    if not dry_run:
        note_import(here, "places", body, imported=report.imported, updated=report.updated)
    return PlacesImportedModel(
        imported=report.imported,
        updated=report.updated,
        unchanged=report.unchanged,
        skipped=report.skipped,
        warnings=[LineModel.model_validate(one) for one in report.warnings],
        errors=[],
        dry_run=dry_run,
    )
