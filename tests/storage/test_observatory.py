"""The observatory: true on days when clocks change, through outages, after forgetting and after late readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from optimise.occupancy.job import make_sessions
from optimise.occupancy.observe import observation_is_due, observe
from storage import kerb_places, observatory, readings, retention
from storage import observatory_answers as answers
from storage.database import Connection, connect
from storage.errors import InputError, NotFoundError
from storage.kerb.usage import UsageSums, usage_of
from storage.model import KerbPlace, OccupancyReading, PlaceKind
from storage.observatory_figures import By, Question, answer
from tests.storage.test_retention import OPTIONS
from tests.storage.town import INSEE, Town, batch, occupancy

PARIS = ZoneInfo("Europe/Paris")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

type Stays = Sequence[tuple[datetime, datetime]]


def local(year: int, month: int, day: int, hour: float = 0) -> datetime:
    minutes = round(60 * hour)
    return datetime(year, month, day, minutes // 60, minutes % 60, tzinfo=PARIS).astimezone(UTC)


def told(town: Town, since: datetime, until: datetime, stays: Stays, *, silent: Stays = ()) -> None:
    """Let the bay's sensor tell its state each half hour of [since, until), and each change of it, but for silences."""
    moments = {since + number * 30 * MINUTE for number in range(round((until - since) / (30 * MINUTE)) + 1)}
    moments |= {moment for stay in stays for moment in stay}
    said: list[OccupancyReading] = [
        occupancy(town.bay_device, moment, occupied=any(start <= moment < end for start, end in stays))
        for moment in sorted(moments)
        if not any(start <= moment < end for start, end in silent)
    ]
    readings.take_in(town.connection, batch(occupancy_readings=tuple(said)))
    make_sessions(town.connection, INSEE)
    town.connection.commit()


def days_of(connection: Connection) -> dict[date, UsageSums]:
    rows = connection.execute(
        "SELECT day, awaited_s, known_s, occupied_s, sessions, saturated_s FROM kerb_day WHERE place_id = 'ADL-01'"
    ).fetchall()
    return {
        day: UsageSums(awaited_s=awaited, known_s=known, occupied_s=occupied, sessions=sessions, saturated_s=saturated)
        for day, awaited, known, occupied, sessions, saturated in rows
    }


def ask(connection: Connection, since: date, until: date, *by: By, **changes: Any) -> list[Any]:
    return answer(connection, INSEE, Question(since=since, until=until, by=frozenset(by), **changes))


