"""What is predicted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class FillForecast:
    """The predicted fill of one bin at one moment if nobody empties it before: quantiles of fill_fraction."""

    place_id: str
    valid_at: datetime
    p05: float
    p10: float
    p50: float
    p90: float
    p95: float
    probability_full: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ForecastRun:
    """One run of one model for one commune; `as_of` is the last moment whose data the run saw."""

    commune_insee: str
    run_id: UUID
    model_version: str
    as_of: datetime
    made_at: datetime
    trained_from: datetime
    trained_until: datetime
    scores: dict[str, Any] = field(default_factory=dict)
