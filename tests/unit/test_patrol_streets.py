"""Patrols follow the extract's streets on foot once these are prepared, and say so; until then straight lines."""

from __future__ import annotations

from pathlib import Path

from cli.patrols import StreetPatrols
from config.settings import StreetsSettings
from simulators.streets import default_extract
from storage.kerb.patrol import PatrolSite, PatrolTask

# Either side of a bay of the sea in Helsinki's centre: 540 m by air, and no way across.
SOUTH, NORTH = (24.9540, 60.1683), (24.9540, 60.1731)


def test_walks_follow_streets_once_they_are_prepared(tmp_path: Path):
    streets = StreetsSettings(extract=default_extract(), cache_folder=tmp_path)
    patrols = StreetPatrols(streets)
    site = PatrolSite(place_id="B1", point=NORTH, gains=(1.0,) * 41)
    task = PatrolTask(start=SOUTH, sites=(site,), within_s=40 * 60)
    assert patrols(task).travel_source == "great_circle x 1.3"
    assert patrols.prepared()
    walked = patrols(task)
    assert walked.travel_source == "osrm:Helsinki.osm.pbf"
    (stop,) = walked.stops
    # Nobody walks faster than by air, nor is a town's way three times as long; 5 km/h is OSRM's own pace for feet.
    assert 535 <= stop.walk_m < 1600
    assert 0.9 < stop.walk_m / stop.walk_s < 1.5


def test_without_an_extract_walks_stay_straight(tmp_path: Path):
    patrols = StreetPatrols(StreetsSettings(extract=None, cache_folder=tmp_path))
    task = PatrolTask(start=SOUTH, sites=(), within_s=600)
    assert patrols(task).travel_source == "great_circle x 1.3"
    assert not patrols.prepared()


def test_streets_that_cannot_be_prepared_leave_patrols_as_they_were(tmp_path: Path):
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"not an extract")
    patrols = StreetPatrols(StreetsSettings(extract=broken, cache_folder=tmp_path / "cache"))
    task = PatrolTask(start=SOUTH, sites=(), within_s=600)
    for _ in range(2):
        assert patrols(task).travel_source == "great_circle x 1.3"
        assert patrols.prepared()
