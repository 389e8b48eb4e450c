"""The weather of a commune's days, measured or foretold, as the town tells it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date

from storage import communes
from storage.database import Connection, fetch, statement
from storage.file_report import FileReport, take_in
from storage.model import DayWeather
from storage.weather_file import read_weather


def import_weather(connection: Connection, commune_insee: str, content: bytes, *, dry_run: bool = False) -> FileReport:
    """Take a CSV file of days in, all of it or nothing, in the caller's transaction; with `dry_run` write nothing.

    Raises NotFoundError when there is no such commune.
    """
    communes.one(connection, commune_insee)
    days, errors = read_weather(content)
    return take_in(connection, lambda: save(connection, commune_insee, days), errors=errors, dry_run=dry_run)


def save(connection: Connection, commune_insee: str, days: Iterable[DayWeather]) -> FileReport:
    """Store days in the caller's transaction; what was foretold of a day is corrected by what was measured."""
    query = statement("weather", "save")
    return FileReport.of_rows(
        connection.execute(query, asdict(day) | {"commune_insee": commune_insee}).fetchone() for day in days
    )


def every(connection: Connection, commune_insee: str, *, since: date = date.min) -> list[DayWeather]:
    """Return the days from `since` on, in order."""
    parameters = {"commune_insee": commune_insee, "since": since}
    return fetch(connection, DayWeather, statement("weather", "every"), parameters)