@pytest.mark.parametrize(
    ("change_day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)], ids=["spring", "autumn"]
)
def test_a_day_on_which_clocks_change_has_its_real_length(town: Town, change_day: date, hours: int):
    start = datetime.combine(change_day - DAY, datetime.min.time(), PARIS).astimezone(UTC)
    # Occupied from 1:30 to 4:00 by the clock on the wall: an hour and a half in spring, three and a half in autumn.
    stay = (local(*change_day.timetuple()[:3], 1.5), local(*change_day.timetuple()[:3], 4))
    told(town, start, start + 4 * DAY, [stay])
    observe(town.connection, INSEE, now=start + 4 * DAY)
    found = days_of(town.connection)
    assert found[change_day].awaited_s == found[change_day].known_s == 3600 * hours
    assert found[change_day - DAY].known_s == found[change_day + DAY].known_s == 86_400
    assert found[change_day].occupied_s == (stay[1] - stay[0]).total_seconds() == 3600 * (2.5 - 24 + hours)
    by_hour = {line.hour: line.sums for line in ask(town.connection, change_day, change_day + DAY, By.HOUR)}
    days = town.connection.execute("SELECT sum(known_s), sum(occupied_s) FROM kerb_day").fetchone()
    # The hour shown twice has the seconds of both, the one that is skipped none.
    assert days == (sum(one.known_s for one in by_hour.values()), sum(one.occupied_s for one in by_hour.values()))
    assert by_hour[2].known_s - by_hour[5].known_s == 3600 * (hours - 24)


def test_what_a_silent_sensor_does_not_tell_is_offline_and_never_empty(town: Town):
    start = local(2026, 4, 6)
    stays = [(start + day * DAY + 8 * HOUR, start + day * DAY + 20 * HOUR) for day in range(6)]
    silent = [(start + 2 * DAY + 9 * HOUR, start + 4 * DAY + 9 * HOUR)]
    told(town, start, start + 6 * DAY, stays, silent=silent)
    observe(town.connection, INSEE, now=start + 6 * DAY + 3 * HOUR)
    (all_days,) = ask(town.connection, date(2026, 4, 6), date(2026, 4, 12))
    usage = usage_of(all_days.sums)
    assert usage.offline_h == pytest.approx(48.5)  # from the last word before the silence
    # Half of each day it stands full: the days of silence change nothing of that.
    assert usage.occupied_share == pytest.approx(0.5, abs=0.03)
    assert days_of(town.connection)[date(2026, 4, 9)].known_s == 0
    assert usage_of(days_of(town.connection)[date(2026, 4, 9)]).occupied_share is None


def test_silence_is_judged_by_the_sensors_own_habit(town: Town):
    start = local(2026, 4, 6)
    told(town, start, start + 3 * DAY, [], silent=[(start + DAY + 6 * HOUR, start + DAY + 16 * HOUR)])
    observe(town.connection, INSEE, now=start + 3 * DAY + 3 * HOUR)
    assert days_of(town.connection)[date(2026, 4, 7)].known_s == 86_400  # ten hours are not long for a sensor unknown
    town.connection.execute(
        "INSERT INTO device_health (commune_insee, device_id, place_id, heard_at, silent_after_s)"
        " VALUES (%s, %s, 'ADL-01', %s, 7200)",
        [INSEE, town.bay_device, start],
    )
    observe(town.connection, INSEE, now=start + 3 * DAY + 3 * HOUR)
    assert days_of(town.connection)[date(2026, 4, 7)].known_s == 86_400 - 10.5 * 3600


def test_figures_survive_their_sessions_and_readings(town: Town, any_database_url: str):
    start = local(2026, 4, 20)
    stays = [(start + number * 3 * HOUR, start + number * 3 * HOUR + 50 * MINUTE) for number in range(8 * 16)]
    told(town, start, start + 16 * DAY, stays)
    observe(town.connection, INSEE, now=start + 16 * DAY + 3 * HOUR)
    town.connection.commit()
    questions = [
        Question(since=date(2026, 4, 20), until=date(2026, 5, 6), by=frozenset(by))
        for by in ((By.BAY, By.MONTH), (By.HOUR, By.DAY_CLASS), (By.STREET,))
    ]
    before = [answer(town.connection, INSEE, question) for question in questions]
    assert before[0][0].sums.sessions == 8 * 11
    town.connection.commit()
    with connect(any_database_url, autocommit=True) as connection:
        retention.forget(
            connection, {INSEE: start + 30 * DAY}, wall_now=start + 30 * DAY, options=replace(OPTIONS, sessions_days=10)
        )
        assert connection.execute("SELECT count(*) FROM occupancy_session").fetchone() == (0,)
        assert [answer(connection, INSEE, question) for question in questions] == before
        # Also when they are made again of what is left: the hourly figures.
        connection.execute("UPDATE observatory SET changed_since = '2026-04-01'")
        observe(connection, INSEE, now=start + 16 * DAY + 3 * HOUR)
        again = [answer(connection, INSEE, question) for question in questions]
        assert again == before


def test_sums_of_streets_are_those_of_their_bays(town: Town):
    start = local(2026, 4, 20)
    stays = [(start + number * 5 * HOUR, start + number * 5 * HOUR + 50 * MINUTE) for number in range(200)]
    told(town, start, start + 45 * DAY, stays)
    observe(town.connection, INSEE, now=start + 45 * DAY + 3 * HOUR)
    # Ends within months, a whole month, days of one month.
    for since, until in (
        (date(2026, 4, 22), date(2026, 6, 3)),
        (date(2026, 5, 1), date(2026, 6, 1)),
        (date(2026, 5, 7), date(2026, 5, 9)),
    ):
        bays = [line.sums for line in ask(town.connection, since, until, By.BAY)]
        streets = [line.sums for line in ask(town.connection, since, until, By.STREET, By.QUARTER)]
        months = [line.sums for line in ask(town.connection, since, until, By.MONTH)]
        assert sum(one.sessions for one in streets) == sum(one.sessions for one in bays) > 0
        assert sum(one.known_s for one in streets) == sum(one.known_s for one in bays) > 0
        assert sum(one.occupied_s for one in months) == sum(one.occupied_s for one in bays) > 0
        assert sum(one.wanted or 0 for one in streets) == pytest.approx(sum(one.wanted or 0 for one in bays))


def test_a_late_reading_changes_figures_of_long_ago(town: Town):
    start = local(2026, 3, 2)
    told(town, start, start + 20 * DAY, [], silent=[(start + 4 * DAY + 10 * HOUR, start + 4 * DAY + 12 * HOUR)])
    now = start + 20 * DAY + 3 * HOUR
    observe(town.connection, INSEE, now=now)
    state = observatory.state(town.connection, INSEE)
    assert not observation_is_due(now=now, time_zone="Europe/Paris", state=state)
    assert days_of(town.connection)[date(2026, 3, 6)].sessions == 0
    told(town, start, start, [(start + 4 * DAY + 10.5 * HOUR, start + 4 * DAY + 11 * HOUR)])
    state = observatory.state(town.connection, INSEE)
    assert observation_is_due(now=now, time_zone="Europe/Paris", state=state)
    observe(town.connection, INSEE, now=now)
    assert days_of(town.connection)[date(2026, 3, 6)].sessions == 1
    state = observatory.state(town.connection, INSEE)
    assert state == observatory.ObservatoryState(observed_until=date(2026, 3, 22), changed_since=None, rolled_up=True)


def test_any_period_is_the_sum_of_its_days(town: Town):
    start = local(2026, 1, 20)
    arrivals = [start + number * 5 * HOUR for number in range(330)]
    stays = [(arrival, arrival + (20 + number % 90) * MINUTE) for number, arrival in enumerate(arrivals)]
    told(town, start, start + 70 * DAY, stays)
    observe(town.connection, INSEE, now=start + 70 * DAY + 3 * HOUR)
    found = days_of(town.connection)
    for since, until in (
        (date(2026, 1, 20), date(2026, 3, 31)),
        (date(2026, 2, 1), date(2026, 3, 1)),
        (date(2026, 2, 3), date(2026, 2, 9)),
        (date(2026, 2, 25), date(2026, 3, 4)),
    ):
        (line,) = ask(town.connection, since, until, kind=PlaceKind.DELIVERY_BAY)
        inside = [one for day, one in found.items() if since <= day < until]
        for name in ("awaited_s", "known_s", "occupied_s", "sessions", "saturated_s"):
            assert getattr(line.sums, name) == sum(getattr(one, name) for one in inside), (since, until, name)
        assert sum(line.sums.dwell_counts) == line.sums.dwells
        assert line.places == 1


def test_groups_and_a_comparison(town: Town):
    zone = KerbPlace(place_id="CENTRE", kind=PlaceKind.ZONE, longitude_deg=2.55, latitude_deg=48.84)
    bay = KerbPlace(
        place_id="ADL-01", kind=PlaceKind.DELIVERY_BAY, longitude_deg=2.55, latitude_deg=48.84, street="Rue A",
        part_of="CENTRE", length_cm=1200,
    )  # fmt: skip
    kerb_places.save(town.connection, INSEE, [zone, bay])
    start = local(2026, 4, 6)
    told(town, start, start + 14 * DAY, [(start + day * DAY, start + day * DAY + 12 * HOUR) for day in range(7, 14)])
    observe(town.connection, INSEE, now=start + 14 * DAY + 3 * HOUR)
    first, end = answers.period(town.connection, INSEE, since=date(2026, 4, 13), until=None)
    assert end == date(2026, 4, 20)
    question = Question(since=first, until=end, by=answers.by_of("quarter, street"))
    told_of = answers.compared(town.connection, INSEE, question, answers.other_period("previous", question))
    document = answers.document(INSEE, told_of)
    (group,) = document["groups"]
    assert (group["quarter"], group["street"], group["places"]) == ("CENTRE", "Rue A", 1)
    assert group["occupied_share"] == 0.5
    assert group["compared"]["occupied_share"] == 0
    assert group["change"]["occupied_share"] == 0.5
    assert document["compared_with"] == {"from": "2026-04-06", "to": "2026-04-12"}
    head, row = answers.table(told_of)
    assert len(head) == len(row)
    assert row[head.index("change_occupied_share")] == 0.5


def test_questions_that_cannot_be_answered_are_refused(town: Town):
    with pytest.raises(NotFoundError, match="no figures yet"):
        answers.period(town.connection, INSEE, since=None, until=None)
    with pytest.raises(InputError, match="expected a day to end with"):
        Question(since=date(2026, 4, 1), until=date(2026, 4, 1))
    with pytest.raises(InputError, match="leave the bays out"):
        Question(since=date(2026, 4, 1), until=date(2026, 4, 2), by=frozenset({By.BAY, By.HOUR}))
    with pytest.raises(InputError, match="expected bay, street"):
        answers.by_of("bay,district")


def test_a_place_lies_in_the_smallest_zone_around_it_unless_it_is_part_of_one(town: Town):
    def square(half: float) -> dict[str, Any]:
        corners = [(2.55 + x * half, 48.84 + y * half) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))]
        return {"type": "Polygon", "coordinates": [corners]}

    def zone(name: str, geometry: dict[str, Any] | None) -> KerbPlace:
        return KerbPlace(
            place_id=name, kind=PlaceKind.ZONE, longitude_deg=2.5, latitude_deg=48.8, geometry=geometry
        )  # fmt: skip

    far = {"type": "MultiPolygon", "coordinates": [square(0.001)["coordinates"]]}
    far["coordinates"][0][0] = [(lon + 1, lat) for lon, lat in far["coordinates"][0][0]]
    bay = KerbPlace(
        place_id="ADL-02", kind=PlaceKind.DELIVERY_BAY, longitude_deg=2.55, latitude_deg=48.84, part_of="TOLD",
        length_cm=1200,
    )  # fmt: skip
    zones = [zone("WIDE", square(0.1)), zone("NARROW", square(0.01)), zone("FAR", far), zone("TOLD", None)]
    kerb_places.save(town.connection, INSEE, [*zones, bay])
    found = dict(town.connection.execute("SELECT place_id, quarter FROM kerb_quarter").fetchall())
    assert found == {"ADL-01": "NARROW", "ADL-02": "TOLD", "STA-0001": "NARROW"}
