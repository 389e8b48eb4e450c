"""What forecasts of bays said, one each half hour until its day is judged, and how the days before held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import numpy as np

from storage.bay_sample import SAMPLED_MIN, BaySample
from storage.database import Connection, fetch, statement
from storage.model import BayForecastScore


def is_sampled(connection: Connection, commune_insee: str, *, since: datetime, until: datetime) -> bool:
    """Whether a forecast made of data until a moment in [since, until) is kept."""
    parameters = {"commune_insee": commune_insee, "since": since, "until": until}
    row = connection.execute(statement("bay_scores", "is_sampled"), parameters).fetchone()
    return bool(row and row[0])


def save_sample(connection: Connection, commune_insee: str, sample: BaySample) -> None:
    """Keep what a forecast said until its day is judged."""
    chances = {f"chance_{minutes}_min": row.tolist() for minutes, row in zip(SAMPLED_MIN, sample.chance, strict=True)}
    parameters: dict[str, Any] = {
        "commune_insee": commune_insee,
        "as_of": sample.as_of,
        "place_ids": sample.place_id.tolist(),
        "uses": sample.use.tolist(),
        "evidence": sample.evidence.tolist(),
        "occupied": [None if np.isnan(free) else free == 0 for free in sample.free.tolist()],
    }
    connection.execute(statement("bay_scores", "save_sample"), parameters | chances)


def samples(connection: Connection, commune_insee: str, *, since: datetime, until: datetime) -> list[BaySample]:
    """Return what is kept of forecasts made of data until moments in [since, until), in their order."""
    parameters = {"commune_insee": commune_insee, "since": since, "until": until}
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(statement("bay_scores", "samples"), parameters).fetchall()
    return [
        BaySample(
            as_of=as_of,
            place_id=np.array(place_ids, dtype=object),
            use=np.array(uses, dtype=object),
            evidence=np.array(evidence, dtype=object),
            free=np.array([np.nan if one is None else float(not one) for one in occupied]),
            chance=np.array(chances, dtype=np.float64),
        )
        for as_of, place_ids, uses, evidence, occupied, *chances in rows
    ]


def forget_samples(connection: Connection, commune_insee: str, *, before: datetime) -> None:
    """Forget what forecasts said that are judged."""
    connection.execute(statement("bay_scores", "forget_samples"), {"commune_insee": commune_insee, "before": before})


def save(connection: Connection, commune_insee: str, scores: Iterable[BayForecastScore]) -> None:
    """Store the scores of a day, in place of those that were there."""
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("bay_scores", "save"), [asdict(score) | {"commune_insee": commune_insee} for score in scores]
        )


def latest_day(connection: Connection, commune_insee: str) -> date | None:
    """Return the newest local day that was judged."""
    row = connection.execute(statement("bay_scores", "latest_day"), {"commune_insee": commune_insee}).fetchone()
    return None if row is None else row[0]


def of_latest_day(connection: Connection, commune_insee: str) -> list[BayForecastScore]:
    """Return the scores of the newest local day that was judged, none before the first."""
    day = latest_day(connection, commune_insee)
    if day is None:
        return []
    parameters = {"commune_insee": commune_insee, "day": day}
    return fetch(connection, BayForecastScore, statement("bay_scores", "of_day"), parameters)
