"""Months of service: every litre is accounted for, a dial is turned to its promise, and knowing more drives less."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import numpy as np
import pytest

from optimise.rounds.day import Fleet
from optimise.rounds.months.calibrate import turn
from optimise.rounds.months.evaluate import evaluate_months
from optimise.rounds.months.fixed import FixedCalendar, Past, tuned
from optimise.rounds.months.knowledge import in_quarters
from optimise.rounds.months.law import Law
from optimise.rounds.months.options import MonthsOptions
from optimise.rounds.months.play import old_rounds, play
from optimise.rounds.months.policies import Fixed
from optimise.rounds.months.sizing import Sizing, overflow_days, sized
from optimise.rounds.months.street import Street
from optimise.rounds.months.town import Town, first_morning, full_litres
from optimise.rounds.travel import Matrices
from storage.errors import InputError
from storage.model import Bin, DisposalSite, Place, PlaceKind, Vehicle

HOUR_S = 3600
START = first_morning(date(2026, 1, 5), "Europe/Paris")


def town(deposits_l: np.ndarray, *, volume_l: float = 100.0, press: float = 0.0, seed: int = 3) -> Town:
    """Return a town of bins in a row, 100 m apart, with the depot at one end and the disposal site at the other."""
    count, hours = deposits_l.shape
    days = hours // 24
    bins = tuple(
        Bin(
            commune_insee="93051",
            place_id=f"COR-{number:04d}",
            longitude_deg=2.5 + number * 0.001,
            latitude_deg=48.8 + (number * 7 % 5) * 0.001,
            street=None,
            bin_kind="street",
            volume_l=volume_l,
            service_s=40.0,
            sector="Secteur 1",
        )
        for number in range(count)
    )
    at = np.array([-3, count + 3, *range(count)])
    metres = np.abs(at[:, None] - at[None, :]) * 100
    generator = np.random.default_rng(seed)
    full_l = full_litres(np.full(count, volume_l), np.full(count, press))
    return Town(
        seed=seed,
        time_zone="Europe/Paris",
        start=START,
        bins=bins,
        deposits_l=deposits_l.astype(np.float32),
        full_l=full_l,
        press=np.full(count, press),
        heard=np.ones(deposits_l.shape, dtype=bool),
        echo=generator.normal(0.0, 0.01, deposits_l.shape).astype(np.float32),
        eye=generator.normal(0.0, 0.1, (count, days)),
        mute=np.zeros((count, days), dtype=bool),
        says=generator.random((count, days)) < 0.4,
        fleet=Fleet(
            vehicles=(
                Vehicle(
                    commune_insee="93051",
                    vehicle_id="BOM-1",
                    name="Benne 1",
                    capacity_l=3500.0,
                    depot_id="DEPOT-1",
                    shift_from=time(6, 0),
                    shift_until=time(12, 30),
                    break_s=1800.0,
                    break_from=time(8, 30),
                    break_until=time(10, 30),
                ),
            ),
            depots=(
                Place(
                    commune_insee="93051",
                    place_id="DEPOT-1",
                    kind=PlaceKind.DEPOT,
                    longitude_deg=2.49,
                    latitude_deg=48.8,
                    street=None,
                ),
            ),
            disposal_sites=(
                DisposalSite(
                    commune_insee="93051",
                    place_id="EXUTOIRE-1",
                    longitude_deg=2.6,
                    latitude_deg=48.8,
                    street=None,
                    unload_s=600.0,
                ),
            ),
        ),
        matrices=Matrices(duration_s=metres // 5, distance_m=metres, snap_m=(0.0,) * len(at), kerb=(False,) * len(at)),
        sectors=np.arange(count) // max(1, count // 2),
        past=Past.of(deposits_l.astype(np.float32), full_l),
        law=Law.of(deposits_l),
    )


def littered(*, bins: int = 24, days: int = 60, seed: int = 5) -> Town:
    """Return a town whose bins get from 8 to 45 % of their volume a day, in handfuls, by day."""
    generator = np.random.default_rng(seed)
    rate_l = generator.uniform(8.0, 45.0, bins)
    busy = np.tile(np.where((np.arange(24) > 2) & (np.arange(24) < 17), 24 / 14, 0.0), days)
    return town(generator.poisson(rate_l[:, None] / 24 * busy[None, :] / 2.0) * 2.0, seed=seed)


def hour(number: float) -> int:
    """Return Unix seconds of so many hours after the first morning."""
    return int(START.timestamp() + number * HOUR_S)


def nobody() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)


def one() -> np.ndarray:
    return np.zeros(1, dtype=np.int64)


# --- the account of a hand-made bin ---


def test_deposits_decide_an_overflow_and_not_the_look_at_the_emptying():
    # 60 l at noon of each day into 100 l; emptied every third morning: only the second day's noon finds it full.
    deposits_l = np.zeros((1, 96))
    deposits_l[0, 7::24] = 60.0
    street = Street(town(deposits_l))
    days = [
        street.live(day, one() if day == 2 else nobody(), np.full(int(day == 2), hour(day * 24 + 3)))
        for day in range(4)
    ]
    assert [over_l[0] for _, over_l in days] == pytest.approx([0.0, 20.0, 0.0, 20.0])
    (fill,), _ = days[2]
    assert fill == pytest.approx(1.2)


def test_a_full_bin_that_gets_nothing_counts_for_nothing():
    deposits_l = np.zeros((1, 72))
    deposits_l[0, 0] = 150.0
    street = Street(town(deposits_l))
    over_l = [street.live(day, nobody(), nobody())[1][0] for day in range(3)]
    assert over_l == pytest.approx([50.0, 0.0, 0.0])


def test_overflow_before_and_after_an_emptying_on_one_day_adds_up():
    deposits_l = np.zeros((1, 24))
    deposits_l[0, 1], deposits_l[0, 10] = 110.0, 130.0
    (fill,), (over_l,) = Street(town(deposits_l)).live(0, one(), np.array([hour(5)]))
    assert fill == pytest.approx(1.1)
    assert over_l == pytest.approx(10 + 30)


def test_nothing_is_lost_whoever_empties_when():
    played = littered(days=8)
    street, generator = Street(played), np.random.default_rng(1)
    taken_l = 0.0
    for day in range(8):
        bins = np.flatnonzero(generator.random(len(played.bins)) < 0.4)
        at_s = street.morning_s(day) + generator.integers(3600, 80_000, len(bins))
        before_l = street.base_l[bins].copy()
        street.live(day, bins, at_s)
        taken_l += float((street.base_l[bins] - before_l).sum())
    thrown_l = float(played.deposits_l[:, : 8 * 24].sum())
    assert taken_l + float(street.litres(street.morning_s(8)).sum()) == pytest.approx(thrown_l)


def test_pressed_layers_are_full_where_the_level_says_one():
    pressed = town(np.zeros((2, 24)), press=0.5)
    assert pressed.fill(np.array([0, 1]), pressed.full_l) == pytest.approx([1.0, 1.0])
    assert (pressed.full_l > 100.0).all()


def test_a_clairvoyant_sees_what_will_be_if_it_waits_and_if_it_goes():
    deposits_l = np.zeros((1, 96))
    deposits_l[0, 7::24] = 60.0
    street = Street(town(deposits_l))
    chances_s = np.array([hour(3), hour(27), hour(51), hour(75)])
    left, emptied = street.full_days(0, chances_s)
    assert (left[0] > 0).tolist() == [False, False, True, True]
    assert (emptied[0] > 0).tolist() == [False, False, True, True]
    street.live(0, one(), np.array([hour(9)]))
    left, emptied = street.full_days(1, chances_s[1:])
    assert (left[0] > 0).tolist() == [False, False, True]


def test_who_knows_the_law_and_the_level_counts_the_days_that_are_left():
    # 60 l at noon of each day into 100 l: empty, a bin lasts until the second chance after today's; half full, not.
    deposits_l = np.zeros((1, 6 * 7 * 24))
    deposits_l[0, 7::24] = 60.0
    law = Law.of(deposits_l)
    for day in (0, 9):
        chances = law.chances(day, np.array([0.0]), np.array([100.0]))
        assert chances.left[0, :3].tolist() == chances.emptied[0, :3].tolist() == [0.0, 1.0, 1.0]
        assert law.chances(day, np.array([50.0]), np.array([100.0])).left[0, 0] == 1.0


def test_chances_of_the_law_are_shares_of_weeks_like_these():
    deposits_l = np.zeros((1, 23 * 7 * 24))
    thirsty = np.arange(23) % 4 == 0
    deposits_l[0, 7 :: 7 * 24] = np.where(thirsty, 150.0, 10.0)
    chances = Law.of(deposits_l).chances(0, np.array([0.0]), np.array([100.0]))
    assert chances.left[0, 0] == pytest.approx(thirsty[:20].mean())
    assert Law.of(deposits_l).chances(1, np.array([0.0]), np.array([100.0])).left[0, 0] == 0.0


# --- the old rounds ---


def test_fixed_rounds_keep_their_calendar():
    played = littered(days=40)
    calendar = FixedCalendar(period_days=np.arange(24) % 3 + 1, offset=np.arange(24) % 2)
    state = old_rounds(played, calendar, nobody(), days=10)
    records, after = play(played, Fixed(played, calendar), state, days=6, options=MonthsOptions(iterations=30))
    assert [record.stops for record in records] == [int(calendar.due(day).sum()) for day in range(10, 16)]
    due = np.flatnonzero(calendar.due(15))
    assert (after.street.emptied_s[due] >= after.street.morning_s(15)).all()


def test_a_tuned_calendar_keeps_the_service_of_its_past_and_hot_spots_save_stops():
    played = littered()
    found = {hot: tuned(played.past, service=0.99, sectors=played.sectors, hot=hot) for hot in (False, True)}
    for calendar in found.values():
        column = np.searchsorted((1, 2, 3, 4, 5, 7), calendar.period_days)
        assert played.past.overflow_shares[np.arange(24), column].mean() <= 0.01
    plain, hot = ((1 / found[which].period_days).sum() for which in (False, True))
    assert hot <= plain
    for sector in (0, 1):
        assert len(set(found[False].period_days[played.sectors == sector])) == 1


def test_a_spot_gets_as_many_bins_as_daily_rounds_need():
    deposits_l = np.zeros((2, 10 * 24))
    deposits_l[0, 7::24], deposits_l[1, 7::24] = 40.0, 250.0
    full_l = np.array([100.0, 100.0])
    assert sized(deposits_l, full_l, options=Sizing(service=0.999)).tolist() == [1, 3]
    # 40 l a day: two days fit into 100 l, the third day's noon does not.
    assert [float(overflow_days(deposits_l[:1], full_l[:1], period_days=days)[0]) for days in (1, 2)] == [0.0, 0.0]
    assert overflow_days(deposits_l[:1], full_l[:1], period_days=3)[0] > 2


# --- the dial ---


@pytest.mark.parametrize("first", [0.5, 20.0, 900.0])
def test_the_dial_is_turned_until_the_promise_is_kept(first: float):
    tries = turn(lambda dial: 0.05 / dial, first=first, allowed=0.001, bin_days=10**6, tries=8)
    assert tries[-1].overflow_share == pytest.approx(0.001, rel=0.13)


def test_a_promise_that_cannot_be_kept_ends_at_the_safest_try():
    tries = turn(lambda dial: 0.01 + 0.01 / dial, first=1.0, allowed=0.001, bin_days=10**6, tries=4)
    assert len(tries) == 4
    assert tries[-1].overflow_share == min(one.overflow_share for one in tries)


# --- all together ---

SMALL = MonthsOptions(days=12, seeds=1, history_days=14, warmup_days=10, tries=2, iterations=40, service=0.99)


def test_the_same_town_gives_the_same_document_and_knowing_everything_drives_no_more():
    documents = [
        evaluate_months([littered()], options=SMALL, processes=1, progress=lambda _what: None) for _ in range(2)
    ]
    assert documents[0] == documents[1]
    rows = {row["policy"]: row for row in documents[0]["policies"]}
    assert list(rows) == ["fixed", "threshold", "ours_0", "ours_30", "ours_100", "perfect"]
    assert rows["perfect"]["km_per_day"] <= rows["ours_100"]["km_per_day"] * 1.02
    assert rows["perfect"]["bins_per_day"] < rows["fixed"]["bins_per_day"]
    assert [row["policy"] for row in documents[0]["references"]] == ["informed", "fixed_hot"]
    for row in rows.values():
        assert 0.9 < row["service_level"] <= 1
        assert 0.9 < row["litres_kept"] <= 1
        assert sum(row["fill_histogram"]) == pytest.approx(1, abs=1e-3)
    assert {row["policy"] for row in documents[0]["savings"]} == set(rows) - {"fixed"} | {"fixed_hot", "informed"}


def test_people_say_quarters():
    assert in_quarters(np.array([-0.1, 0.12, 0.13, 0.6, 1.4])).tolist() == [0.0, 0.0, 0.25, 0.5, 1.0]


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"service": 1.0}, r"expected service in \[0.5, 1\), got 1.0"),
        ({"sensors": 1.2}, r"expected sensors in \[0, 1\], got 1.2"),
        ({"days": 0}, "expected days >= 1, got 0"),
        ({"history_days": 3}, "expected history_days >= 10, got 3"),
        ({"warmup_days": 4}, "expected warmup_days >= 6, got 4"),
    ],
)
def test_options_refuse_nonsense(wrong: dict[str, float], rule: str):
    with pytest.raises(InputError, match=rule):
        MonthsOptions(**wrong)  # type: ignore[arg-type]


def test_days_begin_at_five_in_the_morning():
    assert datetime(2026, 1, 5, 4, tzinfo=UTC) == START
