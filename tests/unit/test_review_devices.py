"""Devices: habits, silence, lost frames, batteries, radio."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ingest.review.alarm_options import AlarmOptions
from ingest.review.battery import LITHIUM_THIONYL, battery_is_low, chemistry_of, empty_in_s
from ingest.review.frames import lost_frames
from ingest.review.habits import DEFAULT_REPEAT_SHARE, days_of, habits_of
from ingest.review.options import DAY_S, ReviewOptions
from ingest.review.radio import radio_is_weak
from ingest.review.silence import Heard, judge_silence, silence_limits
from storage.model import Quality
from storage.signal_table import CODES, SignalTable

HOUR_S = 3600.0
ALARMS = AlarmOptions()


def table_of(rows: list[tuple[int, float]], **columns: list[float]) -> SignalTable:
    """Make a table of (series, hour) rows; `columns` are given by name, the rest is unknown."""
    size = len(rows)
    measured_us = np.array([round(hour * HOUR_S * 1e6) for _, hour in rows], dtype=np.int64)
    unknown = {
        name: np.full(size, np.nan)
        for name in (
            "fill_fraction",
            "distance_mm",
            "empty_distance_mm",
            "temperature_c",
            "battery_percent",
            "battery_v",
            "rssi_dbm",
            "snr_db",
        )
    }
    flags = {name: np.zeros(size, dtype=bool) for name in ("tilted", "fire", "full")}
    whole = {
        "series": np.array([series for series, _ in rows], dtype=np.int64),
        "measured_us": measured_us,
        "record_index": np.zeros(size, dtype=np.int64),
        "heard_us": measured_us,
        "quality": np.full(size, CODES[Quality.OK], dtype=np.int64),
        "frame_counter": np.full(size, -1, dtype=np.int64),
    }
    return SignalTable(**(unknown | flags | whole | {name: np.array(values) for name, values in columns.items()}))


@pytest.mark.parametrize(
    ("counters", "lost"),
    [
        pytest.param([1, 2, 3, 4], [0, 0, 0, 0], id="none"),
        pytest.param([1, 2, 5, 6], [0, 0, 2, 0], id="two"),
        pytest.param([65534, 65535, 0, 1], [0, 0, 0, 0], id="a 16-bit counter wraps"),
        pytest.param([65533, 65535, 1, 2], [0, 1, 1, 0], id="and loses one on either side"),
        pytest.param([900, 901, 0, 1], [0, 0, 0, 0], id="the device joined anew"),
        pytest.param([70000, 70001, 3, 4], [0, 0, 0, 0], id="a 32-bit counter does not wrap there"),
        pytest.param([1, 2, 40000, 40001], [0, 0, 0, 0], id="set, not counted"),
        pytest.param([1, 1, 1, 2], [0, 0, 0, 0], id="a repetition of the network"),
        pytest.param([-1, 5, -1, 9], [0, 0, 0, 0], id="not told by every frame"),
    ],
)
def test_holes_in_the_frame_counter_are_losses_and_resets_are_not(counters: list[int], lost: list[int]):
    gap_s = np.array([np.nan, HOUR_S, HOUR_S, HOUR_S])
    found = lost_frames(np.zeros(4, np.int64), gap_s, np.array(counters))
    assert found.tolist() == lost


def test_a_counter_is_not_compared_with_another_devices():
    device = np.array([1, 1, 2, 2])
    gap_s = np.array([np.nan, HOUR_S, np.nan, HOUR_S])
    assert lost_frames(device, gap_s, np.array([5, 6, 9, 10])).tolist() == [0, 0, 0, 0]


def test_habits_are_each_devices_own():
    random = np.random.default_rng(2)
    rows = [(0, float(hour)) for hour in range(96)] + [(1, hour / 4) for hour in range(384)]
    noisy = np.round(700 + random.normal(0, 7, 96))
    coarse = np.repeat(np.arange(12) * 10.0 + 300, 32)
    distance = np.concatenate([noisy, coarse])
    table = table_of(rows, distance_mm=distance, fill_fraction=(1000 - distance) / 800)
    devices = np.array([41, 42])
    habits = habits_of(days_of(table, devices), devices)
    assert habits.period_s == pytest.approx([3600, 900])
    assert habits.repeat_share[0] < 0.15
    assert habits.repeat_share[1] > 0.9
    assert habits.noise_fraction[0] == pytest.approx(7 / 800, rel=0.4)
    assert habits.step_fraction[1] == pytest.approx(10 / 800)


def test_an_unknown_device_is_taken_for_a_coarse_one():
    table = table_of([(0, 0.0), (0, 1.0)], fill_fraction=[0.5, 0.5])
    habits = habits_of(days_of(table, np.array([1])), np.array([1, 2]))
    assert habits.repeat_share.tolist() == [DEFAULT_REPEAT_SHARE] * 2


def test_records_of_one_frame_count_as_one_word_of_the_device():
    table = table_of([(0, float(hour)) for hour in range(24)])
    # Eight stored records come with every eighth hour's frame.
    heard_us = (table.measured_us // (8 * 3600 * 10**6) + 1) * 8 * 3600 * 10**6
    days = days_of(replace(table, heard_us=heard_us - 1), np.array([1]))
    assert days.frames.sum() == 3
    assert days.readings.sum() == 24
    assert np.nanmax(days.longest_gap_s) == pytest.approx(8 * HOUR_S)


def test_the_limit_of_silence_follows_the_devices_own_gaps():
    rows, hour = [], 0.0
    random = np.random.default_rng(4)
    while hour < 24 * 20:  # an hourly device that loses 5 % of its frames
        if random.random() > 0.05:
            rows.append((0, hour))
        hour += 1.0
    rows += [(1, 24.0 * day) for day in range(20)]  # one that speaks once a day
    devices = np.array([1, 2])
    days = days_of(table_of(rows), devices)
    limit = silence_limits(days, devices, habits_of(days, devices).period_s, ALARMS)
    assert 3 * HOUR_S <= limit[0] <= 6 * HOUR_S
    assert limit[1] == pytest.approx(3 * DAY_S)


def test_a_new_device_has_the_default_limit_and_one_long_fault_teaches_nothing():
    rows = [(0, float(hour)) for hour in range(5)]
    rows += [(1, float(hour)) for hour in range(24 * 14) if not 100 < hour < 190]
    devices = np.array([1, 2])
    days = days_of(table_of(rows), devices)
    limit = silence_limits(days, devices, habits_of(days, devices).period_s, ALARMS)
    assert limit[0] == ALARMS.silent_unknown_s
    assert limit[1] == pytest.approx(3 * HOUR_S)


def test_a_device_that_speaks_when_something_changes_may_miss_a_heartbeat():
    random = np.random.default_rng(8)
    devices = np.array([1, 2, 3])
    rows = [(0, 24.0 * day + hour) for day in range(6) for hour in sorted(random.uniform(8, 19, 15))]
    rows += [(1, 24.0 * day + hour) for day in range(9) for hour in sorted(random.uniform(0, 24, 5))]
    rows += [(2, 5.0 * beat + random.normal(0, 0.02)) for beat in range(40)]
    days = days_of(table_of(rows), devices)
    limit = silence_limits(days, devices, habits_of(days, devices).period_s, ALARMS)
    assert limit[:2].tolist() == [ALARMS.silent_irregular_s] * 2
    assert ALARMS.silent_irregular_s > 48 * HOUR_S
    assert limit[2] == pytest.approx(15 * HOUR_S, rel=0.02)  # this one only speaks seldom


def heard_at(hours: list[float], *, before: float = 1.0, since: list[float] | None = None, now_h: float) -> Heard:
    size = len(hours)
    return Heard(
        heard_s=(now_h - np.array(hours)) * HOUR_S,
        before_s=(now_h - np.array(hours) - before) * HOUR_S,
        limit_s=np.full(size, 4 * HOUR_S),
        excused_s=np.full(size, -np.inf),
        network=np.zeros(size, np.int64),
        silent_since_s=np.array([np.nan] * size if since is None else since) * HOUR_S,
    )


def judge(heard: Heard, *, out: bool = False, now_h: float):
    return judge_silence(heard, network_out=np.array([out]), now_s=now_h * HOUR_S, options=ALARMS)


def test_one_silent_device_among_many_is_its_own_alert():
    verdict = judge(heard_at([5.0, *np.linspace(0.02, 1.0, 30)], now_h=100), now_h=100)
    assert np.flatnonzero(verdict.opens).tolist() == [0]
    assert not verdict.network_opens.any()


def test_a_silent_network_is_one_alert_and_not_a_thousand():
    hours = np.linspace(0.01, 1.0, 200)
    opened = []
    for now_h in np.arange(100, 110, 0.25):
        heard = heard_at((hours + now_h - 100).tolist(), now_h=now_h)
        verdict = judge(heard, out=bool(opened), now_h=now_h)
        assert not verdict.opens.any(), now_h
        opened += [now_h] * int(verdict.network_opens[0])
    assert len(opened) == 1
    assert verdict.outage_since_s[0] == pytest.approx((100 - 0.01) * HOUR_S)


def test_a_network_is_back_when_most_of_its_devices_are_heard_and_one_straggler_is_not_enough():
    straggler = heard_at([0.1, *[6.0] * 20], now_h=100)
    verdict = judge(straggler, out=True, now_h=100)
    assert not verdict.network_closes.any()
    assert not verdict.opens.any()
    back = heard_at([*[0.2] * 15, *[6.0] * 6], now_h=100)
    verdict = judge(back, out=True, now_h=100)
    assert verdict.network_closes.all()
    assert not verdict.opens.any()  # they have their whole time again


def test_devices_of_a_small_network_are_silent_one_by_one():
    assert judge(heard_at([5.0, 6.0], now_h=100), now_h=100).opens.all()


def test_a_silent_device_is_back_when_it_was_heard_twice():
    once = heard_at([0.1, *[0.5] * 9], before=30, since=[80.0, *[np.nan] * 9], now_h=100)
    assert not judge(once, now_h=100).closes.any()
    twice = heard_at([0.1, *[0.5] * 9], before=1, since=[80.0, *[np.nan] * 9], now_h=100)
    assert np.flatnonzero(judge(twice, now_h=100).closes).tolist() == [0]


def test_batteries_close_higher_than_they_open():
    def low(percent: float | None, volts: float | None, *, was_low: bool) -> bool | None:
        return battery_is_low(percent=percent, volts=volts, chemistry=LITHIUM_THIONYL, was_low=was_low, options=ALARMS)

    assert [low(percent, None, was_low=False) for percent in (21, 20)] == [False, True]
    assert [low(percent, None, was_low=True) for percent in (29, 30)] == [True, False]
    assert [low(None, volts, was_low=False) for volts in (3.3, 3.2)] == [False, True]
    assert [low(None, volts, was_low=True) for volts in (3.3, 3.4)] == [True, False]
    assert low(None, None, was_low=True) is None


def test_volts_of_an_unknown_chemistry_are_not_judged():
    assert chemistry_of("some-model") is None
    assert battery_is_low(percent=None, volts=1.0, chemistry=None, was_low=False, options=ALARMS) is None


def test_a_batterys_trend_is_told_where_there_is_one():
    days = np.arange(28.0)
    random = np.random.default_rng(6)
    sinking = 60 - 0.5 * days + random.normal(0, 0.4, 28)
    empty_s = empty_in_s(days * DAY_S, sinking, ALARMS)
    assert empty_s is not None
    assert empty_s / DAY_S == pytest.approx((60 - 0.5 * 27 - 10) / 0.5, rel=0.1)
    assert empty_in_s(days * DAY_S, 60 + random.normal(0, 0.4, 28), ALARMS) is None
    assert empty_in_s(days[:10] * DAY_S, sinking[:10], ALARMS) is None


@pytest.mark.parametrize(
    ("rssi", "snr", "loss", "was", "weak"),
    [
        (-121.0, 3.0, 0.01, False, False),  # far, and heard well
        (-121.0, -12.0, 0.01, False, True),
        (-116.0, -8.0, 0.01, True, True),
        (-110.0, -8.0, 0.01, True, False),
        (-90.0, 8.0, 0.25, False, True),
        (-90.0, 8.0, 0.15, False, False),
        (-90.0, 8.0, 0.15, True, True),
        (None, None, None, True, None),
    ],
)
def test_radio_is_weak_by_both_signals_or_by_loss(
    *, rssi: float | None, snr: float | None, loss: float | None, was: bool, weak: bool | None
):
    found = radio_is_weak(rssi_dbm=rssi, snr_db=snr, loss_fraction=loss, was_weak=was, options=ALARMS)
    assert found is weak


def test_nonsense_is_refused_with_the_rule_it_breaks():
    with pytest.raises(ValueError, match=r"expected jump_fraction > 0, got -1"):
        ReviewOptions(jump_fraction=-1)
    with pytest.raises(ValueError, match=r"expected emptying_believed >= emptying_told"):
        ReviewOptions(emptying_told=0.9)
    with pytest.raises(ValueError, match=r"expected overflow_over_fraction < overflow_fraction"):
        AlarmOptions(overflow_over_fraction=1.2)
    with pytest.raises(ValueError, match=r"expected battery_well_percent > battery_low_percent"):
        AlarmOptions(battery_well_percent=10)
