"""The registry of fill models."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from api.models.common import Model, Moment
from storage.model import ModelStatus, TrainedModel


class FillModelModel(Model):
    """A fill model: what it saw, how good it is, and whether forecasts are made with it."""

    model_id: UUID
    method: str = Field(examples=["paced-rates-3"])
    libraries: dict[str, str] = Field(description="Versions of the libraries that its numbers depend on")
    seed: int
    as_of: Moment = Field(description="The commune's present when it was trained, UTC")
    made_at: Moment = Field(description="The same by the server's clock, UTC")
    trained_from: Moment = Field(description="The first moment whose data it saw, UTC")
    trained_until: Moment = Field(description="The last: a day before `as_of`, on which it was then tried, UTC")
    training_s: float = Field(description="Seconds that training took")
    saw: dict[str, Any] = Field(description="Counts of bins, readings, emptyings and looks that it learnt from")
    scores: dict[str, Any] = Field(
        description="On bins (`unsensored`) and times (`sensored`) held out: `mae`, `pinball` and `width_80` in points "
        "of fill, `coverage_80` 0 to 1, and the same error of simple methods"
    )
    data_quality: dict[str, Any] = Field(description="Silent and frozen sensors, gaps, declared and detected emptyings")
    compared: dict[str, Any] | None = Field(
        description="It and the model then in service on the last day, which neither had seen; null: nothing to compare"
    )
    status: ModelStatus
    reason: str = Field(description="Why it has its status")
    status_since: Moment

    @classmethod
    def of(cls, model: TrainedModel) -> FillModelModel:
        """Return `model` as the API says it."""
        return cls.model_validate({name: getattr(model, name) for name in cls.model_fields})


class FillModelsModel(Model):
    """The newest models, the newest first."""

    models: list[FillModelModel]
