"""What a commune's code says: only INSEE codes pass, and zones are those of the département."""

from __future__ import annotations

import pytest
from vacances_scolaires_france import SchoolHolidayDates

from storage import commune_rules
from storage.errors import InputError


@pytest.mark.parametrize(
    ("code", "departement", "school_zone", "time_zone"),
    [
        pytest.param("93051", "93", "C", "Europe/Paris", id="Noisy-le-Grand"),
        pytest.param("75056", "75", "C", "Europe/Paris", id="Paris"),
        pytest.param("01004", "01", "A", "Europe/Paris", id="a leading zero"),
        pytest.param("59350", "59", "B", "Europe/Paris", id="Lille"),
        pytest.param("2A004", "2A", None, "Europe/Paris", id="Ajaccio: Corsica has a calendar of its own"),
        pytest.param("2B033", "2B", None, "Europe/Paris", id="Bastia"),
        pytest.param("97411", "974", None, "Indian/Reunion", id="Saint-Denis de La Réunion"),
        pytest.param("97302", "973", None, "America/Cayenne", id="Cayenne"),
        pytest.param("98818", "988", None, "Pacific/Noumea", id="Nouméa"),
    ],
)
def test_a_code_tells_departement_and_zones(
    code: str, departement: str, school_zone: str | None, time_zone: str
) -> None:
    assert commune_rules.departement(code) == departement
    assert commune_rules.school_zone(code) == school_zone
    assert commune_rules.time_zone(code) == time_zone


@pytest.mark.parametrize(
    "code", ["", "9305", "930511", "2C004", "20004", "00001", "96001", "97901", "98401", "abcde", "2a004"]
)
def test_nothing_else_is_a_code(code: str) -> None:
    with pytest.raises(InputError, match="INSEE code"):
        commune_rules.departement(code)


def test_every_departement_of_the_mainland_lies_in_one_zone() -> None:
    mainland = {f"{number:02}" for number in range(1, 96)} - {"20"}
    assert {code for code in mainland if commune_rules.school_zone(f"{code}001") is not None} == mainland
    assert set(commune_rules.SCHOOL_ZONES) == set(SchoolHolidayDates().SUPPORTED_ZONES)


def test_time_zones_of_departements_are_zones() -> None:
    for code in ("97101", "97201", "97301", "97401", "97502", "97601", "97701", "97801", "98601", "98735", "98818"):
        commune_rules.check_time_zone(commune_rules.time_zone(code))


@pytest.mark.parametrize("name", ["", "Paris", "Europe/paris", "../../etc/passwd", "CEST"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="time zone"):
        commune_rules.check_time_zone(name)


def test_a_school_zone_is_that_of_the_place_or_none() -> None:
    commune_rules.check_school_zone("93051", "C")
    commune_rules.check_school_zone("93051", None)
    with pytest.raises(InputError, match="lies in zone C, got A"):
        commune_rules.check_school_zone("93051", "A")
    with pytest.raises(InputError, match="lies in no zone"):
        commune_rules.check_school_zone("2A004", "B")
    with pytest.raises(InputError, match="expected A, B, C or none, got 'D'"):
        commune_rules.check_school_zone("93051", "D")
