"""Tables of places taken into communes: all or nothing, harmless when repeated, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimise.occupancy.job import make_sessions
from storage import communes, kerb_places, readings, sessions
from storage.errors import NotFoundError
from storage.model import PlaceKind
from storage.place_files.lines import Defaults, PlaceForm
from storage.place_import import PlacesReport, import_places
from storage.sessions import BEGINNING
from tests.storage.test_sessions import MINUTE
from tests.storage.town import INSEE, NOON, Town, batch, occupancy

HEADER = "place_id,kind,longitude_deg,latitude_deg,part_of,hours,max_stay_min,valid_until\n"
TABLE = (
    HEADER
    + "Z1,zone,2.55,48.84,,Mo-Su 08:00-20:00,60,\n"
    + "AIRE-1,delivery_area,2.55,48.84,Z1,,,\n"
    + "ADL-01,delivery_bay,2.55,48.84,AIRE-1,,,\n"
    + "NEW-1,delivery_bay,2.55,48.84,AIRE-1,Mo-Sa 07:00-19:00; PH off,20,\n"
)


def take(town: Town, text: str, *, commune_insee: str | None = INSEE, dry_run: bool = False) -> PlacesReport:
    defaults = Defaults(grace_s=60)
    return import_places(
        town.connection, commune_insee, text.encode(), form=PlaceForm.CSV, defaults=defaults, dry_run=dry_run
    )


def places_of(town: Town) -> dict[str, object]:
    return {place.place_id: place for place in kerb_places.of_commune(town.connection, INSEE)}


def test_a_table_is_taken_in_and_taking_it_again_changes_nothing(town: Town):
    before = places_of(town)
    report = take(town, TABLE)
    assert (report.imported, report.updated, report.unchanged, report.errors) == (3, 1, 0, ())
    known = places_of(town)
    assert set(known) == {*before, "Z1", "AIRE-1", "NEW-1"}
    # What the file does not have stays as it was.
    assert known["ADL-02"] == before["ADL-02"]
    again = take(town, TABLE)
    assert (again.imported, again.updated, again.unchanged) == (0, 0, 4)
    assert places_of(town) == known
    changed = take(town, TABLE.replace(",20,", ",30,"))
    assert (changed.imported, changed.updated, changed.unchanged) == (0, 1, 3)


def test_a_dry_run_tells_and_writes_nothing(town: Town):
    before = places_of(town)
    report = take(town, TABLE, dry_run=True)
    assert (report.imported, report.updated) == (3, 1)
    assert places_of(town) == before


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("COR-0001,delivery_bay,2.5,48.8,,,,", "is a bin already"),
        ("X,delivery_bay,2.5,48.8,NOWHERE,,,", "no place 'NOWHERE'"),
        ("X,delivery_bay,2.5,48.8,ADL-02,,,", "which has no parts"),
        ("Z2,zone,2.55,48.84,Z2,,,", "part of itself"),
        ("X,delivery_bay,2.5,48.8,,selon affichage,,", "cannot be read"),
    ],
)
def test_one_bad_line_and_nothing_is_written(town: Town, line: str, complaint: str):
    before = places_of(town)
    text = HEADER + line + "\n" + TABLE.removeprefix(HEADER)
    report = take(town, text)
    assert [(error.line, complaint in error.reason) for error in report.errors] == [(2, True)]
    assert places_of(town) == before


def test_a_circle_through_what_is_known_is_seen(town: Town):
    take(town, TABLE)
    report = take(town, HEADER + "Z1,zone,2.55,48.84,AIRE-1,,,\n")
    assert "part of itself" in report.errors[0].reason


def test_the_real_bays_of_fourteen_communes_are_taken_in_at_once(town: Town, reference_data: Path):
    content = (reference_data / "delivery-areas" / "hauts_de_seine_aires_livraison.csv").read_bytes()
    defaults = Defaults(max_stay_s=1800)
    mine = import_places(town.connection, INSEE, content, form=PlaceForm.HAUTS_DE_SEINE, defaults=defaults)
    assert (mine.imported, mine.skipped) == (0, 1007)
    for expected in ((1007, 0), (0, 1007)):
        report = import_places(town.connection, None, content, form=PlaceForm.HAUTS_DE_SEINE, defaults=defaults)
        assert (report.imported, report.unchanged, report.errors) == (*expected, ())
    assert communes.one(town.connection, "92044").name == "Levallois Perret"
    assert communes.one(town.connection, "92044").school_zone == "C", "what its code says is known of it"
    levallois = kerb_places.of_commune(town.connection, "92044")
    assert (len(levallois), {place.kind for place in levallois}) == (183, {PlaceKind.DELIVERY_BAY})
    rules = town.connection.execute("SELECT count(*) FROM rule_set WHERE commune_insee LIKE '92%'").fetchone()
    assert rules is not None
    assert rules[0] < 40  # equal rules are stored once a commune


def test_the_national_schema_needs_to_be_told_its_commune(town: Town, reference_data: Path):
    content = (reference_data / "delivery-areas" / "grand_lyon_v1.csv").read_bytes()
    nowhere = import_places(town.connection, None, content, form=PlaceForm.CEREMA)
    assert "say which one" in nowhere.errors[0].reason
    with pytest.raises(NotFoundError):
        import_places(town.connection, "69123", content, form=PlaceForm.CEREMA)
    assert import_places(town.connection, INSEE, content, form=PlaceForm.CEREMA).imported == 16


def test_overstays_follow_the_rules(town: Town):
    """NOON is 13:00 of a Tuesday: 90 minutes are an hour beyond the bay's own limit, and half an hour of the zone's."""
    told = [(0, False), (10, True), (100, False)]
    heard = [occupancy(town.bay_device, NOON + minute * MINUTE, occupied=state) for minute, state in told]
    readings.take_in(town.connection, batch(occupancy_readings=tuple(heard)))

    def overstay() -> float | None:
        make_sessions(town.connection, INSEE)
        (one,) = sessions.of_place(town.connection, INSEE, "ADL-01", since=BEGINNING, until=NOON + 3000 * MINUTE)
        return one.overstay_s

    assert overstay() == 3600
    take(town, TABLE)  # the bay's own rule is gone, the zone's hour holds
    assert overstay() == 1800
    take(town, HEADER + "Z1,zone,2.55,48.84,,Mo-Su 08:00-20:00,75,\n")
    assert overstay() == 900
    take(town, HEADER + "Z1,zone,2.55,48.84,,,,\n")
    assert overstay() is None
