"""What runs said before, and how it held: the daily scores that drift is watched by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime

import numpy as np

from storage.database import Connection, fetch, statement
from storage.model import ForecastScore
from storage.told_table import Told


def told_of(connection: Connection, commune_insee: str, *, since: datetime, until: datetime, ahead_h: int) -> Told:
    """Return what runs said of moments in [since, until) that many (begun) hours ahead, by place and moment."""
    parameters = {"commune_insee": commune_insee, "since": since, "until": until, "ahead_h": ahead_h}
    rows = connection.execute(statement("forecasts", "told_of"), parameters).fetchall()
    return Told(
        place_id=np.array([row[0] for row in rows], dtype=object),
        valid_s=np.array([row[1] for row in rows], dtype=np.int64),
        as_of_s=np.array([row[2] for row in rows], dtype=np.int64),
        quantiles=np.array([row[3:8] for row in rows], dtype=np.float64).reshape(-1, 5),
        evidence=np.array([row[8] for row in rows], dtype=object),
    )


def save(connection: Connection, commune_insee: str, scores: Iterable[ForecastScore]) -> None:
    """Store the scores of a day, in place of those that were there."""
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("forecasts", "save_score"),
            [asdict(score) | {"commune_insee": commune_insee} for score in scores],
        )


def latest_day(connection: Connection, commune_insee: str) -> date | None:
    """Return the newest local day that was scored."""
    row = connection.execute(statement("forecasts", "latest_scored_day"), {"commune_insee": commune_insee}).fetchone()
    return None if row is None else row[0]


def since(connection: Connection, commune_insee: str, day: date) -> list[ForecastScore]:
    """Return the scores of `day` and later ones, the newest day first."""
    parameters = {"commune_insee": commune_insee, "since": day}
    return fetch(connection, ForecastScore, statement("forecasts", "scores"), parameters)
