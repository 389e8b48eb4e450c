"""The law of errors: it minds the moment, and its intervals hold in each group of bins, of bins it never saw."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from optimise.fill.describe import NAMES
from optimise.fill.groups import groups_of
from optimise.fill.laws import ErrorLaw, Moments, blind_law, learn_error_law
from optimise.fill.model import TERMS
from storage.model import Bin

PROBABILITIES = (0.05, 0.1, 0.5, 0.9, 0.95)
GROUPS = 2


def rows(bins: int, *, seed: int) -> tuple[Moments, NDArray[np.float64], NDArray[np.int64]]:
    """Return moments, what happened and whose they are: one group errs three times as much, and old bins are slow."""
    random = np.random.default_rng(seed)
    bin_row = np.repeat(np.arange(bins), 30)
    group = (np.arange(bins) % GROUPS)[bin_row]
    expected = random.uniform(0.1, 0.9, len(bin_row))
    terms = np.zeros((len(bin_row), len(TERMS)))
    terms[:, TERMS.index("floor")] = 1
    table = np.zeros((len(bin_row), len(NAMES)))
    age = random.uniform(-1.0, 1.0, len(bin_row))
    table[:, NAMES.index("age_of_usual")] = age
    own = random.normal(0, 0.02, bins)[bin_row]
    error = own + random.normal(0, 1.0, len(bin_row)) * np.where(group == 1, 0.06, 0.02) - 0.1 * (age > 0)
    return Moments(expected=expected, terms=terms, table=table, group=group), expected + error, bin_row


def learnt(bins: int, *, seed: int) -> ErrorLaw:
    moments, actual, bin_row = rows(bins, seed=seed)
    return learn_error_law(moments, actual, bin_row=bin_row, fold=bin_row % 5, groups=GROUPS, seed=0)


@pytest.fixture(scope="module")
def law() -> ErrorLaw:
    return learnt(120, seed=0)


def test_intervals_hold_in_each_group_on_new_bins(law: ErrorLaw) -> None:
    moments, actual, _ = rows(120, seed=1)
    quantiles = law.quantiles(moments, PROBABILITIES)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    for group in range(GROUPS):
        mine = moments.group == group
        for low, high, share in ((1, 3, 0.8), (0, 4, 0.9)):
            inside = (quantiles[mine, low] <= actual[mine]) & (actual[mine] <= quantiles[mine, high])
            assert inside.mean() == pytest.approx(share, abs=0.04)


def test_bins_left_for_long_are_told_apart(law: ErrorLaw) -> None:
    moments, actual, _ = rows(120, seed=1)
    middle = law.quantiles(moments, PROBABILITIES)[:, 2]
    assert np.abs(middle - actual).mean() < 0.75 * np.abs(moments.expected - 0.05 - actual).mean()


def test_the_chance_of_reaching_a_level_agrees_with_the_quantiles(law: ErrorLaw) -> None:
    moments, _, _ = rows(4, seed=2)
    moments = moments.where(moments.expected > 0.5)  # nothing is below empty
    for share, level in zip(PROBABILITIES, law.quantiles(moments, PROBABILITIES).T, strict=True):
        reaching = [
            law.probability_reaching(float(one), moments.where(np.array([row]))) for row, one in enumerate(level)
        ]
        assert np.concatenate(reaching) == pytest.approx(1 - share, abs=0.03)


def test_a_level_is_reached_the_less_the_higher_it_is(law: ErrorLaw) -> None:
    moments, _, _ = rows(4, seed=2)
    chances = np.array([law.probability_reaching(level, moments) for level in (-9.0, 0.2, 0.5, 0.8, 1.1, 9.0)])
    assert (np.diff(chances, axis=0) <= 1e-9).all()
    assert chances[0] == pytest.approx(1, abs=1e-5)
    assert chances[-1] == pytest.approx(0, abs=1e-5)


def test_few_bins_get_the_wide_law() -> None:
    few, blind = learnt(7, seed=0), blind_law(GROUPS)
    assert few.forest is None
    assert np.array_equal(few.limits, blind.limits)
    moments, _, _ = rows(7, seed=1)
    assert np.array_equal(few.quantiles(moments, PROBABILITIES), blind.quantiles(moments, PROBABILITIES))


def bin_of(number: int, kind: str, street: str | None) -> Bin:
    return Bin(
        commune_insee="93051",
        place_id=f"COR-{number:04d}",
        longitude_deg=2.5,
        latitude_deg=48.8,
        street=None,
        bin_kind=kind,
        volume_l=100.0,
        surroundings={"shops_75m": 1.0} | ({} if street is None else {"street_main": 0.0, f"street_{street}": 1.0}),
    )


def test_groups_are_kinds_by_streets_where_enough_bins_are_measured() -> None:
    bins = [bin_of(k, "street", "main") for k in range(6)]
    bins += [bin_of(10 + k, "street", "foot") for k in range(5)]
    bins += [bin_of(20 + k, "park", "foot") for k in range(5)]
    bins += [bin_of(30, "park", "main"), bin_of(31, "dog", "main")]
    measured = np.ones(len(bins), dtype=bool)
    found = groups_of(bins, measured=measured, usual_h=np.ones(len(bins)))
    assert found.names == ("others", "park", "park, foot", "street, foot", "street, main")
    assert [found.names[index] for index in found.of_bin[[0, 6, 11, 16, 17]]] == [
        "street, main",
        "street, foot",
        "park, foot",
        "park",
        "others",
    ]


def test_a_town_of_one_kind_is_parted_by_how_often_its_bins_are_emptied() -> None:
    bins = [bin_of(k, "street", None) for k in range(9)]
    found = groups_of(bins, measured=np.ones(9, dtype=bool), usual_h=np.arange(9.0))
    assert [found.names[index] for index in found.of_bin[[0, 4, 8]]] == [
        "emptied often",
        "emptied at times",
        "emptied rarely",
    ]
