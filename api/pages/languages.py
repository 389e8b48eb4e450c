"""The languages of the pages. French is written in the templates; each other language is one catalogue beside them.

Catalogues are GNU gettext's (`api/web/locale/en.po`), read as they are: nothing has to be compiled after a change.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from babel.core import negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from starlette.requests import Request

from api.typography import typeset

WRITTEN_IN = "fr"
_FOLDER = files("api") / "web" / "locale"


@cache
def languages() -> tuple[str, ...]:
    """Return the codes of the languages that there are, French first."""
    others = sorted(item.name.removesuffix(".po") for item in _FOLDER.iterdir() if item.name.endswith(".po"))
    return (WRITTEN_IN, *others)


def language_of(request: Request) -> str:
    """Return the language to answer in: `?lang=` if there is such a one, else what the browser likes best of ours.

    French is also for who likes neither.
    """
    asked = request.query_params.get("lang")
    if asked in languages():
        return asked
    liked = _liked(request.headers.get("accept-language", ""))
    return negotiate_locale(liked, languages(), sep="-") or WRITTEN_IN


def _liked(header: str) -> list[str]:
    """Return the tags of an Accept-Language header (RFC 9110, 12.5.4), the best liked first; nonsense is left out."""
    weighted: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        tag, _, parameters = part.strip().partition(";")
        name, _, value = parameters.strip().partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if tag and tag != "*" and weight > 0:
            weighted.append((weight, tag))
    return [tag for _, tag in sorted(weighted, key=lambda item: -item[0])]


def mark(text: str) -> str:
    """Mark a text for the catalogues, as `_`; it is translated where it is shown."""
    return text


class _French(gettext.NullTranslations):
    """French as it is written in the sources, with the spaces that its typography wants."""

    def gettext(self, message: str) -> str:
        return typeset(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return typeset(msgid1 if abs(n) < 2 else msgid2)  # noqa: PLR2004 - French has one form for 0 and 1


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the catalogue of `language`, one of `languages()`, for templates; French needs none but its spaces."""
    if language == WRITTEN_IN:
        return _French()
    compiled = io.BytesIO()
    write_mo(compiled, _catalog(language))
    compiled.seek(0)
    return Translations(compiled)


@cache
def translated(language: str, *, place: str = "") -> Mapping[str, Sequence[str]]:
    """Return by French text its translation, or its forms (one, many) where it counts something.

    Only what is said by files whose name starts with `place`.
    """
    if language == WRITTEN_IN:
        return {}
    return {
        _first(message.id): [message.string] if isinstance(message.string, str) else list(message.string or ())
        for message in _catalog(language)
        if message.id and any(name.startswith(place) for name, _ in message.locations)
    }


@cache
def _catalog(language: str) -> Catalog:
    return read_po(io.BytesIO((_FOLDER / f"{language}.po").read_bytes()), locale=language)


def _first(forms: str | Sequence[str]) -> str:
    return forms if isinstance(forms, str) else forms[0]
