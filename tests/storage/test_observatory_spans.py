"""Longer spans of the observatory's figures are sums of the shorter ones, whoever made, corrected or forgot them."""

from __future__ import annotations

from dataclasses import astuple, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from optimise.occupancy.observe import observation_is_due, observe
from storage import kerb_places, observatory, retention
from storage.database import Connection, connect, statement
from storage.model import KerbPlace, PlaceKind
from storage.observatory import summed
from storage.observatory_figures import By, Question, answer
from tests.storage.test_retention import OPTIONS
from tests.storage.town import INSEE, Town

SINCE, UNTIL = date(2025, 1, 7), date(2026, 3, 17)
NOW = datetime(2026, 3, 17, 2, tzinfo=UTC)
DAY = timedelta(days=1)
GROUPINGS = [
    (), (By.BAY,), (By.STREET,), (By.QUARTER,), (By.MONTH,), (By.HOUR,), (By.DAY_CLASS,), (By.BAY, By.MONTH),
    (By.BAY, By.QUARTER), (By.STREET, By.MONTH), (By.STREET, By.HOUR), (By.STREET, By.DAY_CLASS), (By.QUARTER, By.HOUR),
    (By.HOUR, By.DAY_CLASS), (By.HOUR, By.MONTH), (By.STREET, By.HOUR, By.DAY_CLASS), (By.STREET, By.HOUR, By.MONTH),
]  # fmt: skip
PERIODS = [
    (SINCE, UNTIL), (date(2025, 4, 1), date(2026, 1, 1)), (date(2025, 2, 3), date(2025, 10, 31)),
    (date(2025, 8, 12), date(2025, 8, 14)),
]  # fmt: skip
_FIGURES = (
    "awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays,"
    " overstay_s, wanted, refused, refused_var"
)


@pytest.fixture
def figures(town: Town) -> Connection:
    """A commune with figures of four bays and two spaces in two streets and two quarters, made without spans."""
    zones = [
        KerbPlace(place_id=name, kind=PlaceKind.ZONE, longitude_deg=2.5, latitude_deg=48.8) for name in ("EAST", "WEST")
    ]
    places = [
        KerbPlace(
            place_id=f"P{number}",
            kind=PlaceKind.DELIVERY_BAY if number < 4 else PlaceKind.PARKING_SPACE,
            longitude_deg=2.55,
            latitude_deg=48.84,
            street=f"Rue {number % 2}",
            part_of=("EAST", "WEST", None)[number % 3],
        )
        for number in range(6)
    ]
    connection = town.connection
    kerb_places.save(connection, INSEE, [*zones, *places])
    connection.execute(
        f"INSERT INTO kerb_day (commune_insee, day, place_id, {_FIGURES})"
        " SELECT %(insee)s, day::date, place_id, 86400, 80000 + n, 7 * n, n, n %% 9, n %% 5, 60 * (n %% 5),"
        # What nothing was seen of has no dwells, and spaces have nobody who found none.
        " CASE WHEN n %% 5 > 0 THEN ARRAY[0, n %% 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] END, n %% 5, n %% 3, n %% 700,"
        " CASE WHEN kind = 'delivery_bay' THEN n / 7.0 END, CASE WHEN kind = 'delivery_bay' THEN n / 70.0 END,"
        " CASE WHEN kind = 'delivery_bay' THEN n / 60.0 END"
        " FROM generate_series(%(since)s::timestamp, %(until)s::timestamp - INTERVAL '1 day', '1 day') AS day"
        " CROSS JOIN place CROSS JOIN LATERAL (SELECT abs(hashtext(place_id || day)) %% 5000 AS n) AS drawn"
        " WHERE place_id LIKE 'P_'",
        {"insee": INSEE, "since": SINCE, "until": UNTIL},
    )
    first = SINCE.replace(day=1)
    # Begins no month: it is asked where places are alone.
    observatory.begin_month(connection, INSEE, first=UNTIL, end=UNTIL)
    while first < UNTIL:
        end = (first + 32 * DAY).replace(day=1)
        for name in ("add_months", "add_street_days", "add_street_months"):
            connection.execute(summed(name), {"commune_insee": INSEE, "since": first, "until": end})
        connection.execute(
            f"INSERT INTO kerb_hour (commune_insee, month, hour, day_class, kind, street, quarter, {_FIGURES})"
            " SELECT commune_insee, month, hour, day_class, kind, street, quarter, awaited_s, known_s,"
            " occupied_s + hour, saturated_s, sessions + hour, dwells, dwell_s, dwell_counts, limited, overstays,"
            " overstay_s, wanted, refused, refused_var"
            " FROM kerb_street_month CROSS JOIN generate_series(0, 23) AS hour"
            " CROSS JOIN unnest(ARRAY['workday', 'saturday', 'sunday']) AS day_class WHERE month = %s",
            [first],
        )
        first = end
    connection.execute("INSERT INTO observatory (commune_insee, observed_until) VALUES (%s, %s)", [INSEE, UNTIL])
    connection.commit()
    return connection


