"""Advice from a real database: made of what sensors saw, stored, and the same over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimise.occupancy.advice.ground import read_ground
from optimise.occupancy.advice.job import advise_commune
from optimise.occupancy.advice.options import AdviceOptions
from optimise.occupancy.advice.scene import distances_m
from storage import advice
from storage.database import Connection
from storage.errors import InputError, NotFoundError
from tests.api.rows import INSEE, NOW, save_commune, save_places
from tests.kerb_street import save_street

OPTIONS = AdviceOptions(weeks=4, workers=1)


@pytest.fixture
def street(connection: Connection) -> Connection:
    save_street(connection)
    return connection


def test_the_full_bay_gets_another_and_the_idle_one_goes(street: Connection):
    with pytest.raises(NotFoundError, match="no advice"):
        advice.latest(street, INSEE)
    told = advise_commune(street, INSEE, now=NOW, options=OPTIONS, extract=None)
    document = told.document
    assert advice.latest(street, INSEE) == document
    measures = {one["measure_id"]: one for one in document["measures"]}
    assert "add:AREA+1" in measures
    assert any(name in measures for name in ("remove:ADL-02", "share:ADL-02"))
    added = measures["add:AREA+1"]["expected"]["refused_avoided_per_week"]
    assert 0 < added["low"] < added["mean"] < added["high"]
    (full,) = (area for area in document["areas"] if area["area_id"] == "AREA")
    # Of four an hour in ten hours of seven days: what sensors could not see is found again.
    assert full["deliveries_wanted_per_week"] == pytest.approx(280, rel=0.12)
    assert full["refused_share"] == pytest.approx(0.47, abs=0.06)
    assert document["played"]["fit"] == pytest.approx(1, abs=0.05)
    assert document["seen"]["shops"] == 0


def test_without_sensors_there_is_nothing_to_advise_on(connection: Connection):
    save_commune(connection)
    save_places(connection)
    with pytest.raises(InputError, match="nothing to advise on"):
        advise_commune(connection, INSEE, now=NOW, options=OPTIONS, extract=None)


def test_shops_and_spots_of_a_real_town(reference_data: Path):
    areas = [(7.4206, 43.7384), (7.4270, 43.7402)]
    origins, spots = read_ground(reference_data / "osm" / "monaco-latest.osm.pbf", areas, within_m=80)
    assert sum(one.shops for one in origins) > 50
    assert len(spots) > 20
    where = [spot.at for spot in spots]
    assert distances_m(where, areas).min() >= 15
    assert distances_m(where, [one.at for one in origins]).min(axis=1).max() <= 80
    assert len({spot.spot_id for spot in spots}) == len(spots)
    with pytest.raises(InputError, match="no street extract"):
        read_ground(Path("none.pbf"), areas, within_m=80)
