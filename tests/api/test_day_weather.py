"""The weather of days: all or nothing by file, and what was foretold is corrected by what was measured."""

from __future__ import annotations

from datetime import date

import pytest

from storage import weather
from storage.database import Connection
from storage.model import DayWeather
from tests.api.rows import INSEE

FILE = "day;temperature_c;rain_mm\n2026-03-04;7,5;0\n2026-03-05;;12.5\n"


def test_a_file_is_taken_whole_and_what_was_foretold_is_corrected(rows: Connection):
    assert weather.import_weather(rows, INSEE, FILE.encode(), dry_run=True).imported == 2
    assert weather.every(rows, INSEE) == []
    assert weather.import_weather(rows, INSEE, FILE.encode()).imported == 2
    again = weather.import_weather(rows, INSEE, FILE.replace("12.5", "3").encode())
    assert (again.imported, again.updated, again.unchanged) == (0, 1, 1)
    assert weather.every(rows, INSEE) == [
        DayWeather(day=date(2026, 3, 4), temperature_c=7.5, rain_mm=0.0),
        DayWeather(day=date(2026, 3, 5), rain_mm=3.0),
    ]
    assert [one.day.day for one in weather.every(rows, INSEE, since=date(2026, 3, 5))] == [5]


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("rain_mm\n3\n", 1, "expected a column day"),
        ("day,snow_cm\n2026-03-04,3\n", 1, "temperature_c, rain_mm or both"),
        ("day\n2026-03-04\n", 1, "temperature_c, rain_mm or both"),
        ("day,rain_mm\ntomorrow,3\n", 2, "expected a day like"),
        ("day,rain_mm\n2026-03-04,wet\n", 2, "expected a number"),
        ("day,rain_mm\n2026-03-04,-1\n", 2, "expected 0 <= rain_mm <= 1000"),
        ("day,temperature_c\n2026-03-04,99\n", 2, "expected -60 <= temperature_c <= 60"),
        ("day,temperature_c\n2026-03-04,nan\n", 2, "expected -60 <= temperature_c <= 60"),
        ("day,rain_mm\n2026-03-04,\n", 2, "expected temperature_c, rain_mm or both"),
        ("day,rain_mm\n2026-03-04,1\n2026-03-04,2\n", 3, "the same day as line 2"),
        ("day,rain_mm\n2026-03-04,1,2\n", 2, "expected 2 fields, got 3"),
    ],
)
def test_a_fault_is_told_by_its_line_and_nothing_is_taken(rows: Connection, content: str, line: int, says: str):
    (error,) = weather.import_weather(rows, INSEE, content.encode()).errors
    assert error.line == line
    assert says in error.reason
    assert weather.every(rows, INSEE) == []
