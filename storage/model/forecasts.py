"""What is predicted, and by which model."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Evidence(StrEnum):
    """What a bin's forecast starts from: a sensor that spoke lately, a known emptying or old level, or nothing."""

    SENSOR = "sensor"
    EMPTYING = "emptying"
    NOTHING = "nothing"


class ModelStatus(StrEnum):
    """Whether forecasts are made with a model; a refused one never served, a retired one was replaced."""

    IN_SERVICE = "in_service"
    REFUSED = "refused"
    RETIRED = "retired"


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
class FillByRounds:
    """The predicted fill of one bin by the usual hour of a day's rounds, if nobody empties it before.

    `probability_full`: the bin is full; `probability_overflow`: a tenth of its volume more than it holds was thrown in.
    """

    place_id: str
    service_date: date
    rounds_at: datetime
    p10: float
    p50: float
    p90: float
    probability_full: float
    probability_overflow: float


@dataclass(frozen=True, kw_only=True, slots=True)
class FullDate:
    """When one bin will be full if nobody empties it: with probability 1/2 by `full_at`, 1/10 and 9/10 by the others.

    None where that lies beyond `reaches_until`, the last moment that the run says anything of.
    """

    place_id: str
    evidence: Evidence
    full_early_at: datetime | None
    full_at: datetime | None
    full_late_at: datetime | None
    reaches_until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ForecastRun:
    """One run of one model for one commune; `as_of` is the last moment whose data the run saw.

    `model_id` is None for runs that trained a model of their own and kept it nowhere (before version 0.2).
    """

    commune_insee: str
    run_id: UUID
    model_version: str
    as_of: datetime
    made_at: datetime
    trained_from: datetime
    trained_until: datetime
    scores: dict[str, Any] = field(default_factory=dict)
    model_id: UUID | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedModel:
    """What the registry says of one fill model; the fitted numbers themselves are apart.

    `as_of`: the commune's moment of training; the model saw data in [`trained_from`, `trained_until`]. `saw` counts
    what it learnt from, `scores` are on bins and times held out, `compared` how it did beside the one in service before
    (None: there was nothing to compare), `reason` why it has its `status`.
    """

    commune_insee: str
    model_id: UUID
    method: str
    libraries: dict[str, str]
    seed: int
    as_of: datetime
    made_at: datetime
    trained_from: datetime
    trained_until: datetime
    training_s: float
    saw: dict[str, Any]
    scores: dict[str, Any]
    data_quality: dict[str, Any]
    compared: dict[str, Any] | None
    status: ModelStatus
    reason: str
    status_since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ForecastScore:
    """How forecasts of one local day, made `ahead_h` hours before, held in a group of bins.

    `levels` of `bins` bins were compared, those before the bin's next emptying; errors and widths in points of fill,
    `bias_points` positive when bins were fuller than foretold. `in_band`: whether the 80 % interval held as often as it
    should, None where too few bins or no measurements tell. All None on a day without anything to compare.
    """

    day: date
    ahead_h: int
    bin_group: str
    levels: int
    bins: int
    mae_points: float | None = None
    bias_points: float | None = None
    coverage_80: float | None = None
    coverage_90: float | None = None
    width_80_points: float | None = None
    in_band: bool | None = None
