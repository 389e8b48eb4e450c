"""French as pages set it: which spaces no line may break at, whatever the sources say."""

from __future__ import annotations

import pytest

from api.pages.languages import translations
from api.typography import typeset

NO_BREAK, NARROW = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("Que faire ?", f"Que faire{NARROW}?", id="question"),
        pytest.param("Attention ! Ici ; là", f"Attention{NARROW}! Ici{NARROW}; là", id="exclamation and semicolon"),
        pytest.param("Arrivée : dépôt", f"Arrivée{NO_BREAK}: dépôt", id="colon"),
        pytest.param("« Autre »", f"«{NO_BREAK}Autre{NO_BREAK}»", id="quotation marks"),
        pytest.param("{minutes} min à pied", f"{{minutes}}{NO_BREAK}min à pied", id="what stands for a figure"),
        pytest.param("%(minutes)s min à pied", f"%(minutes)s{NO_BREAK}min à pied", id="the same in a template"),
        pytest.param("{hours} h {minutes}", f"{{hours}}{NO_BREAK}h{NO_BREAK}{{minutes}}", id="hours and minutes"),
        pytest.param("30 min, 7 h-20 h", f"30{NO_BREAK}min, 7{NO_BREAK}h-20{NO_BREAK}h", id="a rule of a bay"),
        pytest.param("passage n° {turn}", f"passage n°{NO_BREAK}{{turn}}", id="number"),
        pytest.param("à 7:30, ?lang=fr", "à 7:30, ?lang=fr", id="an hour and a query stay"),
        pytest.param("{count} hommes, 3 litres", "{count} hommes, 3 litres", id="words are no units"),
        pytest.param(f"Déjà{NO_BREAK}: oui", f"Déjà{NO_BREAK}: oui", id="what is set already"),
    ],
)
def test_spaces_that_hold(written: str, read: str):
    assert typeset(written) == read
    assert typeset(read) == read


def test_templates_and_counts_are_set_and_english_is_not():
    french, english = translations("fr"), translations("en")
    assert french.gettext("Règle hors horaires :") == f"Règle hors horaires{NO_BREAK}:"
    assert french.ngettext("{count} jour : un", "{count} jours : plusieurs", 1) == f"{{count}} jour{NO_BREAK}: un"
    assert french.ngettext("{count} jour : un", "{count} jours : plusieurs", 2).endswith("plusieurs")
    assert NO_BREAK not in english.gettext("Règle hors horaires :")