def told(connection: Connection, **changes: Any) -> list[Any]:
    """Return what is answered of all periods and groupings, floats rounded: sums of floats depend on their order."""
    found = []
    for since, until in PERIODS:
        for by in GROUPINGS:
            if "place_ids" in changes and {By.HOUR, By.DAY_CLASS}.intersection(by):
                continue  # of single bays hours are not told
            lines = answer(connection, INSEE, Question(since=since, until=until, by=frozenset(by), **changes))
            found.append([(line.key, line.places, _rounded(astuple(line.sums))) for line in lines])
    return found


def _rounded(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(round(value, 6) if isinstance(value, float) else value for value in values)


def is_rolled_up(connection: Connection) -> bool:
    state = observatory.state(connection, INSEE)
    assert state is not None
    assert observation_is_due(now=NOW, time_zone="Europe/Paris", state=state) is not state.rolled_up
    return state.rolled_up


def roll_up(connection: Connection) -> None:
    # Nothing is known of that time but these figures: there is nothing else to be done.
    observe(connection, INSEE, now=NOW)
    assert is_rolled_up(connection)


def test_every_answer_is_the_same_with_spans_and_without(figures: Connection):
    changes: list[dict[str, Any]] = [
        {}, {"kind": PlaceKind.DELIVERY_BAY}, {"street": "Rue 1"}, {"quarter": "EAST"}, {"place_ids": ("P1", "P4")},
    ]  # fmt: skip
    assert not is_rolled_up(figures)
    without = [told(figures, **change) for change in changes]
    assert all(map(any, without))
    roll_up(figures)
    assert [told(figures, **change) for change in changes] == without


def test_a_year_is_told_by_spans_alone_but_for_its_ends(figures: Connection):
    roll_up(figures)
    period = {"since": date(2025, 2, 6), "until": date(2026, 2, 26)}
    questions = [
        Question(**period, by=frozenset(by))
        for by in ((By.BAY,), (By.HOUR,), (By.STREET, By.HOUR), (By.QUARTER, By.DAY_CLASS), (By.STREET, By.DAY_CLASS))
    ]
    before = [answer(figures, INSEE, question) for question in questions]
    figures.execute("DELETE FROM kerb_day WHERE day > '2025-01-07'")
    figures.execute("DELETE FROM kerb_hour")
    figures.execute("DELETE FROM kerb_month WHERE month >= '2025-04-01' AND month < '2026-01-01'")
    assert [answer(figures, INSEE, question) for question in questions] == before


def test_a_month_made_anew_is_in_its_spans(figures: Connection):
    roll_up(figures)
    before = told(figures)
    figures.execute("UPDATE kerb_day SET sessions = sessions + 1000 WHERE day = '2025-06-17' AND place_id = 'P1'")
    month = {"commune_insee": INSEE, "since": date(2025, 6, 1), "until": date(2025, 7, 1)}
    observatory.begin_month(figures, INSEE, first=UNTIL, end=UNTIL)
    for name in ("forget_months", "forget_street_days", "forget_street_months"):
        figures.execute(statement("observatory", name), month)
    for name in ("add_months", "add_street_days", "add_street_months"):
        figures.execute(summed(name), month)
    figures.execute(
        "UPDATE kerb_hour SET sessions = sessions + 1000 WHERE month = '2025-06-01' AND hour = 9"
        " AND day_class = 'workday' AND street = 'Rue 1' AND quarter = 'WEST'"
    )
    observatory.roll_up_month(figures, INSEE, first=date(2025, 6, 1))
    after = told(figures)
    assert after != before
    figures.execute("UPDATE observatory SET rolled_up_at = NULL")
    assert told(figures) == after


def test_figures_made_by_older_code_are_told_without_spans_until_these_are_made(figures: Connection):
    roll_up(figures)
    figures.execute("UPDATE kerb_day SET sessions = 0")
    for table in ("kerb_month", "kerb_hour", "kerb_street_day", "kerb_street_month"):
        figures.execute(f"UPDATE {table} SET sessions = 0")
    figures.execute("UPDATE observatory SET made_at = made_at + INTERVAL '1 day'")
    assert not is_rolled_up(figures)
    without = told(figures)
    assert {line[2][4] for lines in without for line in lines} == {0}
    roll_up(figures)
    assert told(figures) == without


def test_what_retention_leaves_is_told_whole(figures: Connection, any_database_url: str):
    roll_up(figures)
    figures.commit()
    with connect(any_database_url, autocommit=True) as connection:
        kept_days = (NOW.date() - date(2025, 5, 13)).days + 1
        retention.forget(connection, {INSEE: NOW}, wall_now=NOW, options=replace(OPTIONS, statistics_days=kept_days))
        assert connection.execute("SELECT min(day) FROM kerb_day").fetchone() == (date(2025, 5, 13),)
        assert is_rolled_up(connection)
        with_spans = told(connection)
        connection.execute("UPDATE observatory SET rolled_up_at = NULL")
        assert told(connection) == with_spans
