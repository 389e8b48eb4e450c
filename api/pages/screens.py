"""Which page is whose: the pages of a commune, in the order of the home page."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from api.access import ACCESS
from api.pages.languages import mark as _
from api.principal import Principal
from storage.model import Role


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen:
    """A page of a commune: `/{commune_insee}/{path}`. The words are French; catalogues know them by that.

    `route` is its name in the table of who may use what.
    """

    path: str
    route: str
    title: str
    whose: str
    about: str


ROLE_NAMES = MappingProxyType(
    {
        Role.DISPATCHER: _("chef d'équipe"),
        Role.DRIVER: _("conducteur"),
        Role.OFFICER: _("agent de contrôle"),
        Role.PARKING_MANAGER: _("gestionnaire du stationnement"),
        Role.DATA_READER: _("lecteur de données"),
        Role.INTEGRATOR: _("intégrateur"),
        Role.ADMINISTRATOR: _("administrateur"),
        Role.TERRITORY_READER: _("lecteur d'un territoire"),
    }
)
"""What people call the roles."""

SCREENS = (
    Screen(
        path="carte",
        route="commune_map",
        title=_("Carte"),
        whose=_("Pour toutes les équipes"),
        about=_("Corbeilles, tournées, aires de livraison et places, en direct, sur une carte et en listes."),
    ),
    Screen(
        path="exploitation",
        route="operator_page",
        title=_("Exploitation"),
        whose=_("Pour l'intégrateur et l'administrateur"),
        about=_("Capteurs par état, messages refusés et pourquoi, rejeu, tâches, versions."),
    ),
    Screen(
        path="equipe",
        route="team_page",
        title=_("Équipes en service"),
        whose=_("Pour les chefs"),
        about=_("Qui est connecté sur quel appareil, et mettre fin à un appareil perdu."),
    ),
    Screen(
        path="proprete",
        route="desk",
        title=_("Propreté"),
        whose=_("Pour les chefs"),
        about=_("Le plan du jour, ce qu'il faut regarder, les corbeilles, le mois face aux anciennes tournées."),
    ),
    Screen(
        path="tournee",
        route="driver_choice",
        title=_("Tournée"),
        whose=_("Pour les conducteurs et les ripeurs"),
        about=_("La tournée du jour sur la tablette : prochain arrêt, chemin, gestes, avec ou sans réseau."),
    ),
    Screen(
        path="stationner",
        route="parking_page",
        title=_("Se garer"),
        whose=_("Pour tout le monde, sans compte"),
        about=_("Places libres en ce moment ou dans une heure, près de vous ou ailleurs, et aires de livraison."),
    ),
    Screen(
        path="controle",
        route="officer_page",
        title=_("Contrôle"),
        whose=_("Pour les agents de contrôle"),
        about=_("Où un contrôle est fondé près de vous, ce que prennent les collègues, et une patrouille à pied."),
    ),
)


def screens_of(principal: Principal, commune_insee: str) -> list[Screen]:
    """Return the pages of a commune that `principal` may open."""
    return [screen for screen in SCREENS if ACCESS[screen.route].lets(principal, commune_insee)]
