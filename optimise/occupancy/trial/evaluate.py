"""The whole trial: feeds that tell nothing left out, three horizons, at places that are known and that are not.

Pure, besides saying how far it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from optimise.fill.readings import Ints
from optimise.occupancy.trial.feeds import Stretch, find_dead
from optimise.occupancy.trial.field import Field, build_field
from optimise.occupancy.trial.learner import Answer, answer, together
from optimise.occupancy.trial.moments import LEARN, TEST, VALIDATE, ask
from optimise.occupancy.trial.scores import nothing, score
from optimise.occupancy.trial.seen import ask_seen
from optimise.occupancy.trial.table import Table
from optimise.occupancy.trial.unseen import LEAST_PLACES, Holding, answer_unseen, hold_out

HORIZONS_MIN = (15, 30, 60)
_LEAST_READINGS = 50
_LEAST_ASKED = {LEARN: 200, VALIDATE: 50, TEST: 50}


@dataclass(frozen=True, kw_only=True)
class TrialOptions:
    """How much is tried.

    `folds` of places, each held out once; `moments`: questions of each part of time and horizon; `unseen_moments`: of
    each fold; `places`: of more, so many are drawn; `rounds` of boosting.
    """

    folds: int = 5
    seed: int = 0
    moments: int = 30_000
    unseen_moments: int = 8_000
    places: int = 500
    rounds: int = 220

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if self.folds < 3:  # noqa: PLR2004 - one learns, one calibrates, one tests
            raise ValueError(f"expected folds >= 3, got {self.folds}")
        if min(self.moments, self.unseen_moments) < sum(_LEAST_ASKED.values()):
            raise ValueError(f"expected moments >= {sum(_LEAST_ASKED.values())}, got {self}")
        if self.places < LEAST_PLACES:
            raise ValueError(f"expected places >= {LEAST_PLACES}, got {self.places}")
        if self.rounds < 1:
            raise ValueError(f"expected rounds >= 1, got {self.rounds}")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What was found: the `document` for people's programs, and `why` for each score that could not be had."""

    document: dict[str, Any]
    why: dict[str, str]


def evaluate(
    table: Table, options: TrialOptions, *, time_zone: str, progress: Callable[[str], None] = lambda _: None
) -> Trial:
    """Try the forecast on what a file holds. The same seed gives the same figures."""
    progress("looking for frozen and silent feeds")
    dead, stretches = find_dead(table, time_zone=time_zone)
    places = _places(table, dead, options)
    if len(places):
        field = build_field(table, dead, places, time_zone=time_zone)
        horizons, unseen, why = _try(field, options, progress)
    else:
        reason = f"no place has {_LEAST_READINGS} readings that tell something"
        horizons, unseen = ({str(minutes): nothing() for minutes in HORIZONS_MIN} for _ in range(2))
        why = dict.fromkeys(("horizons", "unseen_places"), reason)
    document = {
        "places": len(table.names),
        "rows": len(table.at_s),
        "frozen": [_told(table, stretch) for stretch in stretches],
        "horizons": horizons,
        "unseen_places": unseen,
    }
    return Trial(document=document, why=why)


def _places(table: Table, dead: np.ndarray, options: TrialOptions) -> Ints:
    readings = np.bincount(table.place_row[~dead], minlength=len(table.names))
    places = np.flatnonzero(readings >= _LEAST_READINGS)
    if len(places) > options.places:
        places = np.sort(np.random.default_rng(options.seed).choice(places, options.places, replace=False))
    return places


def _told(table: Table, stretch: Stretch) -> dict[str, Any]:
    return {
        "place_id": table.names[stretch.place_row],
        "reason": stretch.reason,
        "from": datetime.fromtimestamp(stretch.from_s, UTC).isoformat(),
        "until": datetime.fromtimestamp(stretch.until_s, UTC).isoformat(),
        "rows": stretch.rows,
    }


def _try(
    field: Field, options: TrialOptions, progress: Callable[[str], None]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    horizons, unseen, why = {}, {}, {}
    holding = hold_out(len(field.names), folds=options.folds, seed=options.seed)
    for minutes in HORIZONS_MIN:
        name = str(minutes)
        progress(f"forecasting {minutes} minutes ahead")
        horizons[name], reason = _seen(field, minutes, options)
        if reason:
            why[f"horizons.{name}"] = reason
        progress(f"forecasting {minutes} minutes ahead at places held out")
        unseen[name], reason = _unseen(field, minutes, holding, options)
        if reason:
            why[f"unseen_places.{name}"] = reason
    return horizons, unseen, why


def _seen(field: Field, minutes: int, options: TrialOptions) -> tuple[dict[str, Any], str | None]:
    moments = ask(field, ahead_s=60 * minutes, most=options.moments, seed=options.seed)
    moments = moments.where(moments.last >= 0)
    asked = np.bincount(moments.part, minlength=3)
    if any(asked[part] < least for part, least in _LEAST_ASKED.items()):
        least = " / ".join(str(each) for each in _LEAST_ASKED.values())
        counts = " / ".join(str(int(each)) for each in asked)
        return nothing(), (
            f"too few readings follow another: {counts} to learn from, validate on and test on; it takes {least}"
        )
    questions = ask_seen(field, moments)
    learn, validate, test = (questions.where(moments.part == part) for part in (LEARN, VALIDATE, TEST))
    return score(test, answer(learn, validate, test, rounds=options.rounds, seed=options.seed)), None


def _unseen(field: Field, minutes: int, holding: Holding, options: TrialOptions) -> tuple[dict[str, Any], str | None]:
    if len(field.names) < LEAST_PLACES or holding.folds < 3:  # noqa: PLR2004 - one learns, one calibrates, one tests
        return nothing(), f"to hold out whole places takes {LEAST_PLACES} of them, there are {len(field.names)}"
    moments = ask(field, ahead_s=60 * minutes, most=options.moments, seed=options.seed)
    asked, answers = answer_unseen(
        field, moments, holding, most=options.unseen_moments, rounds=options.rounds, seed=options.seed
    )
    if not asked:
        return nothing(), "too few readings to learn from and to validate on"
    return score(together(asked), _all(answers)), None


def _all(answers: list[Answer]) -> Answer:
    return Answer(
        free=np.concatenate([each.free for each in answers]), chance=np.concatenate([each.chance for each in answers])
    )
