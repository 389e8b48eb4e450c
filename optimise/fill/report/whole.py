"""All that the report says, put together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from optimise.fill.options import FillOptions
from optimise.fill.readings import Floats
from optimise.fill.report.by_bin import BinError, errors_by_bin, facts, reasons_of
from optimise.fill.report.calibration import Ahead, Group, Point, below_curve, by_ahead, by_group, full_curve, themes_of
from optimise.fill.report.drivers import Driver, drivers
from optimise.fill.report.examples import Example, examples
from optimise.fill.report.placement import Advice, PlacementOptions
from optimise.fill.report.rounds import RoundSense, round_sense
from optimise.fill.report.surprise import surprise
from optimise.fill.report.town import Progress, advise, expected_errors, study
from optimise.fill.report.tried import Tried, tried
from optimise.fill.slots import DAY_H
from optimise.fill.training import TrainingData

_LISTED = 10


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """What to work out, and with which seed; `with_drivers` takes as long as training six times."""

    seed: int = 0
    with_drivers: bool = True
    placement: PlacementOptions = field(default_factory=PlacementOptions)
    fill: FillOptions = field(default_factory=FillOptions)


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """What forecasts of one kind (with a sensor, or as if without) came to."""

    made: Tried
    below: Sequence[Point]
    full: Sequence[Point]
    ahead: Sequence[Ahead]
    groups: Sequence[Group]
    rounds: RoundSense | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """A town's report; parts are None, and lists empty, where too little was measured to hold anything out.

    `expected_error` (bins,): to expect of each bin between emptyings, in points, as it is now; `rate_per_day` (bins,):
    fill a day, as estimated; `surprise` (bins,): as in `surprise.surprise`. `worst` and `best` are bins with their
    reasons, farthest from the middle first.
    """

    data: TrainingData
    unsensored: Part | None
    sensored: Part | None
    errors: Sequence[BinError]
    worst: Sequence[BinError]
    best: Sequence[BinError]
    expected_error: Floats
    rate_per_day: Floats
    surprise: Floats
    facts: dict[str, Floats]
    examples: Sequence[Example]
    drivers: Sequence[Driver]
    advice: Advice


def make_report(
    data: TrainingData,
    options: ReportOptions,
    *,
    trials: tuple[Tried | None, Tried | None] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Work the report out from what is known; the same data and seed give the same.

    `trials`, of bins without and with a sensor, when they were made elsewhere; then nothing is withheld to see what the
    forecast is driven by, and no weeks are shown.
    """
    say = progress or (lambda _stage, _share: None)
    studied = study(data, seed=options.seed, options=options.fill, progress=say)
    known = facts(data, otherwise_interval_h=options.fill.prior_interval_h)
    if trials:  # of a file nobody knows which emptyings were declared
        known["undeclared_share"] = np.full(len(data.bins), np.nan)
    rate_per_day = np.exp(studied.model.rates.log_rate) * DAY_H / data.volume_l
    themes = themes_of(data.bins, hourly=data.hourly, rate_per_day=rate_per_day)
    made = trials or (tried(studied.unsensored), tried(studied.sensored))
    unsensored, sensored = (_part(one, themes) for one in made)
    errors = [] if unsensored is None else errors_by_bin(unsensored.made)
    # Shorter than twice ten, the same bin would be among the best and the worst.
    listed = min(_LISTED, len(errors) // 2)
    among = np.array([one.row for one in errors], dtype=np.float64)
    say("placing_sensors", 0.0)
    advice = advise(data, studied, options.placement)
    say("placing_sensors", 1.0)
    return Report(
        data=data,
        unsensored=unsensored,
        sensored=sensored,
        errors=errors,
        worst=[
            replace(one, reasons=reasons_of(one.row, known, among, worst=True))
            for one in reversed(errors[len(errors) - listed :])
        ],
        best=[replace(one, reasons=reasons_of(one.row, known, among, worst=False)) for one in errors[:listed]],
        expected_error=expected_errors(data, studied, options.placement),
        rate_per_day=rate_per_day,
        surprise=surprise(data, studied.model),
        facts=known,
        examples=[] if unsensored is None or trials else examples(data, unsensored.made, errors),
        drivers=(
            drivers(
                data,
                studied.trial,
                unsensored.made,
                None if sensored is None else sensored.made,
                progress=say,
            )
            if unsensored is not None and options.with_drivers and not trials
            else []
        ),
        advice=advice,
    )


def _part(made: Tried | None, themes: dict[str, Sequence[str | None]]) -> Part | None:
    if made is None:
        return None
    return Part(
        made=made,
        below=below_curve(made),
        full=full_curve(made),
        ahead=by_ahead(made) if made.ahead_h.any() else [],
        groups=by_group(made, themes),
        rounds=round_sense(made),
    )
