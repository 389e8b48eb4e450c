"""The page that walks an empty installation to its first plan."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.admission import principal_of
from api.errors import DATABASE_AWAY, LogInFirstError
from api.pages.first_steps import Step, steps
from api.pages.rendering import page
from api.state import state_of
from storage import communes, first_steps
from storage.model import Commune, Role

router = APIRouter(include_in_schema=False)

LEADERS = frozenset({Role.ADMINISTRATOR, Role.INTEGRATOR})
"""Whom the first steps are for."""


@router.get("/premiers-pas", name="first_steps")
def first_steps_page(request: Request) -> HTMLResponse:
    """Return the page of first steps: to anybody while nobody can log in, then to who runs the installation."""
    who = principal_of(request)
    state = state_of(request)
    try:
        with state["pool"].identity() as connection:
            accounts = first_steps.accounts(connection)
        if accounts.any_account and not who.roles & LEADERS:
            if who.is_known:
                return page(request, "first_steps.html", towns=[], refused=True)
            raise LogInFirstError
        with state["pool"].transaction([]) as connection:
            served = communes.served(connection)
    except DATABASE_AWAY:
        return page(request, "first_steps.html", towns=None, refused=False)
    insee = state["options"].commune_insee
    mine = [commune for commune in served if who.roles_in(commune.commune_insee) & LEADERS] or served
    towns = [(commune.name, way(request, commune)) for commune in mine]
    if not served:
        towns = [(insee, way(request, None))]
    return page(request, "first_steps.html", towns=towns, refused=False)


def way(request: Request, commune: Commune | None) -> list[Step]:
    """Return the steps of a commune, or of the settings' own while it is not entered."""
    state = state_of(request)
    options = state["options"]
    insee = options.commune_insee if commune is None else commune.commune_insee
    with state["pool"].identity() as connection:
        accounts = None if options.open_to_all else first_steps.accounts(connection)
    there = None
    if commune is not None:
        with state["pool"].transaction([insee]) as connection:
            there = first_steps.of_commune(connection, insee)
    return steps(
        insee=insee,
        known=commune is not None,
        name="Nom" if commune is None else commune.name,
        there=there,
        accounts=accounts,
        has_streets=options.streets_extract is not None,
    )
