"""The method in service, tried on the same bins and times as the pool: what training would have made of them. Pure.

It is trained on what was known before the test time, the held-out bins without their levels, and then asked for the
same moments: rate times paced hours since the last emptying, with the law of errors that its own training learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimise.fill.calendar import TownCalendar
from optimise.fill.describe import describe
from optimise.fill.evaluation import mean_absolute_error
from optimise.fill.forecast import PROBABILITIES, Forecaster, train
from optimise.fill.habits import habits_of
from optimise.fill.laws import Moments
from optimise.fill.model import FillModel, variance_terms
from optimise.fill.pace import activity, pace_of
from optimise.fill.readings import HOUR_S, Floats, Ints, ReadingOptions, Readings, on_hours
from optimise.fill.starts import known_emptyings, starts_of
from optimise.fill.towns.scores import luck
from optimise.fill.towns.setting import Setting, Tested
from optimise.fill.towns.town import Town
from optimise.fill.training import Emptyings, TrainingData
from storage.model import Bin

_KM_PER_DEG = 111.195
_SOME_VOLUME_L = 100.0
_HOURLY_GAP_H = 6.0
_SLACK = 1e-9
_DAY_S = 24 * HOUR_S


def served(setting: Setting, parts: Sequence[Tested], *, most_bin_hours: int) -> Floats | None:
    """Return (n, 3), p10, p50 and p90 of the method in service on the cases of `parts`.

    None in a town of more than `most_bin_hours`.
    """
    town = setting.town
    if town.bins * int(np.ptp(town.at_s)) // HOUR_S > most_bin_hours:
        return None
    result: Floats = np.minimum(np.concatenate([_forecast(setting, part) for part in parts]), 1.0)
    return result


def score_served(parts: Sequence[Tested], forecast: Floats) -> dict[str, Any]:
    """Return errors and coverage of what is `served` on the cases of `parts`."""
    actual = np.concatenate([part.actual for part in parts])
    low, median, high = forecast.T
    inside = (low - _SLACK <= actual) & (actual <= high + _SLACK)
    return {
        "mae": mean_absolute_error(actual, median),
        "coverage_80": float(inside.mean()),
        "coverage_80_error": luck(np.concatenate([part.bin_row for part in parts]), inside),
        "below_p10": float((actual < low - _SLACK).mean()),
        "above_p90": float((actual > high + _SLACK).mean()),
        "width_80": float((high - low).mean() * 100),
    }


def _forecast(setting: Setting, part: Tested) -> Floats:
    """Return (n, 3): p10, p50 and p90 of the cases of one part."""
    town = setting.town
    hidden = np.zeros(town.bins, dtype=bool)
    hidden[np.unique(part.bin_row)] = True
    hidden |= np.isin(setting.fold, np.unique(setting.fold[hidden]))
    data = in_service_data(town, hidden)
    forecaster = train(data.at(setting.cuts.test_s), seed=setting.seed)
    assert part.interval is not None  # cases of held-out bins are of one interval each
    moments = _moments(forecaster, data, part.bin_row, town.emptied_s[part.interval], part.at_s)
    quantiles = forecaster.unmeasured.quantiles(moments, PROBABILITIES)
    return quantiles[:, [PROBABILITIES.index(share) for share in (0.1, 0.5, 0.9)]]


def _moments(forecaster: Forecaster, data: TrainingData, row: Ints, since_s: Ints, at_s: Ints) -> Moments:
    """Return what is expected of bins `row` (n,) at `at_s`, emptied at `since_s`, by who is asked at `at_s` itself."""
    model = forecaster.model
    busy = activity(data, model.rhythm, np.exp(model.rates.log_rate), dispersion_l=model.noise.dispersion_l)
    pace = pace_of(data, model.rhythm, busy, rows=np.arange(len(data.bins)), ahead_h=1)
    paced_h, volume_l = pace.between(row, since_s, at_s), data.volume_l[row]
    gain, log_sd = np.exp(model.rates.log_rate[row]) * paced_h / volume_l, model.rates.log_sd[row]
    habits = habits_of(known_emptyings(data), len(data.bins))
    return Moments(
        expected=gain,
        terms=variance_terms(gain, paced_h, log_sd=log_sd, volume_l=volume_l, unknown=np.zeros(len(row), dtype=bool)),
        table=describe(
            habits=habits,
            last=habits.before(row, since_s),
            age_h=(at_s - since_s) / HOUR_S,
            log_sd=log_sd,
            expected_now=gain,
            expected_then=gain,
            town_now=_town_now(forecaster.model, data, row, at_s),
        ),
        group=forecaster.groups.of_bin[row],
    )


def _town_now(model: FillModel, data: TrainingData, row: Ints, at_s: Ints) -> Floats:
    """Return (n,) how much fuller the other bins with a sensor were than their rates say, as known that morning."""
    result = np.zeros(len(row))
    days, of_day = np.unique(at_s // _DAY_S, return_inverse=True)
    for index, day in enumerate(days):
        mine = of_day == index
        known = data.at(max(int(day) * _DAY_S, data.start_s))
        result[mine] = model.fuller_than_thought(known, starts_of(known, model.options))[row[mine]]
    return result


def in_service_data(town: Town, hidden: NDArray[np.bool_]) -> TrainingData:
    """Return the town as the service knows it: levels of bins that are not `hidden` (bins,), emptyings of all.

    Where sensors are too rare to show hours, or there are none, what emptyings found stands for what crews saw. Every
    emptying is told, as in a town that plans its rounds: a law that took long intervals for forgotten ones would be
    learnt from moments younger than those that are asked for.
    """
    options = ReadingOptions()
    use = ~hidden[town.bin_row] if not town.of_emptyings else np.zeros(len(town.bin_row), dtype=bool)
    readings = Readings(bin_row=town.bin_row[use], at_s=town.at_s[use], fill=town.fill[use])
    crews = town.of_emptyings or town.gap_h > _HOURLY_GAP_H
    found = np.where(hidden[town.emptied_row] | (not crews), np.nan, town.found)
    declared = Emptyings(bin_row=town.emptied_row, at_s=town.emptied_s, found=found)
    start_s = int(town.at_s.min()) // HOUR_S * HOUR_S
    as_of_s = int(town.at_s.max()) + HOUR_S
    nobody = np.zeros(0, np.int64)
    return TrainingData(
        bins=_bins(town),
        time_zone=town.time_zone,
        as_of_s=as_of_s,
        start_s=start_s,
        readings=readings,
        hourly=on_hours(
            readings,
            emptied_row=town.emptied_row,
            emptied_s=town.emptied_s,
            bins=town.bins,
            start_s=start_s,
            hours=(as_of_s - start_s) // HOUR_S,
            options=options,
        ),
        declared=declared,
        planned=True,
        calendar=TownCalendar(weather=town.weather),
        detected=Emptyings(bin_row=nobody, at_s=nobody, found=np.zeros(0)),
    )


def _bins(town: Town) -> tuple[Bin, ...]:
    where = np.nan_to_num(town.position_km) / _KM_PER_DEG
    volume = np.nan_to_num(town.volume_l, nan=_SOME_VOLUME_L)
    # The service takes logarithms of what it is told of a place: what was standardised is brought back to such numbers.
    told = np.expm1(town.features - town.features.min(axis=0, initial=0.0)) if town.features.size else town.features
    return tuple(
        Bin(
            commune_insee="00000",
            place_id=f"{row}",
            longitude_deg=float(where[row, 0]),
            latitude_deg=float(where[row, 1]),
            street=None,
            bin_kind=town.kinds[town.kind[row]],
            volume_l=float(volume[row]),
            surroundings={name: float(told[row, index]) for index, name in enumerate(town.feature_names)},
        )
        for row in range(town.bins)
    )
