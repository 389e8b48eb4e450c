"""The way from an empty installation to its first plan: each step, whether it is done, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from api.pages.languages import mark as _
from storage.first_steps import Accounts, Beginnings


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A step. `command` is to be copied, with the commune's code filled in; `page` is where it is seen afterwards."""

    name: str
    done: bool
    title: str
    about: str
    command: str | None = None
    page: str | None = None
    needed: bool = True


def steps(
    *, insee: str, name: str, there: Beginnings | None, accounts: Accounts | None, has_streets: bool
) -> list[Step]:
    """Return the steps in their order.

    `there` is None while the commune is not entered. `accounts` is None where accounts are open to all.
    """
    at = there or _NOTHING
    return [
        Step(
            name="commune",
            done=there is not None,
            title=_("Inscrire la commune"),
            about=_("Par son code INSEE et son nom. Rien n'est reçu pour une commune inconnue."),
            command=f'voirie communes add {insee} "{name}"',
        ),
        Step(
            name="account",
            done=accounts is None or accounts.administrator,
            title=_("Créer le compte de l'administrateur"),
            about=_("Le mot de passe est montré une fois. Cette personne se connecte, puis le change."),
            command=f'voirie accounts add m.martin --display "M. Martin" --commune {insee} --role administrator'
            " --role dispatcher --role integrator",
            page="connexion",
        ),
        Step(
            name="streets",
            done=has_streets,
            title=_("Donner les rues"),
            about=_(
                "Un extrait d'OpenStreetMap (.osm.pbf) de la commune : sans lui les distances sont à vol d'oiseau."
            ),
            command='[streets]\nextract = "/var/lib/voirie/commune.osm.pbf"',
        ),
        Step(
            name="bins",
            done=at.bins,
            title=_("Importer les corbeilles, les véhicules et les sites"),
            about=_("Un tableau CSV : lieux, volumes, dépôt, exutoire, véhicules. Pour la propreté."),
            command="voirie bins import corbeilles.csv\nvoirie vehicles import vehicules.csv",
            needed=not at.kerb,
        ),
        Step(
            name="kerb",
            done=at.kerb,
            title=_("Importer les aires de livraison et les places"),
            about=_("Un tableau CSV ou GeoJSON. Pour le stationnement."),
            command=f"voirie places import aires.csv --format generic --commune {insee}",
            needed=not at.bins,
        ),
        Step(
            name="device",
            done=at.device,
            title=_("Poser le premier capteur"),
            about=_("Le courtier lui donne un nom et un secret, le registre dit son modèle et son lieu."),
            command="voirie devices import capteurs.csv\nvoirie broker issue EUI",
        ),
        Step(
            name="reading",
            done=at.reading,
            title=_("Recevoir la première mesure"),
            about=_("Le collecteur écoute le courtier. Si un message est refusé, l'exploitation dit pourquoi.")
            if at.reading or not at.message
            else _("Des messages arrivent, mais aucun n'a donné de mesure : l'exploitation dit pourquoi."),
            command="voirie collect",
            page=f"{insee}/exploitation",
        ),
        Step(
            name="forecast",
            done=at.forecast,
            title=_("Obtenir la première prévision"),
            about=_("Le travailleur en fait une dès que des mesures sont là ; ou tout de suite :"),
            command="voirie worker\nvoirie forecast",
            page=f"{insee}/carte",
        ),
        Step(
            name="plan",
            done=at.plan,
            title=_("Obtenir le premier plan"),
            about=_("Chaque soir, le travailleur planifie les tournées du lendemain ; ou tout de suite :"),
            command="voirie plan",
            page=f"{insee}/carte",
            needed=at.bins or not at.kerb,
        ),
    ]


_NOTHING = Beginnings(bins=False, kerb=False, device=False, message=False, reading=False, forecast=False, plan=False)
