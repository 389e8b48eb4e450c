"""The pages that people open. Each says in words when there is no database, so none needs one to be shown."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, JSONResponse

from api.access import ACCESS
from api.admission import principal_of
from api.errors import DATABASE_AWAY
from api.here import CommuneInsee
from api.pages.languages import language_of, languages, translated
from api.pages.notice import notice
from api.pages.parts import parts_of
from api.pages.rendering import page
from api.pages.screens import screens_of
from api.routes.first_steps import LEADERS, ways
from api.state import state_of
from storage import communes
from storage.errors import NotFoundError
from storage.model import Commune

router = APIRouter(include_in_schema=False)

_MESSAGES_KEPT_S = 3600


@router.get("/")
def home(request: Request) -> HTMLResponse:
    """Return the page that leads to those pages that the visitor may open."""
    who = principal_of(request)
    served = _served(request)
    offered = None if served is None else [(commune, screens_of(who, commune.commune_insee)) for commune in served]
    return page(
        request,
        "home.html",
        communes=offered,
        unfinished=_unfinished(request, served),
        administers=ACCESS["accounts_page"].lets(who, None),
    )


@router.get("/accessibilite")
def accessibility(request: Request) -> HTMLResponse:
    """Return the statement that the law asks of public software (RGAA 4.1)."""
    return page(request, "accessibility.html", private=False)


@router.get("/confidentialite")
def privacy(request: Request) -> HTMLResponse:
    """Return what is kept of people, why, how long and who sees it (GDPR, articles 13 and 14)."""
    options = state_of(request)["options"]
    told = notice(options.retention, language=language_of(request), contact=options.privacy_contact)
    return page(request, "privacy.html", private=False, notice=told)


@router.get("/messages/{language}.json")
def said_by_scripts(language: Annotated[str, Path(pattern="^[a-z]{2}$")]) -> JSONResponse:
    """Return what the pages' scripts say in a language that is not French, by the French text."""
    if language not in languages():
        raise NotFoundError(f"there is no catalogue of {language!r}; there are: {', '.join(languages())}")
    said = translated(language, place="api/web/static/")
    return JSONResponse(said, headers={"Cache-Control": f"public, max-age={_MESSAGES_KEPT_S}"})


@router.get("/{commune_insee}/carte")
def commune_map(request: Request, commune_insee: CommuneInsee) -> HTMLResponse:
    """Return the map of a commune."""
    parts = parts_of(principal_of(request), commune_insee)
    return page(request, "map.html", commune_insee=commune_insee, parts=parts)


def _unfinished(request: Request, served: list[Commune] | None) -> bool:
    """Whether the visitor should be led to the first steps: those who run the installation, while one is missing."""
    who = principal_of(request)
    if served is None:
        return False
    leads = [one for one in served if who.roles_in(one.commune_insee) & LEADERS]
    if served and not leads:
        return False
    return any(step.needed and not step.done for _, found in ways(request, leads) for step in found)


def _served(request: Request) -> list[Commune] | None:
    """Return the communes, or None when the database does not answer or has another schema."""
    try:
        with state_of(request)["pool"].transaction([]) as connection:
            return communes.served(connection)
    except DATABASE_AWAY:
        return None
