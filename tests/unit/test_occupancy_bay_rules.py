"""The state of a delivery bay: properties over every rule and moment, and the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.bay_rules import NEAR_LIMIT_S, assess, known_occupancy, window_in_force
from storage.model import SENSOR_SILENT_AFTER, BayNow, BayState

PARIS = ZoneInfo("Europe/Paris")
ALL_DAYS = (1, 2, 3, 4, 5, 6, 7)
TUESDAY_11 = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)  # 11:00 in Paris


def bay(
    *,
    since: datetime | None = None,
    heard_at: datetime | None = None,
    occupied: bool | None = None,
    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6),
    hours: tuple[time, time] = (time(7), time(20)),
    max_stay_s: int = 1800,
    grace_s: int = 300,
) -> BayNow:
    return BayNow(
        place_id="ADL-01", longitude_deg=2.5, latitude_deg=48.8, street=None, length_cm=1200, max_stay_s=max_stay_s,
        grace_s=grace_s, enforced_days=days, enforced_from=hours[0], enforced_until=hours[1],
        heard_at=since if heard_at is None else heard_at, occupied=since is not None if occupied is None else occupied,
        occupied_since=since,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stay", "state"),
    [
        (timedelta(0), BayState.WITHIN_LIMIT),
        (timedelta(seconds=1800 - NEAR_LIMIT_S - 1), BayState.WITHIN_LIMIT),
        (timedelta(seconds=1800 - NEAR_LIMIT_S), BayState.NEAR_LIMIT),
        (timedelta(seconds=1800), BayState.NEAR_LIMIT),  # grace begins
        (timedelta(seconds=2100) - timedelta(microseconds=1), BayState.NEAR_LIMIT),
        (timedelta(seconds=2100), BayState.OVER_LIMIT),  # exactly limit and grace
        (timedelta(hours=3), BayState.OVER_LIMIT),
    ],
)
def test_a_stay_goes_through_its_states(stay: timedelta, state: BayState):
    judged = assess(bay(since=TUESDAY_11 - stay), zone=PARIS, now=TUESDAY_11)
    assert judged.state is state
    assert judged.remaining_s == max(0.0, 1800 - stay.total_seconds())
    assert judged.overstay_s == (stay.total_seconds() - 1800 if state is BayState.OVER_LIMIT else None)


def test_outside_the_hours_no_rule_judges():
    for hour, in_force in ((6, False), (7, True), (19, True), (20, False)):
        now = datetime(2026, 3, 10, hour, 0, tzinfo=PARIS).astimezone(UTC)
        judged = assess(bay(since=now - timedelta(hours=5)), zone=PARIS, now=now)
        assert (judged.state is not BayState.RULE_NOT_IN_FORCE) is in_force
    sunday = datetime(2026, 3, 15, 11, 0, tzinfo=PARIS).astimezone(UTC)
    judged = assess(bay(since=sunday - timedelta(hours=5)), zone=PARIS, now=sunday)
    assert judged.state is BayState.RULE_NOT_IN_FORCE
    assert judged.occupied is True
    assert judged.overstay_s is None


def test_who_came_before_the_hours_is_counted_from_their_start():
    now = datetime(2026, 3, 10, 7, 10, tzinfo=PARIS).astimezone(UTC)
    judged = assess(bay(since=now - timedelta(hours=9)), zone=PARIS, now=now)
    assert judged.state is BayState.WITHIN_LIMIT
    assert judged.remaining_s == 1200
    assert judged.counted_since == now - timedelta(minutes=10)


def test_a_limit_after_the_end_of_the_hours_is_none():
    now = datetime(2026, 3, 10, 19, 59, tzinfo=PARIS).astimezone(UTC)
    judged = assess(bay(since=now - timedelta(minutes=10)), zone=PARIS, now=now)
    assert judged.state is BayState.WITHIN_LIMIT
    assert judged.remaining_s is None


def test_a_night_rule_belongs_to_the_day_it_starts_on():
    for day, hour, in_force in (
        (14, 23, True),  # Saturday night
        (15, 3, True),  # Sunday, before dawn
        (15, 4, False),
        (14, 3, False),  # Saturday, before dawn: that night started on Friday
    ):
        now = datetime(2026, 3, day, hour, tzinfo=PARIS).astimezone(UTC)
        saturday_night = bay(days=(6,), hours=(time(22), time(4)), heard_at=now, occupied=False)
        judged = assess(saturday_night, zone=PARIS, now=now)
        assert (judged.state is BayState.FREE) is in_force


def test_a_rule_of_day_and_night_counts_over_midnight():
    now = datetime(2026, 3, 10, 0, 20, tzinfo=PARIS).astimezone(UTC)
    around_the_clock = bay(since=now - timedelta(minutes=40), days=ALL_DAYS, hours=(time(0), time(0)))
    judged = assess(around_the_clock, zone=PARIS, now=now)
    assert judged.state is BayState.OVER_LIMIT
    assert judged.overstay_s == 600


@pytest.mark.parametrize(
    ("noon", "real_hours"),
    [
        (datetime(2026, 3, 29, 12, tzinfo=PARIS), 23),  # clocks go forward at 2:00
        (datetime(2026, 10, 25, 12, tzinfo=PARIS), 25),  # and back at 3:00
        (datetime(2026, 3, 28, 12, tzinfo=PARIS), 24),
    ],
)
def test_a_day_lasts_as_long_as_it_really_does(noon: datetime, real_hours: int):
    window = window_in_force(
        enforced_days=(noon.isoweekday(),), enforced_from=time(0), enforced_until=time(0), zone=PARIS, now=noon
    )
    assert window is not None
    assert window.ends_at - window.starts_at == timedelta(hours=real_hours)


def test_a_stay_over_the_change_of_clocks_lasts_real_seconds():
    # 01:50 to 03:10 on the wall clock of the spring change is 20 minutes.
    since = datetime(2026, 3, 29, 1, 50, tzinfo=PARIS).astimezone(UTC)
    now = datetime(2026, 3, 29, 3, 10, tzinfo=PARIS).astimezone(UTC)
    judged = assess(bay(since=since, days=ALL_DAYS, hours=(time(0), time(0))), zone=PARIS, now=now)
    assert judged.state is BayState.WITHIN_LIMIT
    assert judged.remaining_s == 600
    # 02:50 to 02:10 of the autumn change, the second time round, is 20 minutes as well.
    since = datetime(2026, 10, 25, 2, 50, tzinfo=PARIS).astimezone(UTC)
    now = datetime(2026, 10, 25, 2, 10, tzinfo=PARIS, fold=1).astimezone(UTC)
    judged = assess(bay(since=since, days=ALL_DAYS, hours=(time(0), time(0))), zone=PARIS, now=now)
    assert judged.remaining_s == 600


moments = st.integers(1_735_689_600, 1_830_297_600).map(lambda second: datetime.fromtimestamp(second, UTC))  # 2025-2027
clock_times = st.times().map(lambda value: value.replace(second=0, microsecond=0, fold=0))
rules = st.fixed_dictionaries(
    {
        "days": st.sets(st.integers(1, 7)).map(lambda days: tuple(sorted(days))),
        "hours": st.tuples(clock_times, clock_times),
        "max_stay_s": st.integers(1, 86_400),
        "grace_s": st.integers(0, 3_600),
    }
)


@given(rule=rules, now=moments, silent_s=st.integers(1, 10**7), occupied=st.booleans())
def test_a_silent_sensor_is_never_free(rule: dict[str, object], now: datetime, silent_s: int, occupied: bool):  # noqa: FBT001
    heard_at = now - SENSOR_SILENT_AFTER - timedelta(seconds=silent_s)
    silent = bay(since=heard_at if occupied else None, heard_at=heard_at, occupied=occupied, **rule)  # type: ignore[arg-type]
    judged = assess(silent, zone=PARIS, now=now)
    assert judged.state in {BayState.UNKNOWN, BayState.RULE_NOT_IN_FORCE}
    assert judged.occupied is None
    assert judged.remaining_s is None
    assert judged.overstay_s is None


@given(rule=rules, now=moments, stay_s=st.integers(0, 100_000))
def test_the_figures_agree_with_the_state(rule: dict[str, object], now: datetime, stay_s: int):
    item = bay(since=now - timedelta(seconds=stay_s), **rule)  # type: ignore[arg-type]
    judged = assess(item, zone=PARIS, now=now)
    assert judged.occupied is True
    assert (judged.state is BayState.RULE_NOT_IN_FORCE) is (judged.window is None)
    if judged.window is not None:
        assert judged.window.starts_at <= now < judged.window.ends_at
    if judged.state is BayState.OVER_LIMIT:
        assert judged.overstay_s is not None
        assert item.grace_s <= judged.overstay_s <= stay_s - item.max_stay_s
        assert judged.remaining_s == 0
    else:
        assert judged.overstay_s is None
    if judged.remaining_s is not None:
        assert judged.remaining_s <= item.max_stay_s


@given(rule=rules, now=moments, later_s=st.integers(0, 600))
def test_time_alone_never_ends_an_overstay_within_the_hours(rule: dict[str, object], now: datetime, later_s: int):
    item = bay(since=now - timedelta(seconds=90_000), **rule)  # type: ignore[arg-type]
    before = assess(item, zone=PARIS, now=now)
    later = now + timedelta(seconds=later_s)
    after = assess(item, zone=PARIS, now=later)
    if before.state is BayState.OVER_LIMIT and before.window is not None and later < before.window.ends_at:
        assert after.state is BayState.OVER_LIMIT


def test_known_occupancy_is_what_was_last_heard():
    assert known_occupancy(heard_at=None, occupied=None, now=TUESDAY_11) is None
    assert known_occupancy(heard_at=TUESDAY_11 - SENSOR_SILENT_AFTER, occupied=False, now=TUESDAY_11) is False
