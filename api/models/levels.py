"""Reviewed levels of a bin, and emptyings as sensors saw them beside what crews declared."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from api.models.common import Model, Moment
from storage.model import DeclaredCheck, DetectedEmptying, Quality, Verdict


class ReviewedLevelModel(Model):
    """One measurement with the verdict on it."""

    measured_at: Moment
    fill_fraction: float | None = Field(description="As measured; null when nothing was")
    quality: Quality
    reason: str | None = Field(description="Why it is not trusted, in French")
    filtered_fraction: float | None = Field(description="With the noise taken out; null where it is not trusted")
    filtered_sd: float | None = Field(description="Standard deviation of `filtered_fraction`")
    reviewed: bool = Field(description="False while intake's is the only judgement")


class SeenEmptyingModel(Model):
    """An emptying that a sensor saw between two readings."""

    place_id: str
    emptied_after: Moment
    emptied_before: Moment
    level_before: float
    level_after: float
    confidence: float = Field(description="0 to 1, by the sensor alone", examples=[0.98])
    event_id: UUID | None = Field(description="The crew's declaration of it; null: nobody declared it")
    declared_after_s: float | None = Field(
        description="How much later than the middle of the two readings it was declared, seconds"
    )

    @classmethod
    def of(cls, item: DetectedEmptying) -> SeenEmptyingModel:
        """Return `item` as the API says it."""
        return cls.model_validate({name: getattr(item, name) for name in cls.model_fields})


class DeclaredCheckModel(Model):
    """What the sensor says of a declared emptying."""

    event_id: UUID
    place_id: str
    happened_at: Moment
    verdict: Verdict = Field(
        description="`not_observable`: nothing trusted was measured around it, or the bin was as good as empty"
    )
    level_before: float | None
    level_after: float | None

    @classmethod
    def of(cls, item: DeclaredCheck) -> DeclaredCheckModel:
        """Return `item` as the API says it."""
        return cls.model_validate({name: getattr(item, name) for name in cls.model_fields})


class BinLevelsModel(Model):
    """A bin's measurements with their verdicts, and its emptyings as seen and as declared."""

    place_id: str
    since: Moment
    now: Moment
    levels: list[ReviewedLevelModel]
    seen: list[SeenEmptyingModel]
    declared: list[DeclaredCheckModel]


class EmptyingsModel(Model):
    """Emptyings of the commune as sensors saw them, against what crews declared."""

    since: Moment
    now: Moment
    seen: int = Field(description="Seen with a confidence of at least `confidence`")
    declared_seen: int = Field(description="Declared, and seen by the bin's sensor")
    declared_not_observable: int = Field(description="Declared where no sensor could tell")
    declared_not_seen: list[DeclaredCheckModel] = Field(description="Declared, but a working sensor saw no fall")
    seen_not_declared: list[SeenEmptyingModel] = Field(description="Seen, and nobody declared it")
