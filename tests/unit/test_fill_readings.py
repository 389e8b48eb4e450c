"""From raw levels to hourly gains: what is mended, what is an emptying, what is not guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from optimise.fill.readings import ReadingOptions
from optimise.fill.training import TrainingData, assemble
from storage.level_table import LevelTable
from storage.model import Bin, Emptying

START = datetime(2026, 3, 2, tzinfo=UTC)


def a_bin(number: int) -> Bin:
    return Bin(
        commune_insee="93051",
        place_id=f"COR-{number:04d}",
        longitude_deg=2.5 + number / 1000,
        latitude_deg=48.8,
        street=None,
        bin_kind="street",
        volume_l=100.0,
    )


def known(
    levels: dict[int, list[tuple[float, float]]], *, emptied: list[tuple[int, float]] | None = None, hours: int = 24
) -> TrainingData:
    """Return data of bins with (hour, fill) readings and declared emptyings at (bin, hour), seen after `hours`."""
    rows = [(f"COR-{n:04d}", hour, fill) for n, readings in sorted(levels.items()) for hour, fill in readings]
    table = LevelTable(
        place_id=np.array([place for place, _, _ in rows], dtype=object),
        measured_at_s=np.array([int(START.timestamp() + hour * 3600) for _, hour, _ in rows], dtype=np.int64),
        fill_fraction=np.array([fill for _, _, fill in rows], dtype=np.float32),
    )
    declared = [
        Emptying(place_id=f"COR-{n:04d}", emptied_at=START + timedelta(hours=hour), found_fraction=None)
        for n, hour in emptied or []
    ]
    as_of = START + timedelta(hours=hours)
    return assemble(bins=[a_bin(0), a_bin(1)], levels=table, emptyings=declared, as_of=as_of)


def hourly(fills: list[float]) -> list[tuple[float, float]]:
    return [(float(hour), fill) for hour, fill in enumerate(fills)]


def test_gains_add_up_to_what_was_measured_between_emptyings() -> None:
    data = known({0: hourly([0.1, 0.12, 0.2, 0.3, 0.02, 0.1, 0.16])}, hours=6)
    assert np.nansum(data.hourly.gained[0]) == pytest.approx(0.2 + 0.14, abs=1e-6)
    assert np.isnan(data.hourly.gained[0, 3])
    assert (data.detected.at_s - data.start_s).tolist() == [4 * 3600]


def test_levels_between_readings_lie_on_their_line() -> None:
    data = known({0: [(0.0, 0.0), (0.5, 0.1), (2.5, 0.3), (4.0, 0.36)]}, hours=4)
    assert data.hourly.level[0, :5] == pytest.approx([0.0, 0.15, 0.25, 0.32, 0.36], abs=1e-6)


@pytest.mark.parametrize(
    ("fills", "emptyings", "why"),
    [
        ([0.5, 0.55, 0.02, 0.03, 0.05], 1, "a fall that stays is an emptying"),
        ([0.5, 0.51, 0.05, 0.52, 0.53], 0, "an echo from a bottle's neck comes back"),
        ([0.1, 0.1, 0.9, 0.1, 0.12], 0, "an echo from the lid comes back"),
        ([0.5, 0.52, 0.45, 0.46, 0.5], 0, "waste settles by less than a crew takes"),
        ([0.8, 0.8, 0.65, 0.66, 0.7], 0, "waste trodden down is not an emptied bin"),
        ([0.3, 0.6, 0.02, 0.3, 0.55], 1, "a bin may fill fast again"),
        ([0.5, 0.6, 0.02], 1, "the last reading may be the first after an emptying"),
    ],
)
def test_emptyings_are_told_from_noise(fills: list[float], emptyings: int, why: str) -> None:
    assert len(known({0: hourly(fills)}).detected) == emptyings, why


def test_one_wild_reading_leaves_the_gains_alone() -> None:
    calm, wild = hourly([0.1, 0.15, 0.2, 0.25, 0.3]), hourly([0.1, 0.15, 0.95, 0.25, 0.3])
    assert known({0: wild}).hourly.gained[0] == pytest.approx(known({0: calm}).hourly.gained[0], abs=1e-6, nan_ok=True)


def test_nothing_is_interpolated_across_a_declared_emptying_that_the_level_hardly_shows() -> None:
    readings = {0: hourly([0.04, 0.06, 0.03, 0.05])}
    assert np.isfinite(known(readings, hours=3).hourly.gained[0]).all()
    assert np.isnan(known(readings, emptied=[(0, 1.5)], hours=3).hourly.gained[0]).tolist() == [False, True, False]


def test_nothing_is_interpolated_across_a_long_silence() -> None:
    data = known({0: [(0.0, 0.1), (1.0, 0.2), (9.0, 0.6), (10.0, 0.7)]}, hours=10)
    assert np.flatnonzero(np.isfinite(data.hourly.gained[0])).tolist() == [0, 9]


def test_a_saturated_sensor_tells_no_gains() -> None:
    data = known({0: hourly([0.8, 0.95, 1.0, 1.0, 1.0])}, hours=4)
    assert np.isfinite(data.hourly.gained[0]).tolist() == [True, True, False, False]


def test_bins_do_not_leak_into_each_other() -> None:
    data = known({0: hourly([0.7, 0.8]), 1: [(2.0, 0.1), (3.0, 0.2)]}, hours=3)
    assert len(data.detected) == 0
    assert np.isnan(data.hourly.level[0, 2:]).all()
    assert np.isnan(data.hourly.level[1, :2]).all()


def test_what_was_known_earlier_knows_nothing_later() -> None:
    data = known({0: hourly([0.1, 0.2, 0.3, 0.0, 0.1, 0.2])}, emptied=[(0, 2.5)], hours=5)
    earlier = data.at(data.start_s + 2 * 3600)
    assert earlier.hours == 2
    assert earlier.readings.at_s.max() <= earlier.as_of_s
    assert len(earlier.declared) == len(earlier.detected) == 0
    with pytest.raises(ValueError, match="expected as_of_s <="):
        data.at(data.as_of_s + 1)


def test_a_hidden_sensor_leaves_what_crews_declared() -> None:
    data = known({0: hourly([0.5, 0.0, 0.1]), 1: hourly([0.5, 0.0, 0.1])}, emptied=[(0, 0.5)])
    hidden = data.hiding(np.array([True, False]))
    assert hidden.has_sensor.tolist() == [False, True]
    assert set(hidden.detected.bin_row) == {1}
    assert len(hidden.declared) == 1
    assert np.isnan(hidden.hourly.gained[0]).all()


def test_an_emptying_declared_twice_is_one() -> None:
    assert len(known({}, emptied=[(0, 1.0), (0, 1.1), (0, 3.0), (1, 3.0)]).declared) == 3


def test_levels_of_unknown_bins_are_left_aside() -> None:
    assert len(known({0: hourly([0.1, 0.2]), 7: hourly([0.1, 0.2])}).readings) == 2


@pytest.mark.parametrize("name", ["fall", "left_share", "spike"])
def test_nonsense_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"expected 0 < {name} < 1, got 1.5"):
        ReadingOptions(**{name: 1.5})
