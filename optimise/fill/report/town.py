"""A town's model with the errors of its trials, and what follows from both. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships neither types nor stubs

from optimise.fill.backtest import HeldOut, Trial, hold_out_bins, hold_out_time
from optimise.fill.baselines import SENSORED, UNSENSORED
from optimise.fill.features import place_features
from optimise.fill.intervals import Spread, learn_spread
from optimise.fill.model import FillModel, fit_model
from optimise.fill.options import FillOptions
from optimise.fill.rates import posterior_covariance
from optimise.fill.readings import Floats
from optimise.fill.report.exposure import Exposure, exposure_of
from optimise.fill.report.placement import Advice, PlacementOptions, place_sensors
from optimise.fill.training import TrainingData

type Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """The model of a town, and forecasts of its past: of bins held out, and of bins from their own levels."""

    model: FillModel
    trial: Trial
    unsensored: HeldOut
    sensored: HeldOut


def study(
    data: TrainingData, *, seed: int, options: FillOptions | None = None, progress: Progress | None = None
) -> Study:
    """Fit the model and forecast the past as training does; the same seed gives the same."""
    options, report = options or FillOptions(), progress or (lambda _stage, _share: None)
    with threadpool_limits(1):
        report("fitting", 0.0)
        model = fit_model(data, seed=seed, options=options)
        trial = Trial(baselines=UNSENSORED, kernel=model.kernel, seed=seed, options=options)
        unsensored = hold_out_bins(data, trial, progress=report)
        sensored = hold_out_time(data, replace(trial, baselines=SENSORED))
        report("held_out_times", 1.0)
    return Study(model=model, trial=trial, unsensored=unsensored, sensored=sensored)


def advise(data: TrainingData, studied: Study, options: PlacementOptions) -> Advice:
    """Return where the next sensors of the town would lower the expected error most."""
    model = studied.model
    with threadpool_limits(1):
        return place_sensors(
            data.bins,
            covariance=posterior_covariance(data, place_features(data.bins), model.evidence, model.kernel),
            has_sensor=data.has_sensor,
            exposure=_exposure(data, studied, options),
            options=options,
        )


def expected_errors(data: TrainingData, studied: Study, options: PlacementOptions) -> Floats:
    """Return (bins,) the error to expect of each bin between two emptyings, in points of fill."""
    exposure = _exposure(data, studied, options)
    unsensed = exposure.unsensed_error(studied.model.rates.log_sd**2)
    return np.where(data.has_sensor, exposure.sensed_error(), unsensed)


def _exposure(data: TrainingData, studied: Study, options: PlacementOptions) -> Exposure:
    return exposure_of(
        data,
        studied.model,
        unmeasured=_law(studied.unsensored),
        measured=_law(studied.sensored),
        sensor_days=options.sensor_days,
    )


def _law(held: HeldOut) -> Spread:
    return learn_spread(expected=held.expected, terms=held.terms, actual=held.actual, bin_row=held.bin_row)
