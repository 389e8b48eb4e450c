"""Forecasts of fill: by the hour, by the days' rounds, the date of full. Always predicted, never measured."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from api.models.bins import ForecastPoint
from api.models.common import Model, Moment
from storage.model import Evidence, FillByRounds, ForecastRun, FullDate

_P10 = Field(description="With 90 % probability the bin is at least this full; 0 empty to 1 full", examples=[0.41])
_P50 = Field(description="Median of the fill fraction", examples=[0.55])
_P90 = Field(description="With 90 % probability the bin is at most this full", examples=[0.73])
_FULL = Field(description="Probability that the bin is full by then, 0 to 1", examples=[0.04])


class RunModel(Model):
    """The run that the predictions are from, and what its model knew."""

    run_id: UUID
    model_id: UUID | None = Field(description="The fill model (see `/fill-models`); null for runs of earlier versions")
    model_version: str
    as_of: Moment = Field(description="The last moment whose data the run saw, UTC")
    trained_from: Moment = Field(description="The first moment whose data the model saw, UTC")
    trained_until: Moment = Field(description="The last moment whose data the model saw, UTC")

    @classmethod
    def of(cls, run: ForecastRun) -> RunModel:
        """Return `run` as the API says it."""
        return cls.model_validate({name: getattr(run, name) for name in cls.model_fields})


class FullDateModel(Model):
    """When the bin will be full if nobody empties it; null where that lies beyond `reaches_until`."""

    full_early_at: Moment | None = Field(description="Full by then with probability 1/10, UTC")
    full_at: Moment | None = Field(description="Full by then with probability 1/2, UTC")
    full_late_at: Moment | None = Field(description="Full by then with probability 9/10, UTC")
    reaches_until: Moment = Field(description="The last moment that the run says anything of, UTC")

    @classmethod
    def of(cls, found: FullDate) -> FullDateModel:
        """Return `found` as the API says it."""
        return cls.model_validate({name: getattr(found, name) for name in cls.model_fields})


class BinForecastModel(Model):
    """What is predicted of one bin for one hour, and when it will be full."""

    place_id: str
    evidence: Evidence = Field(
        description="What the forecast starts from: a sensor that spoke lately, an emptying (or old level), nothing"
    )
    predicted: ForecastPoint | None = Field(description="Null where the run keeps that hour no more")
    full: FullDateModel


class ForecastsModel(Model):
    """A page of bins, by place."""

    run: RunModel | None = Field(description="Null before the first forecast")
    valid_at: Moment | None = Field(description="The whole hour that `predicted` is for, UTC")
    bins: list[BinForecastModel]
    next: str | None = Field(description="The next page's `after`; null on the last page")


class ByRoundsModel(Model):
    """What is predicted of a bin by the usual hour of a day's rounds, if nobody empties it before."""

    service_date: date = Field(description="The local day")
    rounds_at: Moment = Field(description="The middle of the day's shifts, UTC")
    p10: float = _P10
    p50: float = _P50
    p90: float = _P90
    probability_full: float = _FULL
    probability_overflow: float = Field(
        description="Probability that a tenth of its volume more than it holds was thrown in by then", examples=[0.01]
    )

    @classmethod
    def of(cls, found: FillByRounds) -> ByRoundsModel:
        """Return `found` as the API says it."""
        return cls.model_validate({name: getattr(found, name) for name in cls.model_fields})


class BinRoundsModel(Model):
    """One bin by the rounds of each day ahead."""

    place_id: str
    evidence: Evidence
    full: FullDateModel
    days: list[ByRoundsModel]


class RoundsForecastModel(Model):
    """A page of bins, by place, each by the rounds of each day ahead."""

    run: RunModel | None = Field(description="Null before the first forecast")
    bins: list[BinRoundsModel]
    next: str | None = Field(description="The next page's `after`; null on the last page")


class ForecastScoreModel(Model):
    """How forecasts of a day, made so many hours before, held in a group of bins."""

    day: date = Field(description="The local day")
    ahead_h: int = Field(description="Hours ahead", examples=[24])
    bin_group: str = Field(examples=["all", "evidence:sensor", "kind:corbeille_80", "crews"])
    levels: int = Field(description="Levels that were compared, those before the bin's next emptying")
    bins: int
    mae_points: float | None = Field(description="Mean absolute error of the median, points of fill")
    bias_points: float | None = Field(description="By how much bins were fuller than the median, points of fill")
    coverage_80: float | None = Field(description="How often the 80 % interval held, 0 to 1")
    coverage_90: float | None = Field(description="How often the 90 % interval held, 0 to 1")
    width_80_points: float | None = Field(description="Mean width of the 80 % interval, points of fill")
    in_band: bool | None = Field(description="Whether the 80 % interval held as often as it should; null: cannot tell")


class ForecastScoresModel(Model):
    """Scores by day, the newest first."""

    scores: list[ForecastScoreModel]


class BinSeriesModel(Model):
    """All that the newest run says of one bin."""

    place_id: str
    run: RunModel | None = Field(description="Null before the first forecast")
    evidence: Evidence | None
    full: FullDateModel | None = Field(description="Null when no run knows the bin")
    days: list[ByRoundsModel]
    hours: list[ForecastPoint] = Field(description="Every whole hour ahead of the run's data, at most a week of them")
