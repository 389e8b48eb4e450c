"""Which data say something about a person, why we keep them, on what ground, how long, and who reads them. Pure.

The one table behind the privacy notice (`voirie privacy`, the page /confidentialite), behind export and erasure of a
person's data (storage/people.py), and, by its `days`, tied to what drives forgetting (storage/retention_kinds.py).
What it says to people is French; catalogues of other languages know it by that.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from storage.retention_kinds import KINDS, RetentionOptions


def _(text: str) -> str:
    """Mark a text for the catalogues; it is translated where it is shown."""
    return text


class Basis(StrEnum):
    """The ground that makes a treatment lawful (GDPR, article 6(1))."""

    PUBLIC_TASK = "e"
    LEGAL_DUTY = "c"


BASES = {
    Basis.PUBLIC_TASK: _("mission d'intérêt public de la commune (RGPD, article 6, 1, e)"),
    Basis.LEGAL_DUTY: _("obligation légale de sécurité des données (RGPD, articles 6, 1, c et 32)"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Traces:
    """The columns of a table that say something about a person.

    `names` hold a name and nothing else, `texts` what somebody wrote, `documents` are JSON: where somebody is named in
    these, the name can be looked for and replaced. `besides` says something of a person without naming them. `at` is
    the row's time, where names and texts go after `names_days`.
    """

    table: str
    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    at: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them."""
        return self.names + self.texts + self.documents + self.besides


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """How long: `days` is an option of RetentionOptions, `until` is said in words; one of both."""

    what: str
    days: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        """Refuse what says two things or none, and days that rule nothing."""
        if (self.days is None) == (self.until is None):
            raise ValueError(f"{self.what}: expected one of days and until")
        if self.days is not None and self.days not in {field.name for field in fields(RetentionOptions)}:
            raise ValueError(f"{self.what}: there is no {self.days} among the options of retention")
        if self.days is not None and self.days not in {kind.days for kind in KINDS}:
            raise ValueError(f"{self.what}: nothing is forgotten by {self.days}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Treatment:
    """One thing that is done with data about persons."""

    name: str
    title: str
    persons: str
    data: str
    purpose: str
    basis: Basis
    recipients: str
    kept: tuple[Kept, ...]
    traces: tuple[Traces, ...]


_AS_RECORDS = Kept(what=_("les noms portés par ces enregistrements"), days="names_days")

TREATMENTS: tuple[Treatment, ...] = (
    Treatment(
        name="accounts",
        title=_("Comptes et connexions"),
        persons=_("les agents et prestataires qui ont un compte"),
        data=_(
            "identifiant, nom affiché, empreinte du mot de passe, second facteur, rôles par commune ; pour "
            "chaque connexion, "
            "ses heures, le nom de l'appareil, sa clé publique et le "
            "navigateur ; pour qui vient d'un fournisseur d'identité, son identifiant et son adresse chez lui ; "
            "échecs de connexion, sous forme d'empreinte de l'identifiant et de l'adresse"
        ),
        purpose=_("n'admettre que les personnes habilitées, chacune pour ce que demande son travail"),
        basis=Basis.LEGAL_DUTY,
        recipients=_("les administrateurs de la commune ; chaque personne pour son compte"),
        kept=(
            Kept(what=_("le compte et ses rôles"), until=_("jusqu'à ce qu'un administrateur l'efface")),
            Kept(
                what=_("une connexion"),
                until=_("jusqu'à sa fin, au plus tard après la durée d'un service, réglée par la commune"),
            ),
            Kept(what=_("les échecs de connexion"), until=_("un jour")),
            Kept(what=_("la clé d'une machine"), until=_("jusqu'à l'effacement de qui elle nomme")),
        ),
        traces=(
            Traces(
                table="account",
                names=("name", "display_name"),
                besides=("account_id", "password_hash", "created_at", "disabled_at"),
            ),
            Traces(table="account_grant", besides=("account_id", "role", "granted_at", "granted_by")),
            Traces(
                table="login_session",
                besides=(
                    "session_id",
                    "token_hash",
                    "account_id",
                    "opened_at",
                    "seen_at",
                    "user_agent",
                    "device",
                    "id_token",
                    "device_key",
                    "bound_at",
                    "proved_at",
                ),
            ),
            Traces(
                table="account_identity",
                besides=("issuer", "subject", "account_id", "email", "linked_at", "seen_at"),
            ),
            Traces(table="territory_grant", besides=("account_id", "granted_at")),
            Traces(table="login_half", besides=("token_hash", "account_id", "ends_at")),
            Traces(table="second_factor", besides=("account_id", "secret", "recovery_hashes", "enrolled_at")),
            Traces(table="login_failure", besides=("subject_hash", "failed_at")),
            Traces(table="api_key", names=("name",), besides=("last_used_at",)),
        ),
    ),
    Treatment(
        name="audit",
        title=_("Journal d'audit"),
        persons=_("les agents, les exploitants et toute personne dont les données ont été exportées ou effacées"),
        data=_(
            "qui a fait quoi, quand : comptes, droits, imports, réglages, exports, effacements ; et la chaîne de sceaux"
        ),
        purpose=_("pouvoir dire qui a fait quoi, et montrer toute altération"),
        basis=Basis.LEGAL_DUTY,
        recipients=_("les exploitants du service, et qui répond des actes devant la loi"),
        kept=(
            Kept(what=_("les notes du journal"), days="audit_days"),
            Kept(what=_("les sceaux"), until=_("sans limite : ils ne disent rien de personne")),
        ),
        traces=(
            Traces(table="audit_note", names=("actor",), texts=("subject",), documents=("details",)),
            Traces(table="audit_entry", besides=("seal",)),
            Traces(table="audit_salt", besides=("salt",)),
        ),
    ),
    Treatment(
        name="checks",
        title=_("Contrôles du stationnement"),
        persons=_("les agents de la police municipale et du contrôle"),
        data=_(
            "le lieu, l'heure, l'acte (pris, rendu, clos), sa cause, le commentaire, et sous quel nom ; "
            "jamais une plaque, "
            "jamais la position de l'agent"
        ),
        purpose=_("partager les contrôles entre patrouilles, et pouvoir en répondre"),
        basis=Basis.PUBLIC_TASK,
        recipients=_("les agents de contrôle et le gestionnaire du stationnement de la commune"),
        kept=(
            Kept(what=_("un contrôle pris"), until=_("jusqu'à sa fin")),
            Kept(what=_("ce qui a été fait"), days="checks_days"),
        ),
        traces=(
            Traces(
                table="kerb_check", names=("taken_by",), besides=("holder_id", "taken_at", "expires_at", "closed_at")
            ),
            Traces(
                table="kerb_check_event",
                names=("told_by",),
                texts=("comment",),
                besides=("place_id", "happened_at", "told_at"),
            ),
        ),
    ),
    Treatment(
        name="plans",
        title=_("Tournées préparées"),
        persons=_("les chefs d'équipe"),
        data=_("qui a préparé, modifié, publié ou retiré une tournée, et ce qui a été demandé"),
        purpose=_("savoir qui décide des tournées, et revenir sur une décision"),
        basis=Basis.PUBLIC_TASK,
        recipients=_("les chefs d'équipe de la commune"),
        kept=(_AS_RECORDS,),
        traces=(
            Traces(
                table="plan_version", names=("made_by", "published_by"), documents=("edits", "difference"), at="made_at"
            ),
            Traces(table="plan_audit", names=("done_by",), documents=("detail",), at="happened_at"),
            Traces(table="plan_request", names=("asked_by",), documents=("content", "answer"), at="asked_at"),
        ),
    ),
    Treatment(
        name="crews",
        title=_("Tournées faites"),
        persons=_("les équipes de collecte"),
        data=_(
            "ce qu'une équipe déclare à une corbeille ou de son véhicule, avec l'heure et son commentaire ; "
            "la dernière position "
            "du véhicule pendant le service. L'équipe n'est désignée que par son véhicule"
        ),
        purpose=_("conduire la tournée du jour, la réparer, et prévoir le remplissage des corbeilles"),
        basis=Basis.PUBLIC_TASK,
        recipients=_("les chefs d'équipe et les conducteurs de la commune"),
        kept=(
            Kept(what=_("la dernière position du véhicule"), until=_("une heure après la fin de son service, au plus")),
            Kept(what=_("les kilomètres de chaque véhicule, par jour"), until=_("sans limite, pour les statistiques")),
            Kept(what=_("les commentaires"), days="names_days"),
            Kept(
                what=_("ce qui a été déclaré, sans nom ni commentaire"), until=_("sans limite, pour les statistiques")
            ),
        ),
        traces=(
            Traces(table="service_event", texts=("comment",), besides=("received_at",), at="happened_at"),
            Traces(table="service_withdrawal", besides=("withdrawn_at", "received_at")),
            Traces(table="vehicle_event", texts=("comment",), besides=("vehicle_id", "received_at"), at="happened_at"),
            Traces(
                table="vehicle_position",
                besides=(
                    "vehicle_id",
                    "told_at",
                    "longitude_deg",
                    "latitude_deg",
                    "next_place_id",
                    "told_since",
                    "driven_m",
                    "bridged_m",
                ),
            ),
            Traces(table="vehicle_day", besides=("vehicle_id", "service_date", "driven_m", "bridged_m")),
        ),
    ),
    Treatment(
        name="devices",
        title=_("Registre des capteurs"),
        persons=_("les agents et prestataires qui posent et entretiennent les capteurs"),
        data=_("qui a déclaré une pose, un déplacement ou un réglage, quand, et son commentaire"),
        purpose=_("savoir où était chaque capteur, pour lire ses mesures"),
        basis=Basis.PUBLIC_TASK,
        recipients=_("les intégrateurs, les chefs d'équipe et le gestionnaire du stationnement de la commune"),
        kept=(_AS_RECORDS,),
        traces=(
            Traces(table="device", texts=("comment",)),
            Traces(
                table="device_change", names=("author",), texts=("comment",), documents=("detail",), at="happened_at"
            ),
        ),
    ),
    Treatment(
        name="stays",
        title=_("Occupation des places"),
        persons=_("les personnes qui stationnent : aucune n'est désignée, ni son véhicule"),
        data=_("pour chaque place équipée, quand elle est occupée ; ni plaque, ni image, ni identifiant de véhicule"),
        purpose=_("dire les places libres, aider le contrôle, mesurer l'usage de la voirie"),
        basis=Basis.PUBLIC_TASK,
        recipients=_(
            "les séjours isolés : les agents de contrôle et le gestionnaire du stationnement ; le public ne "
            "voit que des places "
            "libres et des nombres"
        ),
        kept=(
            Kept(what=_("les états mesurés"), days="occupancy_readings_days"),
            Kept(what=_("les séjours"), days="sessions_days"),
            Kept(what=_("les nombres par heure, où aucun séjour ne se voit"), days="statistics_days"),
        ),
        traces=(
            Traces(table="occupancy_reading", besides=("place_id", "measured_at", "occupied", "payload")),
            Traces(table="displaced_reading", besides=("reading",)),
            Traces(table="occupancy_session", besides=("place_id", "started_at", "ended_at", "dwell_s")),
            Traces(table="occupancy_present", besides=("place_id", "occupied", "since")),
        ),
    ),
    Treatment(
        name="refusals",
        title=_("Messages refusés"),
        persons=_("personne en principe : un message mal adressé peut contenir n'importe quoi"),
        data=_("le message entier, et pourquoi il n'a pas été pris"),
        purpose=_("le relire quand le capteur est inscrit ou le décodeur corrigé"),
        basis=Basis.PUBLIC_TASK,
        recipients=_("les exploitants du service"),
        kept=(Kept(what=_("le message"), days="refused_messages_days"),),
        traces=(Traces(table="refused_message", besides=("topic", "payload", "detail")),),
    ),
    Treatment(
        name="visits",
        title=_("Visites et recherche d'une place"),
        persons=_("le public et les agents qui ouvrent les pages"),
        data=_(
            "rien n'est gardé : ni l'adresse, ni la destination, ni la position, qui n'entre ni dans la base "
            "ni dans les journaux ; "
            "aucun traceur, aucun témoin de connexion sans compte"
        ),
        purpose=_("répondre à la demande, sur le moment"),
        basis=Basis.PUBLIC_TASK,
        recipients=_(
            "l'IGN, à qui le navigateur demande le fond de carte et montre ainsi son adresse, sauf réglage "
            "contraire de la "
            "commune ; personne d'autre"
        ),
        kept=(Kept(what=_("la position demandée"), until=_("le temps de répondre")),),
        traces=(),
    ),
)

RIGHTS = (
    _(
        "Vous pouvez demander l'accès à vos données, leur rectification, leur effacement, la limitation "
        "de leur usage, et vous y opposer."
    ),
    _("Écrivez à la commune, responsable du traitement, ou à son délégué à la protection des données (DPO)."),
    _(
        "Sans réponse satisfaisante sous un mois, vous pouvez saisir la CNIL (cnil.fr, ou 3 place de "
        "Fontenoy, TSA 80715, 75334 Paris CEDEX 07)."
    ),
    _("Aucune décision n'est prise par une machine seule : une liste de contrôles est une aide, l'agent constate."),
    _(
        "Une sauvegarde garde ce qui a été effacé jusqu'à ce qu'elle soit remplacée ; elle ne sert qu'à "
        "rétablir le service."
    ),
)
"""What the notice says of people's rights."""
