from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.bin_geometry import (
    Level,
    LevelRules,
    checked,
    complaints,
    completed,
    judge_distance,
    rejudged,
    same_level,
    volume_fraction,
)
from storage.errors import InputError
from storage.model import BinShape, Geometry, Orientation, PlaceKind, Quality

RULES = LevelRules()
STRAIGHT = Geometry(empty_distance_mm=1000, full_distance_mm=200)


def tapered(ratio: float) -> Geometry:
    return replace(STRAIGHT, bin_shape=BinShape.TAPERED, bottom_ratio=ratio)


LYING = replace(STRAIGHT, bin_shape=BinShape.LYING_CYLINDER)
SHAPES = st.sampled_from([STRAIGHT, LYING]) | st.floats(0, 5).map(tapered)


def measured_volume(width: Any, height: float) -> float:
    """The volume below `height` by adding up thin slices whose area is `width` of their height, squared or not."""
    slices = (np.arange(200_000) + 0.5) / 200_000
    areas = width(slices)
    return float(areas[slices < height].sum() / areas.sum())


@pytest.mark.parametrize("height", [0.05, 0.25, 0.5, 0.8, 0.99])
@pytest.mark.parametrize("ratio", [0.0, 0.4, 0.999999, 1.0, 2.5])
def test_a_tapered_bin_holds_what_its_slices_hold(ratio: float, height: float):
    expected = measured_volume(lambda h: (ratio + (1 - ratio) * h) ** 2, height)
    assert volume_fraction(height, tapered(ratio)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("height", [0.05, 0.25, 0.5, 0.8, 0.99])
def test_a_lying_cylinder_holds_what_its_slices_hold(height: float):
    expected = measured_volume(lambda h: np.sqrt(h - h * h), height)
    assert volume_fraction(height, LYING) == pytest.approx(expected, abs=1e-4)


@given(SHAPES, st.floats(-1, 2), st.floats(-1, 2))
def test_more_height_is_never_less_volume_and_empty_and_full_are_what_they_are(
    shape: Geometry, one: float, other: float
):
    low, high = (volume_fraction(height, shape) for height in sorted((one, other)))
    assert 0 <= low <= high + 1e-12
    assert volume_fraction(0, shape) == 0
    assert volume_fraction(1, shape) == 1
    assert volume_fraction(math.nextafter(1, 0), shape) == pytest.approx(1, abs=1e-6)


@given(SHAPES, st.integers(0, 3000), st.booleans(), st.sampled_from(Orientation))
def test_a_level_is_plausible_and_in_bounds_or_none(
    shape: Geometry, distance_mm: int, from_below: bool, orientation: Orientation  # noqa: FBT001 - hypothesis gives it
):  # fmt: skip
    geometry = replace(shape, orientation=orientation, mounting_height_mm=700, full_height_mm=900)
    level = judge_distance(distance_mm, geometry, tilted=False, from_below=from_below, rules=RULES)
    if level.quality is Quality.OK:
        assert level.fill_fraction is None or 0 <= level.fill_fraction <= RULES.max_fill_fraction
    else:
        assert level == Level(quality=Quality.IMPLAUSIBLE, fill_fraction=None)


@pytest.mark.parametrize(
    ("geometry", "distance_mm", "fill"),
    [
        pytest.param(STRAIGHT, 600, 0.5, id="looks down"),
        pytest.param(replace(STRAIGHT, orientation=Orientation.UP), 400, 0.5, id="looks up"),
        pytest.param(
            Geometry(mounting_height_mm=1100, full_height_mm=1000), 600, 0.5, id="by its heights, looking down"
        ),
        pytest.param(
            Geometry(full_height_mm=1000, orientation=Orientation.UP), 250, 0.25, id="by its height, looking up"
        ),
    ],
)
def test_orientation_and_heights(geometry: Geometry, distance_mm: int, fill: float):
    level = judge_distance(distance_mm, completed(geometry), tilted=False, from_below=False, rules=RULES)
    assert level == Level(quality=Quality.OK, fill_fraction=pytest.approx(fill))


ACROSS = completed(
    Geometry(
        empty_distance_mm=500, mounting_height_mm=800, full_height_mm=1000, orientation=Orientation.ACROSS
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("distance_mm", "fill"),
    [
        pytest.param(500, None, id="the opposite wall: the contents are lower, and how low is unknown"),
        pytest.param(251, None, id="something at the far side"),
        pytest.param(250, 0.8, id="something before the sensor: the contents stand at its height"),
        pytest.param(0, 0.8, id="right before it"),
    ],
)
def test_a_sensor_that_looks_across_knows_one_level(distance_mm: int, fill: float | None):
    level = judge_distance(distance_mm, ACROSS, tilted=False, from_below=False, rules=RULES)
    assert level == Level(quality=Quality.OK, fill_fraction=fill)
    beyond = judge_distance(600, ACROSS, tilted=False, from_below=False, rules=RULES)
    assert beyond.quality is Quality.IMPLAUSIBLE, "through the wall"


@pytest.mark.parametrize(
    ("geometry", "at_fault"),
    [
        pytest.param(Geometry(), None, id="nothing is known"),
        pytest.param(STRAIGHT, None, id="straight"),
        pytest.param(Geometry(empty_distance_mm=900), "full_distance_mm", id="empty alone"),
        pytest.param(Geometry(full_distance_mm=90), "empty_distance_mm", id="full alone"),
        pytest.param(Geometry(empty_distance_mm=90, full_distance_mm=90), "full_distance_mm", id="no depth"),
        pytest.param(Geometry(empty_distance_mm=90, full_distance_mm=900), "full_distance_mm", id="swapped"),
        pytest.param(Geometry(empty_distance_mm=0, full_distance_mm=-1), "empty_distance_mm", id="nothing"),
        pytest.param(Geometry(empty_distance_mm=20_001, full_distance_mm=0), "empty_distance_mm", id="a well"),
        pytest.param(Geometry(mounting_height_mm=900, full_height_mm=1000), "full_distance_mm", id="sensor drowned"),
        pytest.param(tapered(0.7), None, id="tapered"),
        pytest.param(tapered(-0.1), "bottom_ratio", id="less than a tip"),
        pytest.param(tapered(math.nan), "bottom_ratio", id="not a number"),
        pytest.param(tapered(math.inf), "bottom_ratio", id="endless"),
        pytest.param(replace(STRAIGHT, bin_shape=BinShape.TAPERED), "bottom_ratio", id="tapered, and how"),
        pytest.param(replace(STRAIGHT, bottom_ratio=0.5), "bottom_ratio", id="a ratio of nothing"),
        pytest.param(ACROSS, None, id="across"),
        pytest.param(replace(ACROSS, full_height_mm=None), "full_height_mm", id="across at an unknown height"),
    ],
)
def test_nonsense_is_named(geometry: Geometry, at_fault: str | None):
    first = next(iter(complaints(completed(geometry))), (None, ""))
    assert first[0] == at_fault
    if at_fault is None:
        assert checked(geometry, PlaceKind.BIN) == completed(geometry)
    else:
        with pytest.raises(InputError, match=f"{at_fault}: "):
            checked(geometry, PlaceKind.BIN)


def test_only_bins_have_a_geometry():
    assert checked(Geometry(), PlaceKind.DELIVERY_BAY) == Geometry()
    with pytest.raises(InputError, match="it is for bins, and this place is a parking_space"):
        checked(STRAIGHT, PlaceKind.PARKING_SPACE)


@given(
    was=SHAPES,
    now=SHAPES,
    distance_mm=st.integers(0, 1300),
    below=st.booleans(),
    tilted=st.booleans(),
)
def test_judging_again_is_judging_with_the_other_geometry(
    was: Geometry, now: Geometry, distance_mm: int, *, below: bool, tilted: bool
):
    judged = {"tilted": tilted, "rules": RULES}
    stored = judge_distance(distance_mm, was, from_below=below, **judged)
    if stored.fill_fraction is not None:  # the column is of single precision
        stored = replace(stored, fill_fraction=float(np.float32(stored.fill_fraction)))
    again = rejudged(stored, distance_mm, was=was, now=now, **judged)
    expected = [judge_distance(distance_mm, now, from_below=side, **judged) for side in (False, True)]
    above, under = (judge_distance(distance_mm, was, from_below=side, **judged) for side in (False, True))
    if same_level(above, under):  # nothing tells the sides apart: above is the usual one
        assert again == expected[0]
    else:
        assert again == expected[below]


def test_the_decoder_s_own_verdict_stays():
    stored = Level(quality=Quality.IMPLAUSIBLE, fill_fraction=None)
    again = rejudged(stored, 600, tilted=False, was=STRAIGHT, now=replace(STRAIGHT, empty_distance_mm=900), rules=RULES)
    assert again == stored


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"bottom_tolerance_fraction": -0.1}, "expected bottom_tolerance_fraction >= 0, got -0.1"),
        ({"max_fill_fraction": 0.5}, "expected max_fill_fraction >= 1, got 0.5"),
    ],
)
def test_rules_refuse_nonsense(changes: dict[str, float], rule: str):
    with pytest.raises(ValueError, match=rule):
        LevelRules(**changes)
