"""What a catalogue of a language holds, and which there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from api.typography import typeset
from storage.model import Manoeuvre, Modifier, StopKind


class Language(StrEnum):
    """A language that there is a catalogue of."""

    FRENCH = "fr"
    ENGLISH = "en"


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The phrases of one language.

    `steps`: by manoeuvre, the sentence; by (manoeuvre, modifier) where one reads otherwise. `{way}` stands for the
    modifier in `ways`, `{destination}` for where the leg leads, `{exit}` for the number of a roundabout's exit.
    `onto` is put behind when the street has a name. `labels` are words of the sheet and of exported files, by name.
    `weekdays` begin with Monday.
    """

    language: Language
    steps: Mapping[Manoeuvre | tuple[Manoeuvre, Modifier], str]
    ways: Mapping[Modifier, str]
    onto: str
    first_exit: str
    nth_exit: str
    stops: Mapping[StopKind, str]
    labels: Mapping[str, str]
    decimal_point: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]


@cache
def catalogue(language: Language) -> Catalogue:
    """Return the catalogue of a language, French with the spaces of its typography."""
    from api.phrases.english import ENGLISH  # noqa: PLC0415 - both are made of this module's types
    from api.phrases.french import FRENCH  # noqa: PLC0415

    if language is Language.ENGLISH:
        return ENGLISH
    return replace(
        FRENCH,
        steps={step: typeset(text) for step, text in FRENCH.steps.items()},
        labels={name: typeset(text) for name, text in FRENCH.labels.items()},
    )
