"""Names are found as people type them: without accents, with slips, not to the end, with and without a number."""

from __future__ import annotations

import pytest

from api.gazetteer.index import Index
from api.gazetteer.names import Named, NameKind, Names, read_names
from api.gazetteer.spelling import words_of
from tests.browser.town import helsinki


def _named(name: str, kind: NameKind = NameKind.STREET, lon: float = 2.55) -> Named:
    return Named(name=name, kind=kind, longitude_deg=lon, latitude_deg=48.84)


@pytest.fixture(scope="module")
def index() -> Index:
    streets = [
        "Rue de la République", "Rue du Général Leclerc", "Boulevard du Maréchal Foch", "Avenue Émile Cossonneau",
        "Rue du 8 Mai 1945", "Rue Pierre Brossolette", "Allée des Œillets", "Place Saint-Étienne", "Rue Léon Bernard",
    ]  # fmt: skip
    places = [
        _named("Médiathèque Georges Wolinski", NameKind.PLACE),
        _named("Pharmacie de la République", NameKind.PLACE),
    ]
    numbers = {"Rue de la République": {"12": (2.551, 48.841), "12bis": (2.552, 48.842)}}
    return Index(Names(named=[*map(_named, streets), *places], numbers=numbers))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("rue de la republique", "Rue de la République"),  # accents and case
        ("r. République", "Rue de la République"),  # abbreviations
        ("republqiue", "Rue de la République"),  # two letters changed places
        ("republi", "Rue de la République"),  # not to its end
        ("bd mal foch", "Boulevard du Maréchal Foch"),
        ("gal leclerc", "Rue du Général Leclerc"),
        ("av emile cosonneau", "Avenue Émile Cossonneau"),  # a letter left out
        ("8 mai 1945", "Rue du 8 Mai 1945"),  # a number that is part of the name
        ("oeillets", "Allée des Œillets"),
        ("pl st etienne", "Place Saint-Étienne"),
        ("mediatheque", "Médiathèque Georges Wolinski"),
        ("brosolete", "Rue Pierre Brossolette"),
    ],
)
def test_what_was_meant_comes_first(index: Index, typed: str, meant: str):
    assert index.find(typed, limit=5)[0].name == meant


def test_house_number_is_where_the_extract_has_it_else_the_street_answers(index: Index):
    for typed, lon in (("12 rue de la République", 2.551), ("Republique 12 bis", 2.552), ("République 12bis", 2.552)):
        (found, *_) = index.find(typed, limit=3)
        assert (found.kind, found.longitude_deg) == (NameKind.ADDRESS, lon), typed
    (found, *_) = index.find("99 rue de la République", limit=3)
    assert (found.kind, found.name) == (NameKind.STREET, "Rue de la République")


@pytest.mark.parametrize("typed", ["", "x", "de la", "qzxwv", "!!", "12"])
def test_nonsense_finds_nothing_wrong(index: Index, typed: str):
    assert [one.name for one in index.find(typed, limit=5)] in ([], ["Rue de la République"])


def test_each_word_that_was_typed_counts(index: Index):
    assert [one.name for one in index.find("pharmacie republique", limit=5)] == ["Pharmacie de la République"]
    assert index.find("pharmacie leclerc", limit=5) == []


def test_words_of_a_name_are_plain():
    assert words_of("Av. du Gal-de-Gaulle") == ["avenue", "general", "gaulle"]
    assert words_of("Le") == ["le"]


def test_names_come_from_the_extract_within_the_box():
    names = read_names(helsinki(), (24.93, 60.16, 24.96, 60.175))
    by_kind = {kind: [one for one in names.named if one.kind is kind] for kind in NameKind}
    assert len(by_kind[NameKind.STREET]) > 60
    assert len(by_kind[NameKind.PLACE]) > 300
    assert len({one.name for one in by_kind[NameKind.STREET]}) == len(by_kind[NameKind.STREET])
    assert all(24.93 <= one.longitude_deg <= 24.96 and 60.16 <= one.latitude_deg <= 60.175 for one in names.named)
    assert sum(map(len, names.numbers.values())) > 500
    index = Index(names)
    (street, *_) = index.find("manerheimintie", limit=3)
    (address, *_) = index.find("Aleksanterinkatu 15", limit=3)
    assert (street.name, street.kind) == ("Mannerheimintie", NameKind.STREET)
    assert (address.name, address.kind) == ("15 Aleksanterinkatu", NameKind.ADDRESS)
    assert read_names(helsinki(), (2.0, 48.0, 2.1, 48.1)).named == []
