"""Rounds as files: for navigation, for maps, for paper."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response

from api.errors import documented
from api.exports import Form, rounds_file, written
from api.exports.sheet import content_security_policy
from api.here import Here, Reading
from api.phrases import Language, catalogue
from api.state import state_of
from api.streets import with_margin
from storage import places

router = APIRouter(prefix="/communes/{commune_insee}/plans", tags=["plans"], responses=documented(404, 422, 503))

PlanId = Annotated[UUID, Path(description="Id of the plan")]
RouteIndex = Annotated[int, Path(ge=0, description="Index of the round")]
Lang = Annotated[Language, Query(description="Language of what people read")]
FormOf = Annotated[Form, Path(description="gpx: GPX 1.1; geojson: RFC 7946; sheet: a page to print (HTML, A4)")]

_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {
            "application/gpx+xml": {"schema": {"type": "string"}},
            "application/geo+json": {"schema": {"type": "object"}},
            "text/html": {"schema": {"type": "string"}},
        },
    }
}


@router.get("/{plan_id}/export/{form}", summary="A plan's rounds as a file", response_class=Response, responses=_ANSWER)
def export_plan(
    request: Request, here: Reading, plan_id: PlanId, form: FormOf, lang: Lang = Language.FRENCH
) -> Response:
    """Return all rounds of a plan as one file; a sheet has each on pages of its own."""
    return _answer(request, here, plan_id=plan_id, route_index=None, form=form, lang=lang)


@router.get(
    "/{plan_id}/routes/{route_index}/export/{form}", summary="A round as a file", response_class=Response,
    responses=_ANSWER,
)  # fmt: skip
def export_route(
    request: Request,
    here: Reading,
    *,
    plan_id: PlanId,
    route_index: RouteIndex,
    form: FormOf,
    lang: Lang = Language.FRENCH,
) -> Response:
    """Return one round as a file: stops with their hours, expected fill and loads, and the way."""
    return _answer(request, here, plan_id=plan_id, route_index=route_index, form=form, lang=lang)


def _answer(
    request: Request, here: Here, *, plan_id: UUID, route_index: int | None, form: Form, lang: Language
) -> Response:
    content = rounds_file(here.connection, here.insee, plan_id, route_index=route_index)
    streets = _streets(request, here) if form is Form.SHEET else []
    body = written(form, content, phrases=catalogue(lang), streets=streets)
    which = "" if route_index is None else f"-{route_index}"
    name = f"tournees-{content.plan.service_date}{which}.{form.suffix}"
    shown = "inline" if form is Form.SHEET else "attachment"
    headers = {"Content-Disposition": f'{shown}; filename="{name}"'}
    if form is Form.SHEET:
        headers["Content-Security-Policy"] = content_security_policy()
    return Response(body, media_type=form.media_type, headers=headers)


def _streets(request: Request, here: Here) -> list[dict[str, object]]:
    """Return the commune's streets, none where this server has no extract of it."""
    state = state_of(request)
    options = state["options"]
    if here.insee != options.commune_insee or options.streets_extract is None:
        return []
    extent = places.extent(here.connection, here.insee)
    document = state["streets"].document(None if extent is None else with_margin(extent))
    features: list[dict[str, object]] = msgspec.json.decode(document.body)["features"]
    return features
