"""The privacy notice, made from the table of personal data and the days that retention runs with. Pure.

One document in the reader's language: the page shows it, `voirie privacy` writes it as Markdown, JSON or HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.pages.languages import mark as _
from api.pages.languages import translations
from storage.personal_data import BASES, RIGHTS, TREATMENTS, Kept, Treatment
from storage.retention_kinds import RetentionOptions

TITLE = _("Données personnelles")
INTRODUCTION = (
    _(
        "La commune dont vous ouvrez la page est responsable de ce traitement. Cette page dit tout ce que le "
        "service garde "
        "qui touche à une personne, pourquoi, à quel titre, combien de temps, et qui le voit."
    ),
    _(
        "Elle est écrite par le service lui-même : les durées ci-dessous sont celles que son effacement quotidien "
        "applique."
    ),
)
LABELS = {
    "persons": _("Personnes"),
    "data": _("Données"),
    "purpose": _("Finalité"),
    "basis": _("Base légale"),
    "recipients": _("Destinataires"),
    "kept": _("Durée"),
}
RIGHTS_TITLE = _("Vos droits")
TOLD = _("{label} : {told}")
CONTACT = _("Contact : {contact}")


class _Words:
    """The words of one language."""

    def __init__(self, language: str) -> None:
        self._catalogue = translations(language)

    def said(self, text: str) -> str:
        return self._catalogue.gettext(text)

    def days(self, count: int) -> str:
        return self._catalogue.ngettext("{count} jour", "{count} jours", count).format(count=count)


def notice(options: RetentionOptions, *, language: str, contact: str = "") -> dict[str, Any]:
    """Return the notice in `language`, one of languages(): `title`, `introduction`, `treatments`, `rights`.

    `contact` is how the data protection officer is reached, in the town's own words.
    """
    words = _Words(language)
    rights = [words.said(text) for text in RIGHTS]
    if contact:
        rights.append(words.said(CONTACT).format(contact=contact))
    return {
        "language": language,
        "title": words.said(TITLE),
        "introduction": [words.said(text) for text in INTRODUCTION],
        "form": words.said(TOLD),
        "labels": {name: words.said(text) for name, text in LABELS.items()},
        "treatments": [_treatment(treatment, options, words) for treatment in TREATMENTS],
        "rights_title": words.said(RIGHTS_TITLE),
        "rights": rights,
    }


def _treatment(treatment: Treatment, options: RetentionOptions, words: _Words) -> dict[str, Any]:
    return {
        "name": treatment.name,
        "title": words.said(treatment.title),
        "persons": words.said(treatment.persons),
        "data": words.said(treatment.data),
        "purpose": words.said(treatment.purpose),
        "basis": words.said(BASES[treatment.basis]),
        "recipients": words.said(treatment.recipients),
        "kept": [_kept(kept, options, words) for kept in treatment.kept],
        "columns": {traces.table: list(traces.columns) for traces in treatment.traces},
    }


def _kept(kept: Kept, options: RetentionOptions, words: _Words) -> dict[str, Any]:
    days: int | None = None if kept.days is None else getattr(options, kept.days)
    what, how_long = words.said(kept.what), words.days(days) if days is not None else words.said(kept.until or "")
    said = words.said(TOLD).format(label=what, told=how_long)
    return {"what": what, "days": days, "how_long": how_long, "said": said}


def markdown(document: dict[str, Any]) -> str:
    """Return the notice as Markdown."""
    lines = [f"# {document['title']}", ""]
    for text in document["introduction"]:
        lines += [text, ""]
    for treatment in document["treatments"]:
        lines += [f"## {treatment['title']}", ""]
        for name, label in document["labels"].items():
            lines += _item(document["form"], label, treatment[name])
        lines.append("")
    lines += [f"## {document['rights_title']}", "", *(f"- {text}" for text in document["rights"])]
    return "\n".join(lines) + "\n"


def _item(form: str, label: str, told: str | Sequence[dict[str, Any]]) -> list[str]:
    if isinstance(told, str):
        return ["- " + form.format(label=f"**{label}**", told=told)]
    return [f"- **{label}**", *(f"  - {kept['said']}" for kept in told)]
