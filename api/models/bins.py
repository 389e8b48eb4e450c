"""Bins: what was measured, declared and predicted, each in its own object."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.fill_source import FillSource, best_source
from api.models.common import Located, Model, Moment
from storage.model import BinNow, Emptying, FillForecast, ForecastRun, Quality


class MeasuredFill(Model):
    """What the bin's sensor last said that is trusted; what it last said at all while nothing it said is trusted."""

    measured_at: Moment = Field(description="When the sensor measured, by its own clock or the network's, UTC")
    fill_fraction: float | None = Field(
        description="0 empty to 1 full, above 1 overflowing; null when nothing could be measured", examples=[0.62]
    )
    quality: Quality = Field(description="Whether the reading measured something")
    battery_percent: float | None = Field(description="The sensor's battery, 0 to 100")


class FilteredFill(Model):
    """The last trusted level with the noise of its sensor taken out."""

    measured_at: Moment
    fill_fraction: float = Field(description="0 empty to 1 full", examples=[0.61])
    deviation: float = Field(description="Standard deviation of `fill_fraction`", examples=[0.01])


class NewestReading(Model):
    """The sensor's newest reading, trusted or not."""

    measured_at: Moment
    quality: Quality = Field(description="The verdict on it")
    reason: str | None = Field(description="Why it is not trusted, in French; null when intake alone judged it")


class PredictedFill(Model):
    """What the model says for `valid_at`, if nobody empties the bin before: quantiles of the fill fraction."""

    valid_at: Moment = Field(description="The moment that the prediction is for, UTC")
    fill_fraction_p10: float = Field(description="With 90 % probability the bin is at least this full", examples=[0.41])
    fill_fraction_p50: float = Field(description="Median", examples=[0.55])
    fill_fraction_p90: float = Field(description="With 90 % probability the bin is at most this full", examples=[0.73])
    probability_full: float = Field(description="Probability that the bin is full by then, 0 to 1", examples=[0.04])


class DeclaredEmptying(Model):
    """What crews last declared."""

    last_emptied_at: Moment = Field(description="When a crew last declared the bin emptied, UTC")


class BinModel(Located):
    """A bin now."""

    bin_kind: str = Field(description="Model of the bin", examples=["corbeille_80"])
    volume_l: float = Field(description="Litres", examples=[80.0])
    sector: str | None
    has_sensor: bool = Field(description="Whether a sensor is mounted now")
    measured: MeasuredFill | None
    filtered: FilteredFill | None = Field(description="Null before the first review of the bin's readings")
    newest: NewestReading | None
    declared: DeclaredEmptying | None
    predicted: PredictedFill | None
    best_source: FillSource = Field(
        description="Which of the three to look at: a fresh measurement, else a prediction made since the last "
        "emptying, else that emptying; `unknown` when there is none"
    )

    @classmethod
    def of(cls, item: BinNow, *, run: ForecastRun | None, now: datetime) -> BinModel:
        """Return `item` as the API says it."""
        measured = filtered = newest = declared = predicted = None
        if item.measured_at is not None and item.quality is not None:
            measured = MeasuredFill(
                measured_at=item.measured_at,
                fill_fraction=item.measured_fill_fraction,
                quality=item.quality,
                battery_percent=item.battery_percent,
            )
        if item.filtered_at is not None and item.filtered_fraction is not None and item.filtered_sd is not None:
            filtered = FilteredFill(
                measured_at=item.filtered_at, fill_fraction=item.filtered_fraction, deviation=item.filtered_sd
            )
        if item.newest_at is not None and item.newest_quality is not None:
            newest = NewestReading(measured_at=item.newest_at, quality=item.newest_quality, reason=item.newest_reason)
        if item.last_emptied_at is not None:
            declared = DeclaredEmptying(last_emptied_at=item.last_emptied_at)
        if (
            item.forecast_valid_at is not None
            and item.forecast_p10 is not None
            and item.forecast_p50 is not None
            and item.forecast_p90 is not None
            and item.probability_full is not None
        ):
            predicted = PredictedFill(
                valid_at=item.forecast_valid_at,
                fill_fraction_p10=item.forecast_p10,
                fill_fraction_p50=item.forecast_p50,
                fill_fraction_p90=item.forecast_p90,
                probability_full=item.probability_full,
            )
        return cls(
            place_id=item.place_id,
            longitude_deg=item.longitude_deg,
            latitude_deg=item.latitude_deg,
            street=item.street,
            bin_kind=item.bin_kind,
            volume_l=item.volume_l,
            sector=item.sector,
            has_sensor=item.has_sensor,
            measured=measured,
            filtered=filtered,
            newest=newest,
            declared=declared,
            predicted=predicted,
            best_source=best_source(item, run=run, now=now),
        )


class ForecastRunModel(Model):
    """The run of the model that the predictions are from."""

    run_id: UUID
    model_version: str
    as_of: Moment = Field(description="The last moment whose data the run saw, UTC")
    made_at: Moment


class BinsModel(Model):
    """Every bin of the commune, now."""

    now: Moment = Field(description="The commune's present, UTC")
    forecast_run: ForecastRunModel | None = Field(description="Null before the first forecast")
    bins: list[BinModel]


class MeasuredLevelModel(Model):
    """One measurement."""

    measured_at: Moment
    fill_fraction: float | None
    quality: Quality


class EmptyingModel(Model):
    """One declared emptying."""

    emptied_at: Moment
    found_fraction: float | None = Field(description="How full the crew said the bin was; null when they did not say")

    @classmethod
    def of(cls, emptying: Emptying) -> EmptyingModel:
        """Return `emptying` as the API says it."""
        return cls(emptied_at=emptying.emptied_at, found_fraction=emptying.found_fraction)


class ForecastPoint(Model):
    """The predicted fill at one moment, with its 80 % and 90 % bands."""

    valid_at: Moment
    p05: float
    p10: float
    p50: float
    p90: float
    p95: float
    probability_full: float

    @classmethod
    def of(cls, forecast: FillForecast) -> ForecastPoint:
        """Return `forecast` as the API says it."""
        return cls.model_validate({name: getattr(forecast, name) for name in cls.model_fields})


class BinHistoryModel(Model):
    """A bin's past as measured and declared, and its future as predicted from now on."""

    place_id: str
    since: Moment
    now: Moment
    measured: list[MeasuredLevelModel]
    declared: list[EmptyingModel]
    forecast_run: ForecastRunModel | None
    predicted: list[ForecastPoint]
