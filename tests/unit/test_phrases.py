"""Sentences for drivers: every manoeuvre has one in every language, and streets' names are what they are."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from api.phrases import Language, catalogue, sentence
from storage.model import COMPASS, Manoeuvre, Modifier, PlannedStop, Step, StopKind

AT = datetime(2026, 3, 11, 5, tzinfo=UTC)
FRENCH = catalogue(Language.FRENCH)


def stop(kind: StopKind = StopKind.BIN, place_id: str | None = "COR-0001") -> PlannedStop:
    return PlannedStop(
        stop_index=1, kind=kind, place_id=place_id, longitude_deg=2.5, latitude_deg=48.8, arrive_at=AT, depart_at=AT,
        load_l=0, distance_m=0,
    )  # fmt: skip


def step(
    manoeuvre: Manoeuvre, modifier: Modifier | None = None, *, street: str | None = None, leave: int | None = None
) -> Step:
    return Step(
        manoeuvre=manoeuvre, modifier=modifier, street=street, exit=leave, distance_m=1, duration_s=1, point_index=0
    )


@pytest.mark.parametrize("language", Language)
def test_every_manoeuvre_has_its_sentence(language: Language):
    phrases = catalogue(language)
    sentences = {
        (manoeuvre, modifier): sentence(step(manoeuvre, modifier), to=stop(), phrases=phrases)
        for manoeuvre, modifier in product(Manoeuvre, [None, *Modifier])
    }
    for text in sentences.values():
        assert text
        assert text[0].isupper()
        assert "{" not in text
    turns = {sentences[Manoeuvre.TURN, way] for way in Modifier if way not in COMPASS}
    assert len(turns) == 8
    assert len({sentences[Manoeuvre.DEPART, way] for way in COMPASS}) == 8


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (step(Manoeuvre.TURN, Modifier.LEFT, street="Rue {0} de Paris"), "Tournez à gauche sur Rue {0} de Paris"),
        (step(Manoeuvre.TURN, Modifier.STRAIGHT), "Continuez tout droit"),
        (step(Manoeuvre.CONTINUE, Modifier.UTURN, street="Quai"), "Faites demi-tour sur Quai"),
        (step(Manoeuvre.NEW_NAME, Modifier.SLIGHT_RIGHT), "Continuez légèrement à droite"),
        (step(Manoeuvre.ROUNDABOUT, leave=1), "Au rond-point, prenez la 1re sortie"),
        (step(Manoeuvre.ROUNDABOUT, leave=3), "Au rond-point, prenez la 3e sortie"),
        (step(Manoeuvre.DEPART, Modifier.NORTH_WEST), "Partez vers le nord-ouest"),
        (
            step(Manoeuvre.ARRIVE, Modifier.LEFT, street="Rue"),
            "Arrivée, à gauche\N{NO-BREAK SPACE}: corbeille COR-0001",
        ),
        (step(Manoeuvre.ARRIVE, street="Rue"), "Arrivée\N{NO-BREAK SPACE}: corbeille COR-0001"),
        (
            step(Manoeuvre.DIRECT, Modifier.SOUTH),
            "Rejoignez corbeille COR-0001, vers le sud (rues inconnues, distance estimée)",
        ),
    ],
)
def test_french_says_it_as_a_driver_hears_it(told: Step, expected: str):
    assert sentence(told, to=stop(), phrases=FRENCH) == expected
