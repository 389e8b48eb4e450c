"""Tables of places: read whole, every fault with its line and reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.kerb.words import rules_in_words
from storage.model import PlaceKind, RuleUse
from storage.place_files.lines import Defaults, PlaceFile, PlaceForm
from storage.place_files.reading import read_places
from storage.place_files.shapes import centre_of, polygon_of_wkt

CSV = PlaceForm.CSV
HALF_AN_HOUR = Defaults(max_stay_s=1800, grace_s=300)


def read(text: str, form: PlaceForm = CSV) -> PlaceFile:
    return read_places(text.encode(), form, HALF_AN_HOUR)


def faults(file: PlaceFile) -> list[tuple[int, str | None]]:
    return [(error.line, error.column) for error in file.errors]


def geojson(*features: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


def feature(geometry: object = None, **properties: object) -> dict[str, object]:
    point = {"type": "Point", "coordinates": [2.3, 48.8]}
    return {"type": "Feature", "properties": properties, "geometry": geometry or point}


# --- real tables ------------------------------------------------------------------------------------------------------


def test_the_bays_of_hauts_de_seine_are_read(reference_data: Path):
    file = read_places(
        (reference_data / "delivery-areas" / "hauts_de_seine_aires_livraison.csv").read_bytes(),
        PlaceForm.HAUTS_DE_SEINE,
        HALF_AN_HOUR,
    )
    assert (len(file.lines), file.errors) == (1007, ())
    assert len({line.commune_insee for line in file.lines}) == 14
    assert [(warning.column, "'02'" in warning.reason) for warning in file.warnings] == [("type", True)]
    first = file.lines[0].place
    assert (first.place_id, first.length_cm, first.street) == ("92012025", 1000, "5 RUE HEYRAULT")
    assert (round(first.longitude_deg, 4), round(first.latitude_deg, 4)) == (2.2399, 48.8319)
    assert rules_in_words(first.rules) == "Livraisons, 30 min au plus (tolérance 5 min), tous les jours de 8 h à 19 h"
    unmeasured = [line.place for line in file.lines if line.place.length_cm is None]
    assert len(unmeasured) == 86


def test_the_national_schema_is_read_with_its_traps(reference_data: Path):
    file = read_places(
        (reference_data / "delivery-areas" / "grand_lyon_v1.csv").read_bytes(), PlaceForm.CEREMA, HALF_AN_HOUR
    )
    assert (len(file.lines), file.errors) == (16, ())
    assert {(warning.line, warning.column) for warning in file.warnings} == {(2, "GEOM_WKT"), (8, "TEMPORALITE_OSM")}
    by_id = {line.place.place_id: line.place for line in file.lines}
    assert by_id["GL-2300"].geometry is not None
    assert by_id["GL-2300"].attributes is not None
    assert by_id["GL-2300"].attributes["marquage_conformite"] is False
    ended = [place.place_id for place in by_id.values() if place.valid_until is not None]
    assert len(ended) == 2  # ACTIVE non


def test_a_table_without_positions_is_refused_by_the_place(reference_data: Path):
    content = (reference_data / "delivery-areas" / "antibes.csv").read_bytes()
    file = read_places(content, PlaceForm.ANTIBES, HALF_AN_HOUR)
    assert len(file.lines) == 21  # two lines, two rules each
    assert all(error.column == "GEOM_XY" and "placeholder" in error.reason for error in file.errors)
    assert [rule.max_mass_t for rule in file.lines[0].place.rules] == [19, 3.5]
    moved = content.decode().replace('"1,1"', '"7.12,43.58"').encode()
    assert read_places(moved, PlaceForm.ANTIBES, HALF_AN_HOUR).errors == ()
    old = read_places(content, PlaceForm.CEREMA)
    assert "version 0.1" in old.errors[0].reason


# --- our own columns --------------------------------------------------------------------------------------------------


def test_a_line_is_a_rule_and_its_place_is_told_once():
    file = read(
        "place_id;kind;longitude_deg;latitude_deg;street;part_of;hours;max_stay_min;use;priority\n"
        "A;delivery_area;2,3;48,8;Rue X;;;;;\n"
        "A1;;2.3;48.8;;A;Mo-Sa 07:00-19:00;20;;\n"
        "A1;;;;;;dimanche 8h-13h;;no_stopping;5\n"
        "S;parking_space;2.3;48.8;;;;;;\n"
    )
    assert file.errors == ()
    area, bay, space = (line.place for line in file.lines)
    assert (area.kind, area.rules, area.longitude_deg) == (PlaceKind.DELIVERY_AREA, (), 2.3)
    assert (bay.part_of, [rule.max_stay_s for rule in bay.rules]) == ("A", [1200, 0])
    assert bay.rules[1].use is RuleUse.NO_STOPPING
    assert (space.kind, space.space_kind) == (PlaceKind.PARKING_SPACE, "standard")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("place_id,longitude_deg,latitude_deg\n,2.3,48.8\n", [(2, "place_id")]),
        ("place_id,longitude_deg,latitude_deg\nA,x,48.8\n", [(2, "longitude_deg")]),
        ("place_id,longitude_deg,latitude_deg\nA,,48.8\n", [(2, "longitude_deg")]),
        ("place_id,longitude_deg,latitude_deg\nA,48.8,2.3\n", [(2, "latitude_deg")]),  # swapped
        ("place_id,longitude_deg,latitude_deg\nA,0,0\n", [(2, "latitude_deg")]),
        ("place_id,longitude_deg,latitude_deg\nA,2.3\n", [(2, None)]),
        ("place_id,longitude_deg,latitude_deg,hours\nA,2.3,48.8,selon affichage\n", [(2, "hours")]),
        ("place_id,longitude_deg,latitude_deg,kind\nA,2.3,48.8,bin\n", [(2, "kind")]),
        ("place_id,longitude_deg,latitude_deg,kind,length_cm\nA,2.3,48.8,zone,500\n", [(2, "length_cm")]),
        ("place_id,longitude_deg,latitude_deg,valid_from,valid_until\nA,2.3,48.8,2026-02-01,01/01/2026\n",
         [(2, "valid_until")]),
        ("place_id,longitude_deg,latitude_deg,use,max_stay_min\nA,2.3,48.8,delivery,0\n", [(2, "use")]),
        ("place_id,longitude_deg,latitude_deg,vehicle_classes\nA,2.3,48.8,tank\n", [(2, "vehicle_classes")]),
        ("place_id,longitude_deg,latitude_deg,colour\nA,2.3,48.8,red\n", [(2, "colour")]),
        ("place_id,longitude_deg,latitude_deg,street\nA,2.3,48.8,X\nA,,,Y\n", [(3, "street")]),
        ("longitude_deg,latitude_deg\n2.3,48.8\n", [(1, "place_id")]),
        ('place_id\n"A\n', [(2, None)]),
        ("", [(1, None)]),
    ],
)  # fmt: skip
def test_each_fault_has_its_line_and_column(text: str, expected: list[tuple[int, str | None]]):
    assert faults(read(text)) == expected


def test_every_fault_of_a_file_is_told():
    file = read("place_id,longitude_deg,latitude_deg\nA,x,y\nB,2.3,48.8\nC,500,48.8\n")
    assert faults(file) == [(2, "latitude_deg"), (2, "longitude_deg"), (4, "longitude_deg")]


def test_geojson_is_read_with_lines_and_polygons():
    zone = {"type": "Polygon", "coordinates": [[[2, 48], [4, 48], [4, 50], [2, 50], [2, 48]]]}
    face = {"type": "LineString", "coordinates": [[2.0, 48.0], [2.0, 48.001], [2.0, 48.004]]}
    text = geojson(
        feature(zone, place_id="Z", kind="zone", hours="Mo-Fr 08:00-18:00", max_stay_min=60),
        feature(face, place_id="F", kind="street_face", part_of="Z"),
        feature(place_id="B", part_of="F", rules=[{"max_stay_s": 600, "days": [1]}]),
    )
    file = read(text, PlaceForm.GEOJSON)
    assert file.errors == ()
    z, f, b = (line.place for line in file.lines)
    assert (z.longitude_deg, z.latitude_deg) == pytest.approx((3, 49))
    assert (f.longitude_deg, f.latitude_deg) == pytest.approx((2.0, 48.002))
    assert (b.geometry, b.rules[0].max_stay_s, z.rules[0].max_stay_s) == (None, 600, 3600)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", [(1, None)]),
        ("[]", [(1, None)]),
        (geojson(1), [(1, None)]),
        (geojson(feature(place_id="A"), feature({"type": "Point", "coordinates": ["x", 1]}, place_id="B")),
         [(2, "geometry")]),
        (geojson(feature(place_id="A", colour="red")), [(1, "colour")]),
        (geojson(feature(place_id="A", rules=[{"max_stay_s": -1}])), [(1, "rules")]),
        (geojson(feature(place_id="A", rules=[{"use": "picnic"}])), [(1, "rules")]),
        (geojson(feature(place_id="A"), feature(place_id="A")), [(2, None)]),
        (geojson(feature({"type": "Polygon", "coordinates": [[[2, 48], [3, 48], [3, 49]]]}, place_id="A")),
         [(1, "geometry")]),
    ],
)  # fmt: skip
def test_each_fault_of_geojson_has_its_feature(text: str, expected: list[tuple[int, str | None]]):
    assert faults(read(text, PlaceForm.GEOJSON)) == expected


def test_the_schemas_own_example_of_a_polygon_is_taken_and_told():
    text = "POLYGON(4.855154 45.769666, 4.855176 45.769668, 4.855190 45.769583, 4.855154 45.769666)"
    shape, as_wkt = polygon_of_wkt(text)
    assert not as_wkt
    assert polygon_of_wkt(text.replace("(", "((").replace(")", "))")) == (shape, True)
    longitude_deg, latitude_deg = centre_of(shape)
    assert 4.855154 < longitude_deg < 4.85519
    assert 45.769583 < latitude_deg < 45.769668


@given(form=st.sampled_from(PlaceForm), content=st.binary(max_size=200))
def test_no_bytes_break_a_reader(form: PlaceForm, content: bytes):
    file = read_places(content, form)
    assert file.errors or not file.lines or all(line.place.place_id for line in file.lines)


HEADERS = {
    PlaceForm.CEREMA: "ID,LONGITUDE,LATITUDE,TYPE,DUREE_MAX,TEMPORALITE_OSM,TEMPORALITE_CDS,GEOM_WKT,ACTIVE,DATE_MAJ",
    PlaceForm.HAUTS_DE_SEINE: "id,type,adresse,commune,code_insee,longueur,h_debut,h_fin,geo_point_2d,tonnage",
    PlaceForm.ANTIBES: "ID,COLL_INSEE,VEH_TONNAGE,INTERV_JH,EMPRISE_DESIGNATION,GEOM_XY,GEOM_WKT,EMPRISE_LONGUEUR",
    PlaceForm.CSV: "place_id,longitude_deg,latitude_deg,kind,hours,max_stay_min,priority,valid_from,use,max_mass_t",
}


@given(data=st.data(), form=st.sampled_from(sorted(HEADERS)))
def test_no_cells_break_a_reader(data: st.DataObject, form: PlaceForm):
    cell = st.sampled_from(["", "1", "-1", "nan", "inf", "1e400", "2.3", "48.8", "oui", "Mo-Fr 08:00-10:00", "24:00",
                            "[]", "{}", "aire périodique", "2026-01-01", "9999-12-31", "POLYGON(())", "delivery",
                            "no_stopping", "48.8;2.3"])  # fmt: skip
    width = len(HEADERS[form].split(","))
    rows = data.draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=3))
    file = read(HEADERS[form] + "\n" + "\n".join(",".join(row) for row in rows) + "\n", form)
    assert isinstance(file, PlaceFile)
