"""Training as a job: a model is learnt, tried beside the one that serves, and entered in the registry either way."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import numpy as np
import structlog

from optimise.fill.data_quality import data_quality
from optimise.fill.forecast import Forecaster, Progress, train
from optimise.fill.loading import load
from optimise.fill.options import FillOptions
from optimise.fill.packing import Packed, PackedModelError, pack, unpack
from optimise.fill.training import TrainingData
from optimise.fill.trial import Comparison, compare, cut_of
from storage import fill_models
from storage.database import Connection
from storage.model import ModelStatus, TrainedModel

log = structlog.get_logger()

METHOD = "paced-rates-3"
_LIBRARIES = ("numpy", "scikit-learn", "scipy")


@dataclass(frozen=True, kw_only=True, eq=False)
class Serving:
    """The model in service: what the registry says of it, and the forecaster itself."""

    record: TrainedModel
    forecaster: Forecaster


def train_commune(
    connection: Connection,
    commune_insee: str,
    *,
    as_of: datetime,
    seed: int = 0,
    progress: Progress | None = None,
    options: FillOptions | None = None,
    data: TrainingData | None = None,
) -> TrainedModel:
    """Train on what is known before `as_of`, and put the model in service unless it is worse than the one that serves.

    In the caller's transaction, which the caller commits. `data`, when it is loaded already, is what is known.
    `progress` is told (stage, share 0..1). Raises NotFoundError for a commune that is not served.
    """
    if as_of.tzinfo is None:
        raise ValueError(f"expected as_of with a time zone, got {as_of.isoformat()}")
    started = time.monotonic()
    options = options or FillOptions()
    if data is None:
        data = load(connection, commune_insee, as_of=as_of, options=options)
    if progress:
        progress("loaded", 1.0)
    cut_s = cut_of(data)
    known = data.at(cut_s)
    forecaster = train(known, seed=seed, options=options, progress=progress)
    before, why_none = serving_for(connection, commune_insee, data)
    compared = _compared(forecaster, before, data, cut_s=cut_s, seed=seed)
    if progress:
        progress("compared", 1.0)
    status, reason = _verdict(compared, before, why_none)
    made_at = datetime.now(UTC)
    record = TrainedModel(
        commune_insee=commune_insee,
        model_id=uuid4(),
        method=METHOD,
        libraries=libraries(),
        seed=seed,
        as_of=as_of,
        made_at=made_at,
        trained_from=datetime.fromtimestamp(known.start_s, UTC),
        trained_until=datetime.fromtimestamp(known.as_of_s, UTC),
        training_s=time.monotonic() - started,
        saw=counts(known),
        scores=forecaster.scores,
        data_quality=data_quality(data, options),
        compared=None if compared is None else compared.document(),
        status=status,
        reason=reason,
        status_since=as_of,
    )
    fitted = None
    if status is ModelStatus.IN_SERVICE:
        fitted = pack(Packed(place_ids=tuple(item.place_id for item in data.bins), forecaster=forecaster))
        fill_models.retire_serving(connection, commune_insee, reason=f"replaced by {record.model_id}", at=as_of)
    fill_models.save(connection, record, fitted=fitted)
    _tell(record)
    return record


def serving_for(connection: Connection, commune_insee: str, data: TrainingData) -> tuple[Serving | None, str]:
    """Return the model in service if it can forecast `data`'s bins; else None and why there is none, in words."""
    record = fill_models.serving(connection, commune_insee)
    if record is None:
        return None, "the first model of the commune"
    content = fill_models.fitted(connection, commune_insee, record.model_id)
    assert content is not None  # the table's own rule
    try:
        packed = unpack(content)
    except PackedModelError as error:
        return None, f"the model before it was stored by another version: {error}"
    here = tuple(item.place_id for item in data.bins)
    if packed.place_ids != here:
        strange = len(set(here) ^ set(packed.place_ids))
        return None, f"the model before it knew other bins: {strange} came or went"
    return Serving(record=record, forecaster=packed.forecaster), ""


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that a model's numbers depend on."""
    return {name: version(name) for name in _LIBRARIES}


def model_version(record: TrainedModel) -> str:
    """Return the method's name with the versions of the libraries that the model's numbers depend on."""
    return f"{record.method} ({', '.join(f'{name} {number}' for name, number in record.libraries.items())})"


def counts(data: TrainingData) -> dict[str, Any]:
    """Return how much is known of what."""
    return {
        "bins": len(data.bins),
        "bins_with_sensor": int(data.has_sensor.sum()),
        "readings": len(data.readings),
        "emptyings_declared": len(data.declared),
        "emptyings_detected": len(data.detected),
        "looks_of_crews": int(np.isfinite(data.declared.found).sum()),
    }


def _compared(
    forecaster: Forecaster, before: Serving | None, data: TrainingData, *, cut_s: int, seed: int
) -> Comparison | None:
    if before is None:
        return None
    since_s = max(cut_s, int(before.record.trained_until.timestamp()))
    # On the grid of whole hours, where levels stand.
    since_s = data.start_s - (data.start_s - since_s) // 3600 * 3600
    return compare(forecaster, before.forecaster, data, since_s=since_s, seed=seed)


def _verdict(compared: Comparison | None, before: Serving | None, why_none: str) -> tuple[ModelStatus, str]:
    if before is None:
        return ModelStatus.IN_SERVICE, why_none
    if compared is None:
        return ModelStatus.IN_SERVICE, "too little was measured since the one before was trained to compare the two"
    figures = (
        f"pinball loss {compared.candidate.pinball:.2f} against {compared.serving.pinball:.2f} points on "
        f"{compared.rows} levels of {compared.bins} bins that neither had seen: {compared.worse_points:+.2f} "
        f"± {compared.noise_points:.2f} a bin"
    )
    if compared.is_worse:
        return ModelStatus.REFUSED, f"worse than {before.record.model_id}, which stays in service: {figures}"
    return ModelStatus.IN_SERVICE, f"not worse than {before.record.model_id} before it: {figures}"


def _tell(record: TrainedModel) -> None:
    unsensored = record.scores.get("unsensored") or {}
    fields: dict[str, Any] = {
        "commune_insee": record.commune_insee,
        "model_id": str(record.model_id),
        "reason": record.reason,
        "mae_unsensored": unsensored.get("mae"),
        "coverage_80_unsensored": unsensored.get("coverage_80"),
        "seconds": round(record.training_s, 2),
    }
    if record.status is ModelStatus.REFUSED:
        log.warning("fill_model_refused", **fields)
    else:
        log.info("fill_model_in_service", **fields)
