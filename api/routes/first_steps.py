"""The page that walks an empty installation to its first plan."""

from __future__ import annotations

from collections.abc import Sequence

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
    mine = [commune for commune in served if who.roles_in(commune.commune_insee) & LEADERS] or served
    return page(request, "first_steps.html", towns=ways(request, mine), refused=False)


def ways(request: Request, towns: Sequence[Commune]) -> list[tuple[str, list[Step]]]:
    """Return the steps of communes, each with its name; without any, of the settings' own, which is not entered yet."""
    state = state_of(request)
    options = state["options"]
    with state["pool"].identity([town.commune_insee for town in towns]) as connection:
        accounts = None if options.open_to_all else first_steps.accounts(connection)
        beginnings = [first_steps.of_commune(connection, town.commune_insee) for town in towns]
    has_streets = options.streets_extract is not None
    if not towns:
        insee = options.commune_insee
        return [(insee, steps(insee=insee, name="Nom", there=None, accounts=accounts, has_streets=has_streets))]
    return [
        (
            town.name,
            steps(insee=town.commune_insee, name=town.name, there=there, accounts=accounts, has_streets=has_streets),
        )
        for town, there in zip(towns, beginnings, strict=True)
    ]
