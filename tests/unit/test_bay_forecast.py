"""The occupancy forecast's arithmetic: sums of bays, hidden bays, stored trees, stretches, what is usual."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from optimise.occupancy.forecast.counts import added, count_pmf, interval, mean, median
from optimise.occupancy.forecast.groups import stretches_of
from optimise.occupancy.forecast.hidden import Hidden, HiddenCounts, fit_hidden
from optimise.occupancy.forecast.history import History
from optimise.occupancy.forecast.learning import LearningOptions, learn
from optimise.occupancy.forecast.model import Model
from optimise.occupancy.forecast.packing import PackedOccupancyError, pack_model, unpack_model
from optimise.occupancy.forecast.questions import FEATURES, Bays
from optimise.occupancy.forecast.trees import Trees, trees_of
from optimise.occupancy.forecast.usual import coming_usual, filled
from optimise.occupancy.trial.clock import DAY_S
from optimise.occupancy.trial.field import SLOTS
from storage.kerb.admission import admits
from storage.model import BayUse, KerbNow, PlaceKind, Rule, RuleUse, VehicleClass


def test_bays_that_are_alike_and_apart_add_up_to_a_binomial_and_a_shift_spreads_it():
    chance = np.full((2, 4), 0.5)
    apart, together = count_pmf(chance, np.array([0.0, 1.0]))
    assert np.allclose(apart, np.array([1, 4, 6, 4, 1]) / 16)
    assert together.sum() == pytest.approx(1)
    assert mean(together[None])[0] == pytest.approx(2)
    assert together[0] > 1.5 * apart[0]
    certain = count_pmf(np.array([[1.0, 1.0, 0.0]]), np.zeros(1))
    assert certain[0].argmax() == 2
    assert interval(certain)[0][0] == interval(certain)[1][0] == median(certain)[0] == 2


def test_sums_of_two_numbers_hold_both_and_intervals_hold_what_they_promise():
    rng = np.random.default_rng(0)
    one, other = (count_pmf(rng.uniform(0.1, 0.9, (5, n)), np.zeros(5)) for n in (3, 6))
    total = added(one, other)
    assert total.shape == (5, 10)
    assert np.allclose(mean(total), mean(one) + mean(other))
    low, high = interval(total)
    numbers = np.arange(10)
    inside = (numbers >= low[:, None]) & (numbers <= high[:, None])
    assert ((total * inside).sum(axis=1) >= 0.8).all()


def test_hidden_bays_are_told_with_the_spread_that_hidden_ones_had():
    rng = np.random.default_rng(1)
    n = 6000
    theta = rng.beta(3 * 0.4, 3 * 0.6, n)
    counts = HiddenCounts(
        free=rng.binomial(5, theta).astype(float),
        hidden=np.full(n, 5.0),
        usual_then=np.full(n, 0.4),
        odd_sum=rng.normal(0, 1, n),
        speaking=np.full(n, 3.0),
        ahead_s=np.full(n, 900.0),
    )
    found = fit_hidden(counts)
    # Others' oddness told nothing, and the common share had a strength of three.
    assert (found.weight, found.strength) == (0.0, 3.0)
    pmf = found.count_pmf(np.array([0.4]), 5)
    low, high = interval(pmf)
    assert np.mean((low <= counts.free) & (counts.free <= high)) == pytest.approx(
        float(pmf[0, int(low[0]) : int(high[0]) + 1].sum()), abs=0.02
    )
    narrow, wide = (Hidden(strength=each).interval(np.array([0.4])) for each in (20.0, 1.0))
    assert wide[0] < narrow[0] < 0.4 < narrow[1] < wide[1]
    assert (
        fit_hidden(HiddenCounts(**{name: getattr(counts, name)[:10] for name in HiddenCounts.__dataclass_fields__}))
        == Hidden()
    )


def test_stored_trees_say_what_scikit_learn_says_and_nothing_else_is_taken_for_them():
    rng = np.random.default_rng(2)
    asked = rng.normal(size=(2000, FEATURES)).astype(np.float32)
    asked[rng.random(asked.shape) < 0.1] = np.nan
    happened = np.nan_to_num(asked[:, 0]) + 0.5 * np.nan_to_num(asked[:, 3]) + rng.normal(size=2000) > 0
    forest = HistGradientBoostingClassifier(max_iter=12, max_leaf_nodes=7, random_state=0).fit(asked, happened)
    model = Model(trees=trees_of(forest), slope=0.9, shift=0.1)
    again = unpack_model(pack_model(model))
    assert again.trees is not None
    assert np.allclose(again.trees.logit(asked), forest.decision_function(asked), atol=1e-9)
    assert (again.slope, again.shift, again.hidden) == (model.slope, model.shift, model.hidden)
    for content in (b"", b"PK nonsense", pack_model(model)[:100]):
        with pytest.raises(PackedOccupancyError):
            unpack_model(content)
    trees = again.trees
    with pytest.raises(ValueError, match="left within"):
        Trees(**{name: getattr(trees, name) for name in Trees.__dataclass_fields__} | {"left": trees.left + 10**6})
    with pytest.raises(ValueError, match="features"):
        Model(
            trees=Trees(
                **{name: getattr(trees, name) for name in Trees.__dataclass_fields__}
                | {"feature": trees.feature + FEATURES}
            )
        )


def _history(hours: int, *, places: int = 2) -> History:
    at_s = np.tile(np.arange(hours) * 3600, places)
    row = np.repeat(np.arange(places), hours)
    # Free by night, taken from eight to eight.
    return History(
        places=places, place_row=row, at_s=at_s, free=~((at_s // 3600 % 24 >= 8) & (at_s // 3600 % 24 < 20)),
        silent_s=7200, time_zone="UTC",
    )  # fmt: skip


def test_what_a_sensor_told_holds_until_it_is_silent_for_too_long():
    history = _history(48)
    free, held_s = history.at(np.array([9 * 3600, 47 * 3600 + 7201, -5]))
    assert free[0].tolist() == [0.0, 0.0]
    assert held_s[0].tolist() == [3600.0, 3600.0]
    assert np.isnan(free[1:]).all()


def test_the_usual_week_is_learnt_from_the_past_and_strangers_are_told_by_the_others():
    history = _history(14 * 24)
    usual = coming_usual(history, first_day=0, today=14)
    assert usual.share.shape == (2, 7 * SLOTS)
    share = usual.at(np.array([14 * DAY_S + 3 * 3600, 15 * DAY_S + 12 * 3600, 30 * DAY_S + 12 * 3600]))
    assert np.allclose(share[:, 0], [1, 0, 0])
    strange = np.array([[0.2, 0.4, np.nan, np.nan]])
    told = filled(strange, np.array([0, 0, 0, 1]), np.array([0, 0, 0, 1]))
    assert told[0, 2] == pytest.approx(0.3)
    assert np.isnan(told[0, 3])


def test_too_little_to_learn_from_is_said_in_words():
    bays = Bays(near=np.zeros(2, np.int64), alike=np.zeros(2, np.int64))
    assert "too few" in str(learn(_history(24), bays, LearningOptions()))
    empty = History(
        places=2,
        place_row=np.zeros(0, np.int64),
        at_s=np.zeros(0, np.int64),
        free=np.zeros(0, bool),
        silent_s=60,
        time_zone="UTC",
    )
    assert "no sensor" in str(learn(empty, bays, LearningOptions()))


def _place(
    number: int, *, kind: PlaceKind = PlaceKind.PARKING_SPACE, street: str | None = "Rue Haute", east_m: float = 0.0
) -> KerbNow:
    return KerbNow(
        place_id=f"P{number}", kind=kind, longitude_deg=2.55 + east_m / 73_000, latitude_deg=48.84, street=street,
        name=None, part_of=None, length_cm=None, space_kind=None, rule_set_id=None, has_sensor=False, heard_at=None,
        measured_at=None, occupied=None, since=None, certainty=None, silent_after_s=3600.0,
    )  # fmt: skip


def test_a_long_street_is_cut_into_stretches_and_uses_stay_apart():
    places = [_place(number, east_m=60.0 * number) for number in range(6)]
    places.append(_place(6, kind=PlaceKind.DELIVERY_BAY))
    found = {group.group_id: [places[row].place_id for row in group.members] for group in stretches_of(places)}
    assert found == {
        "stretch:car:Rue Haute:1": ["P0", "P1", "P2"],
        "stretch:car:Rue Haute:2": ["P3", "P4"],
        "stretch:car:Rue Haute:3": ["P5"],
        "stretch:delivery:Rue Haute:1": ["P6"],
    }


@pytest.mark.parametrize(
    ("rule", "use", "expected"),
    [
        (None, BayUse.CAR, True),
        (Rule(use=RuleUse.NO_STOPPING, max_stay_s=0), BayUse.DELIVERY, False),
        (Rule(use=RuleUse.DELIVERY), BayUse.DELIVERY, True),
        (Rule(use=RuleUse.DELIVERY), BayUse.CAR, False),
        (Rule(use=RuleUse.SHORT_STAY), BayUse.CAR, True),
        (Rule(use=RuleUse.PARKING, vehicle_classes=(VehicleClass.RESIDENT,)), BayUse.CAR, False),
        (Rule(use=RuleUse.RESERVED, vehicle_classes=(VehicleClass.GOODS,)), BayUse.DELIVERY, True),
        (Rule(use=RuleUse.RESERVED), BayUse.CAR, False),
    ],
)
def test_nobody_is_sent_where_the_rule_does_not_admit_them(rule: Rule | None, use: BayUse, *, expected: bool):
    assert admits(rule, use) is expected
