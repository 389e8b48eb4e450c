"""Patrols follow the extract's streets on foot once these are prepared, and say so; until then straight lines."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from cli.patrols import StreetPatrols
from config.settings import StreetsSettings
from simulators.streets import default_extract
from storage.ground import distance_m
from storage.kerb.patrol import PatrolSite, PatrolTask
from storage.kerb.worth import WorthOptions

# Either side of a bay of the sea in Helsinki's centre: 540 m by air, and no way across.
SOUTH, NORTH = (24.9540, 60.1683), (24.9540, 60.1731)


def test_walks_follow_streets_once_they_are_prepared(tmp_path: Path):
    streets = StreetsSettings(extract=default_extract(), cache_folder=tmp_path)
    patrols = StreetPatrols(streets, worth=WorthOptions())
    site = PatrolSite(place_id="B1", point=NORTH, gains=(1.0,) * 41)
    task = PatrolTask(start=SOUTH, sites=(site,), within_s=40 * 60)
    straight = patrols(task)
    assert (straight.travel_source, straight.line) == ("great_circle x 1.3", ())
    assert patrols.prepared()
    walked = patrols(task)
    assert walked.travel_source == "osrm:Helsinki.osm.pbf"
    (stop,) = walked.stops
    # Nobody walks faster than by air, nor is a town's way three times as long.
    assert 535 <= stop.walk_m < 1600
    assert 0.8 < stop.walk_m / stop.walk_s < 1.3
    # The line is the way that was measured, from where the officer stands to the bay, round the water.
    assert len(walked.line) > 5
    assert distance_m(walked.line[0], SOUTH) < 100
    assert distance_m(walked.line[-1], NORTH) < 100
    assert sum(distance_m(a, b) for a, b in pairwise(walked.line)) == pytest.approx(walked.walk_m, rel=0.02)
    # The streets are kept: who walks half as fast takes twice as long on the same way.
    slow = StreetPatrols(streets, worth=WorthOptions(walking_m_s=WorthOptions().walking_m_s / 2))
    slow(task)
    assert slow.prepared()
    (strolled,) = slow(task).stops
    assert strolled.walk_m == stop.walk_m
    assert strolled.walk_s == pytest.approx(2 * stop.walk_s, abs=2)


def test_the_line_leads_back_where_the_way_back_was_asked_for(tmp_path: Path):
    patrols = StreetPatrols(StreetsSettings(extract=default_extract(), cache_folder=tmp_path), worth=WorthOptions())
    site = PatrolSite(place_id="B1", point=NORTH, gains=(1.0,) * 61)
    patrols(PatrolTask(start=SOUTH, sites=(), within_s=600))
    assert patrols.prepared()
    walked = patrols(PatrolTask(start=SOUTH, sites=(site,), within_s=60 * 60, back=True))
    assert walked.line[0] == walked.line[-1]
    nobody = patrols(PatrolTask(start=SOUTH, sites=(), within_s=600))
    assert nobody.line == ()


def test_without_an_extract_walks_stay_straight(tmp_path: Path):
    patrols = StreetPatrols(StreetsSettings(extract=None, cache_folder=tmp_path), worth=WorthOptions())
    task = PatrolTask(start=SOUTH, sites=(), within_s=600)
    assert patrols(task).travel_source == "great_circle x 1.3"
    assert not patrols.prepared()


def test_streets_that_cannot_be_prepared_leave_patrols_as_they_were(tmp_path: Path):
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"not an extract")
    patrols = StreetPatrols(StreetsSettings(extract=broken, cache_folder=tmp_path / "cache"), worth=WorthOptions())
    task = PatrolTask(start=SOUTH, sites=(), within_s=600)
    for _ in range(2):
        assert patrols(task).travel_source == "great_circle x 1.3"
        assert patrols.prepared()
