from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decoders import Measurement
from ingest.quality import (
    QualityRules,
    check_time,
    judge_level,
    plausible_battery_percent,
    plausible_temperature_c,
)
from ingest.refusal import RefusedError
from storage.model import BinShape, Mounting, Orientation, PlaceKind, Quality, RefusalReason

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RULES = QualityRules()


def mounted(empty_mm: int | None = 1000, full_mm: int | None = 200) -> Mounting:
    return Mounting(
        commune_insee="93051",
        device_id=1,
        place_id="COR-0001",
        place_kind=PlaceKind.BIN,
        mounted_at=NOW - timedelta(days=1),
        empty_distance_mm=empty_mm,
        full_distance_mm=full_mm,
    )


@pytest.mark.parametrize(
    ("distance_mm", "fill"),
    [
        pytest.param(1000, 0.0, id="empty"),
        pytest.param(600, 0.5, id="half"),
        pytest.param(200, 1.0, id="full"),
        pytest.param(100, 1.125, id="overflowing"),
        pytest.param(1080, 0.0, id="a little beyond the bottom: the bag sags"),
    ],
)
def test_fill_is_computed_from_the_mounting(distance_mm: int, fill: float):
    level = judge_level(Measurement(distance_mm=distance_mm), mounted(), RULES)
    assert (level.quality, level.fill_fraction) == (Quality.OK, pytest.approx(fill))


@pytest.mark.parametrize(
    ("shape", "fill"),
    [
        pytest.param({"bin_shape": BinShape.LYING_CYLINDER}, 0.1955, id="a lying cylinder is narrow at its bottom"),
        pytest.param({"bin_shape": BinShape.TAPERED, "bottom_ratio": 0.5}, 0.1362, id="a tapered bin as well"),
        pytest.param({"orientation": Orientation.UP}, 1.0, id="from below the distance is the height"),
        pytest.param(
            {"orientation": Orientation.ACROSS, "mounting_height_mm": 600, "full_height_mm": 1000},
            None,
            id="across: lower than the sensor, and how low is unknown",
        ),
    ],
)
def test_the_bin_s_shape_and_the_sensor_s_orientation_count(shape: dict[str, Any], fill: float | None):
    level = judge_level(Measurement(distance_mm=800), replace(mounted(), **shape), RULES)
    assert level.quality is Quality.OK
    assert level.fill_fraction == (None if fill is None else pytest.approx(fill, abs=1e-4))


def test_a_device_s_own_percentage_counts_only_without_a_distance():
    assert judge_level(Measurement(own_fill_fraction=0.4), mounted(), RULES).fill_fraction == 0.4
    both = Measurement(own_fill_fraction=0.4, distance_mm=600)
    assert judge_level(both, mounted(), RULES).fill_fraction == 0.5


def test_without_geometry_the_fill_is_unknown_and_the_measurement_is_not_bad():
    level = judge_level(Measurement(distance_mm=600), mounted(None, None), RULES)
    assert (level.quality, level.fill_fraction) == (Quality.OK, None)


@pytest.mark.parametrize(
    "measurement",
    [
        pytest.param(Measurement(distance_mm=1081), id="beyond the bottom: through the lid, or another bin's geometry"),
        pytest.param(Measurement(distance_mm=-1), id="behind the sensor"),
        pytest.param(Measurement(own_fill_fraction=1.6), id="no heap stands so high"),
        pytest.param(Measurement(own_fill_fraction=-0.1), id="less than nothing"),
        pytest.param(Measurement(distance_mm=600, tilted=True), id="tilted: the sensor looks elsewhere"),
    ],
)
def test_impossible_levels_are_no_measurement(measurement: Measurement):
    level = judge_level(measurement, mounted(), RULES)
    assert (level.quality, level.fill_fraction) == (Quality.IMPLAUSIBLE, None)


def test_a_heap_higher_than_the_rule_is_implausible():
    assert judge_level(Measurement(distance_mm=50), mounted(400, 200), RULES).quality is Quality.IMPLAUSIBLE


@given(
    quality=st.sampled_from(Quality),
    distance_mm=st.none() | st.integers(-100, 70_000),
    own=st.none() | st.floats(-1, 3),
    tilted=st.none() | st.booleans(),
    empty_mm=st.integers(1, 5000),
    depth_mm=st.integers(1, 5000),
)
def test_only_good_measurements_have_a_level_and_it_is_in_bounds(
    *, quality: Quality, distance_mm: int | None, own: float | None, tilted: bool | None, empty_mm: int, depth_mm: int
):
    measurement = Measurement(quality=quality, distance_mm=distance_mm, own_fill_fraction=own, tilted=tilted)
    level = judge_level(measurement, mounted(empty_mm, max(0, empty_mm - depth_mm)), RULES)
    if quality is not Quality.OK:
        assert level.quality is quality
    if level.quality is not Quality.OK:
        assert level.fill_fraction is None
    elif level.fill_fraction is not None:
        assert 0 <= level.fill_fraction <= RULES.max_fill_fraction


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_a_nearer_surface_is_never_a_lower_level(first_mm: int, second_mm: int):
    levels = [
        judge_level(Measurement(distance_mm=mm), mounted(), RULES).fill_fraction for mm in sorted((first_mm, second_mm))
    ]
    if None not in levels:
        assert levels[0] >= levels[1]


@pytest.mark.parametrize(
    ("ahead", "reason"),
    [
        pytest.param(timedelta(0), None, id="now"),
        pytest.param(timedelta(seconds=600), None, id="a clock that runs ahead a little"),
        pytest.param(timedelta(seconds=601), RefusalReason.IN_THE_FUTURE, id="tomorrow's news"),
        pytest.param(timedelta(days=-90), None, id="as old as may be"),
        pytest.param(timedelta(days=-90, seconds=-1), RefusalReason.TOO_OLD, id="older"),
        pytest.param(datetime(1, 1, 1, tzinfo=UTC) - NOW, RefusalReason.TOO_OLD, id="a gateway's unset clock"),
    ],
)
def test_times_that_cannot_be_believed(ahead: timedelta, reason: RefusalReason | None):
    if reason is None:
        check_time(NOW + ahead, now=NOW, rules=RULES)
    else:
        with pytest.raises(RefusedError) as refusal:
            check_time(NOW + ahead, now=NOW, rules=RULES)
        assert refusal.value.reason is reason


@pytest.mark.parametrize(
    ("value", "kept"), [(None, None), (-40, -40), (25.7, 25.7), (-117, None), (112, 112), (150.1, None)]
)
def test_temperatures_of_no_street_and_no_fire_are_dropped(value: float | None, kept: float | None):
    assert plausible_temperature_c(value) == kept


@pytest.mark.parametrize(("value", "kept"), [(None, None), (0, 0), (100, 100), (255, None), (-1, None)])
def test_batteries_are_percentages(value: float | None, kept: float | None):
    assert plausible_battery_percent(value) == kept


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"max_future_s": -1}, "expected max_future_s >= 0, got -1"),
        ({"max_age_days": 0}, "expected max_age_days > 0, got 0"),
        ({"max_fill_fraction": 0.9}, "expected max_fill_fraction >= 1, got 0.9"),
        ({"bottom_tolerance_mm": -5}, "expected bottom_tolerance_mm >= 0, got -5"),
    ],
)
def test_rules_refuse_nonsense(changes: dict[str, float], rule: str):
    with pytest.raises(ValueError, match=rule):
        QualityRules(**changes)
