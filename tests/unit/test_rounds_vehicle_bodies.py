"""Vehicles of other sizes on streets of their own: signs for width, height, length and weight are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from optimise.rounds.travel import TravelOptions, VehicleBody, open_travel
from storage.model import VehicleSize
from tests.unit.test_rounds_travel import PROFILE

# Streets of one kilometre that a sign closes to some, each beside one of three sides round it that is open to all.
SIGNS = {
    "free": {},
    "weight": {"maxweight": "3.5"},
    "length": {"maxlength": "7"},
    "width": {"maxwidth": "2"},
    "height": {"maxheight": "2.3"},
    "goods": {"hgv": "no"},
}
STEP_DEG = 0.01


@pytest.fixture(scope="module")
def signposted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An extract with a block for each sign, all on one long street in the south."""
    nodes, ways = [], []

    def way(number: int, refs: list[int], tags: dict[str, str]) -> None:
        told = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in ({"highway": "residential"} | tags).items())
        passed = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        ways.append(f'<way id="{number}" version="1">{passed}{told}</way>')

    for block, tags in enumerate(SIGNS.values()):
        corners = [(3 * block, 1), (3 * block, 0), (3 * block + 1, 0), (3 * block + 1, 1)]
        ids = [block * 10 + number for number in range(1, 5)]
        for ref, (east, north) in zip(ids, corners, strict=True):
            nodes.append(
                f'<node id="{ref}" version="1" lon="{2 + east * STEP_DEG:.4f}" lat="{48 + north * STEP_DEG:.4f}"/>'
            )
        way(block * 10 + 1, ids, {})
        way(block * 10 + 2, [ids[0], ids[3]], tags)
    way(999, [block * 10 + number for block in range(len(SIGNS)) for number in (2, 3)], {})
    file = tmp_path_factory.mktemp("signs") / "signs.osm"
    file.write_text(f'<?xml version="1.0"?><osm version="0.6">{"".join(nodes)}{"".join(ways)}</osm>', encoding="utf-8")
    return file


def goes_round(extract: Path, body: VehicleBody) -> set[str]:
    """The signs that send this vehicle round the block."""
    travel = open_travel(
        TravelOptions(extract=extract, profile=PROFILE, cache_dir=extract.parent / "cache", body=body, kerb_side=False)
    )
    found = set()
    for block, name in enumerate(SIGNS):
        west, north = 2 + 3 * block * STEP_DEG, 48 + STEP_DEG
        measured = travel.matrices([(west, north), (west + STEP_DEG, north)], kerb=[False, False])
        assert measured.distance_m[0, 1] > 0
        if measured.distance_m[0, 1] > 1000:
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("body", "signs"),
    [
        (VehicleBody(), {"height", "width"}),
        (VehicleBody(size=VehicleSize.SMALL), set()),
        (VehicleBody(size=VehicleSize.LARGE), {"weight", "length", "width", "height", "goods"}),
        (VehicleBody(weight_kg=7500), {"weight", "width", "height", "goods"}),
        (VehicleBody(size=VehicleSize.SMALL, length_cm=720, height_cm=240), {"length", "height"}),
        (VehicleBody(size=VehicleSize.LARGE, width_cm=190, weight_kg=3500), {"length", "height"}),
    ],
)
def test_each_vehicle_keeps_to_the_signs_that_mean_it(signposted: Path, body: VehicleBody, signs: set[str]):
    assert goes_round(signposted, body) == signs


def test_a_large_vehicle_takes_longer_and_sizes_are_measured_apart(signposted: Path):
    points = [(2.0, 48.0), (2.04, 48.0), (2.07, 48.01)]
    times = {
        size: open_travel(
            TravelOptions(
                extract=signposted, profile=PROFILE, cache_dir=signposted.parent / "cache", body=VehicleBody(size=size)
            )
        ).matrices(points, kerb=[False] * 3).duration_s
        for size in VehicleSize
    }  # fmt: skip
    assert np.all(times[VehicleSize.LARGE] >= times[VehicleSize.STANDARD])
    assert times[VehicleSize.LARGE].sum() > times[VehicleSize.STANDARD].sum() > 0
