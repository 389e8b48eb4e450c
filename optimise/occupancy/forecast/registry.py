"""Training as a job: how bays fill is learnt, tried beside the model that serves, and entered in the registry."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import numpy as np
import structlog

from optimise.fill.readings import Floats, Ints
from optimise.occupancy.forecast.history import History
from optimise.occupancy.forecast.learning import LearningOptions, Learnt, Questions, ask, learn, usual_of_past
from optimise.occupancy.forecast.loading import Town, load_history, load_town
from optimise.occupancy.forecast.model import Model
from optimise.occupancy.forecast.packing import PackedOccupancyError, pack_model, pack_usual, unpack_model
from optimise.occupancy.forecast.questions import Bays
from optimise.occupancy.forecast.usual import WEEK, Usual, coming_usual
from optimise.occupancy.trial.clock import DAY_S, local_s
from optimise.occupancy.trial.field import SLOTS
from storage import bay_forecasts, bay_models
from storage.database import Connection
from storage.model import ModelStatus, TrainedModel

log = structlog.get_logger()

METHOD = "bay-trees-1"
_LIBRARIES = ("numpy", "scikit-learn", "scipy")
_AT_ONCE = 500
_NOISE = 2.0
"""A model is worse when its loss is greater by so many standard errors."""
_LEAST_COMPARED = 300

type Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """`history_days` of readings teach (as far as they are kept), of at most `places` bays, whole stretches of them."""

    history_days: int = 28
    places: int = 400
    learning: LearningOptions = field(default_factory=LearningOptions)

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if self.history_days < 1 or self.places < 1:
            raise ValueError(f"expected history_days, places >= 1, got {self.history_days}, {self.places}")


def train_bays(
    connection: Connection,
    commune_insee: str,
    *,
    as_of: datetime,
    options: TrainingOptions | None = None,
    progress: Progress | None = None,
) -> TrainedModel:
    """Learn what is known before `as_of`; the model serves unless it is worse than the one that does.

    What is usual at each bay is learnt anew whatever becomes of the model. In the caller's transaction. Where there is
    too little to learn from, the registry says so, and what is simple answers. Raises NotFoundError for a commune that
    is not served.
    """
    if as_of.tzinfo is None:
        raise ValueError(f"expected as_of with a time zone, got {as_of.isoformat()}")
    started = time.monotonic()
    options = options or TrainingOptions()
    tell = progress or (lambda _stage, _share: None)
    town = load_town(connection, commune_insee, now=as_of)
    learn_usual(connection, town, as_of=as_of, options=options, progress=tell)
    rows = sample(town, most=options.places, seed=options.learning.seed)
    history, frozen = load_history(connection, town, rows.tolist(), until=as_of, days=options.history_days)
    bays = town.bays.where(rows)
    tell("loaded", 1.0)
    learnt = learn(history, bays, options.learning)
    tell("fitted", 1.0)
    compared: dict[str, Any] | None = None
    if isinstance(learnt, str):
        status, reason = ModelStatus.REFUSED, f"nothing was learnt: {learnt}; what is simple answers"
    else:
        status, reason, compared = _verdict(serving(connection, commune_insee), learnt, history, bays, options)
    tell("compared", 1.0)
    first_s = int(history.at_s.min()) if len(history.at_s) else int(as_of.timestamp())
    until_s = first_s if isinstance(learnt, str) else learnt.seen_until_s
    record = TrainedModel(
        commune_insee=commune_insee,
        model_id=uuid4(),
        method=METHOD,
        libraries={name: version(name) for name in _LIBRARIES},
        seed=options.learning.seed,
        as_of=as_of,
        made_at=datetime.now(UTC),
        trained_from=datetime.fromtimestamp(first_s, UTC),
        trained_until=datetime.fromtimestamp(until_s, UTC),
        training_s=time.monotonic() - started,
        saw={
            "bays": len(rows),
            "bays_with_sensor": len(np.unique(history.place_row)),
            "bays_of_the_commune": len(town.places),
            "readings": len(history.at_s),
        },
        scores={} if isinstance(learnt, str) else learnt.scores,
        data_quality={"frozen": frozen},
        compared=compared,
        status=status,
        reason=reason,
        status_since=as_of,
    )
    fitted = None
    if status is ModelStatus.IN_SERVICE and not isinstance(learnt, str):
        fitted = pack_model(learnt.model)
        bay_models.retire_serving(connection, commune_insee, reason=f"replaced by {record.model_id}", at=as_of)
    bay_models.save(connection, record, fitted=fitted)
    tell_of = log.info if status is ModelStatus.IN_SERVICE else log.warning
    tell_of("occupancy_model", commune=commune_insee, model=str(record.model_id), status=status.value, reason=reason)
    return record


def learn_usual(
    connection: Connection, town: Town, *, as_of: datetime, options: TrainingOptions, progress: Progress
) -> None:
    """Learn what is usual in the coming week at every bay, some hundred bays at once, and store it."""
    as_of_s = int(as_of.timestamp())
    today = int(local_s(np.array([as_of_s]), town.zone.key)[0] // DAY_S)
    share = np.full((len(town.places), WEEK * SLOTS), np.nan, dtype=np.float32)
    for start in range(0, len(town.places), _AT_ONCE):
        rows = range(start, min(start + _AT_ONCE, len(town.places)))
        history, _ = load_history(connection, town, rows, until=as_of, days=options.history_days)
        share[start : rows.stop] = coming_usual(history, first_day=today - options.history_days, today=today).share
        progress("usual", rows.stop / len(town.places))
    usual = Usual(share=share, first_day=today, time_zone=town.zone.key, repeats=True)
    place_ids = tuple(place.place_id for place in town.places)
    bay_forecasts.save_usual(connection, town.commune_insee, as_of=as_of, content=pack_usual(place_ids, usual))


def sample(town: Town, *, most: int, seed: int) -> Ints:
    """Return rows of bays that ever had a word from their sensor, by whole stretches, about `most` at most."""
    spoken = np.array([place.measured_at is not None for place in town.places], dtype=bool)
    order = np.random.default_rng(seed).permutation(len(town.stretches))
    rows: list[int] = []
    for number in order:
        members = town.stretches[number].members
        rows += members[spoken[members]].tolist()
        if len(rows) >= most:
            break
    return np.array(sorted(rows), dtype=np.int64)


def serving(connection: Connection, commune_insee: str) -> tuple[TrainedModel | None, Model]:
    """Return the model in service and what the registry says of it; None and what is simple where there is none."""
    record = bay_models.serving(connection, commune_insee)
    if record is None:
        return None, Model()
    content = bay_models.fitted(connection, commune_insee, record.model_id)
    assert content is not None  # the table's own rule
    try:
        return record, unpack_model(content)
    except PackedOccupancyError as error:
        log.warning("occupancy_model_unreadable", commune=commune_insee, model=str(record.model_id), error=str(error))
        return None, Model()


def _verdict(
    in_service: tuple[TrainedModel | None, Model],
    learnt: Learnt,
    history: History,
    bays: Bays,
    options: TrainingOptions,
) -> tuple[ModelStatus, str, dict[str, Any] | None]:
    before, model = in_service
    if before is None:
        return ModelStatus.IN_SERVICE, "no model before it served", None
    since_s = max(learnt.seen_until_s, int(before.trained_until.timestamp()))
    until_s = int(history.at_s.max())
    usual = usual_of_past(history)
    rng = np.random.default_rng(options.learning.seed + 1)
    if until_s - since_s < DAY_S // 4:
        return ModelStatus.IN_SERVICE, "too little was measured since to compare it with the model before it", None
    part = ask(history, bays, usual, since_s=since_s, until_s=until_s, rng=rng, options=options.learning)
    ours, theirs = (_losses(each, part, bays, history.time_zone) for each in (learnt.model, model))
    asked = np.isfinite(ours)
    if asked.sum() < _LEAST_COMPARED:
        return ModelStatus.IN_SERVICE, "too little was measured since to compare it with the model before it", None
    # Bays at one moment share what befalls the town: moments are what is independent.
    at_once = np.where(asked, ours - theirs, 0).sum(axis=1) / np.maximum(asked.sum(axis=1), 1)
    worse = float(np.mean((ours - theirs)[asked]))
    noise = _NOISE * float(np.std(at_once) / np.sqrt(len(at_once)))
    compared = {
        "n": int(asked.sum()),
        "brier": float(ours[asked].mean()),
        "brier_of_serving": float(theirs[asked].mean()),
        "worse": worse,
        "noise": noise,
    }
    figures = (
        f"Brier score {compared['brier']:.4f} against {compared['brier_of_serving']:.4f} on {compared['n']} questions"
        " that neither had seen"
    )
    if worse > noise:
        return ModelStatus.REFUSED, f"worse than {before.model_id}, which stays in service: {figures}", compared
    return ModelStatus.IN_SERVICE, f"not worse than {before.model_id} before it: {figures}", compared


def _losses(model: Model, part: Questions, bays: Bays, zone: str) -> Floats:
    chance = model.chance(part.known, bays, asked_s=part.asked_s, target_s=part.target_s, time_zone=zone)
    # What is not known, of either moment, is NaN in one of the two.
    found: Floats = (np.where(np.isnan(part.known.now), np.nan, chance) - part.free) ** 2
    return found
