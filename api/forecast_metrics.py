"""How forecasts hold, as Prometheus metrics: read from the database at each scrape, so every process says the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from storage.model import BayForecastScore, ForecastScore, TrainedModel

_BY_GROUP = {
    "error_points": ("mae_points", "Mean absolute error of the day's forecasts, points of fill"),
    "bias_points": ("bias_points", "By how much bins were fuller than foretold, points of fill"),
    "coverage_80": ("coverage_80", "How often the 80 % interval held, 0 to 1"),
    "coverage_90": ("coverage_90", "How often the 90 % interval held, 0 to 1"),
    "scored_levels": ("levels", "Levels that the day's forecasts were compared with"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchedForecast:
    """What is watched of one commune at its present `now`: `scores` of the newest day that was judged.

    `bays_as_of`, `bay_model`, `bay_model_refused`: the forecast of free places, and its model. `bay_scores` are of the
    newest day, too.
    """

    commune_insee: str
    now: datetime
    run_as_of: datetime | None
    serving: TrainedModel | None
    newest_refused: bool
    scores: tuple[ForecastScore, ...]
    bays_as_of: datetime | None = None
    bay_model: TrainedModel | None = None
    bay_model_refused: bool = False
    bay_scores: tuple[BayForecastScore, ...] = ()


class ForecastMetrics(Collector):
    """Gauges of each commune's forecasts."""

    def __init__(self, watched: Sequence[WatchedForecast]) -> None:
        self._watched = watched

    def describe(self) -> Iterable[Metric]:
        """Return nothing: `collect` is cheap."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield ages, verdicts, and yesterday's scores by group."""
        age = GaugeMetricFamily(
            "voirie_forecast_age_seconds", "Since the newest forecast's data", labels=["commune_insee"]
        )
        model_age = GaugeMetricFamily(
            "voirie_fill_model_age_seconds", "Since the model in service was trained", labels=["commune_insee"]
        )
        refused = GaugeMetricFamily(
            "voirie_fill_model_refused", "1 when the newest model was refused", labels=["commune_insee"]
        )
        bays_age = GaugeMetricFamily(
            "voirie_bay_forecast_age_seconds", "Since the data of the newest forecast of bays", labels=["commune_insee"]
        )
        bay_model_age = GaugeMetricFamily(
            "voirie_bay_model_age_seconds", "Since the occupancy model in service was trained", labels=["commune_insee"]
        )
        bay_model_refused = GaugeMetricFamily(
            "voirie_bay_model_refused", "1 when the newest occupancy model was refused", labels=["commune_insee"]
        )
        out = GaugeMetricFamily(
            "voirie_forecast_coverage_out_of_band",
            "Groups of bins in which yesterday's 80 % interval held too seldom or too often",
            labels=["commune_insee"],
        )
        by_group = {
            name: GaugeMetricFamily(f"voirie_forecast_{name}", text, labels=["commune_insee", "ahead_h", "bin_group"])
            for name, (_, text) in _BY_GROUP.items()
        }
        for one in self._watched:
            label = [one.commune_insee]
            if one.run_as_of is not None:
                age.add_metric(label, (one.now - one.run_as_of).total_seconds())
            if one.serving is not None:
                model_age.add_metric(label, (one.now - one.serving.as_of).total_seconds())
                refused.add_metric(label, float(one.newest_refused))
            if one.bays_as_of is not None:
                bays_age.add_metric(label, (one.now - one.bays_as_of).total_seconds())
            if one.bay_model is not None:
                bay_model_age.add_metric(label, (one.now - one.bay_model.as_of).total_seconds())
                bay_model_refused.add_metric(label, float(one.bay_model_refused))
            if one.scores:
                out.add_metric(label, float(sum(score.in_band is False for score in one.scores)))
            for score in one.scores:
                for name, (field, _) in _BY_GROUP.items():
                    value = getattr(score, field)
                    if value is not None:
                        by_group[name].add_metric([*label, str(score.ahead_h), score.bin_group], float(value))
        yield from (age, model_age, refused, bays_age, bay_model_age, bay_model_refused, out, *by_group.values())
        yield from held_of_bays(self._watched)


_OF_BAYS = {
    "brier": "Mean squared distance of the day's chances of bays from what came, 0 to 1",
    "brier_persistence": "The same of who says that all stays as it is",
    "mean_chance": "Mean chance of being free that was foretold, 0 to 1",
    "free_share": "Share of these bays that were free, 0 to 1",
    "calibration_error": "Mean distance of alike chances from how often it came, 0 to 1",
    "answers": "Chances that were compared with what a sensor then said",
}


def held_of_bays(watched: Sequence[WatchedForecast]) -> Iterator[Metric]:
    """Yield how the forecasts of bays held on the newest day that was judged."""
    out = GaugeMetricFamily(
        "voirie_bay_forecast_out_of_band",
        "Groups of bays of which yesterday more or fewer were free than foretold",
        labels=["commune_insee"],
    )
    by_group = {
        name: GaugeMetricFamily(f"voirie_bay_forecast_{name}", text, labels=["commune_insee", "ahead_min", "bay_group"])
        for name, text in _OF_BAYS.items()
    }
    for one in watched:
        if one.bay_scores:
            out.add_metric([one.commune_insee], float(sum(score.in_band is False for score in one.bay_scores)))
        for score in one.bay_scores:
            for name, family in by_group.items():
                value = getattr(score, name)
                if value is not None:
                    family.add_metric([one.commune_insee, str(score.ahead_min), score.bay_group], float(value))
    yield from (out, *by_group.values())
