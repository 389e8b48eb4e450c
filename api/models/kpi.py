"""What rounds came to."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from api.models.common import Model
from storage.model import FormerRound, Kpi, KpiBy

_DIGITS = 4


class PlannedModel(Model):
    """What was planned, on the days that have a plan."""

    days: int = Field(description="Days with a published plan")
    km: float | None
    hours: float | None = Field(description="From leaving to coming back, without the break")
    bins: int | None
    fill_fraction: float | None = Field(description="Mean expected fill of the bins to empty")
    overflows: float | None = Field(description="Bins expected to be full when served, or before the next chance")
    co2_kg: float | None


class DoneModel(Model):
    """What was declared, and what sensors measured beside it."""

    days: int = Field(description="Days on which anything was declared")
    km: float | None = Field(description="Of the planned way up to the last declared stop of each round, and home")
    hours: float | None = Field(
        description="Between the declarations of each round, with its planned ways there and home"
    )
    told_km: float | None = Field(description="As the vehicles' positions told it; null where none did, and by sector")
    bridged_km: float | None = Field(description="Of these: straight lines over silences of two minutes and more")
    bins: int | None = Field(description="Bins declared as emptied")
    bins_off_plan: int | None = Field(description="Of these: not on that day's plan")
    bins_seen_only: int | None = Field(description="Emptyings that a sensor saw and nobody declared")
    fill_declared_fraction: float | None = Field(description="Mean fill at emptying, as crews said it")
    fill_measured_fraction: float | None = Field(description="Mean fill at emptying, as sensors measured it")
    overflows_declared: int | None = Field(description="Bins told or found to be overflowing, once a day")
    overflows_measured: int | None = Field(description="Bins that a sensor saw full, once a day")
    bins_measured: int = Field(description="Days of bins that had a measurement: what overflows_measured is out of")
    co2_kg: float | None


class FormerModel(Model):
    """What the town's former rounds would have driven on these days; null while none are known."""

    km: float | None
    hours: float | None
    bins: int | None
    co2_kg: float | None


class ComparedModel(Model):
    """Done against former, over the days alone on which both are known."""

    days: int
    done_km: float | None
    former_km: float | None
    km_saved_fraction: float | None = Field(description="1 - done_km / former_km")


class KpiModel(Model):
    """The figures of a day, a sector or a month."""

    key: str = Field(description="2026-03-10, a sector's name (empty: bins without one), or 2026-03")
    days: int
    planned: PlannedModel
    done: DoneModel
    former: FormerModel
    compared: ComparedModel

    @classmethod
    def of(cls, kpi: Kpi) -> KpiModel:
        """Return figures as the API says them."""
        return cls(
            key=kpi.key,
            days=kpi.days,
            planned=PlannedModel(**_part(kpi, "planned_", PlannedModel)),
            done=DoneModel(**_part(kpi, "done_", DoneModel)),
            former=FormerModel(**_part(kpi, "former_", FormerModel)),
            compared=ComparedModel(
                **_part(kpi, "compared_", ComparedModel, without="km_saved_fraction"), km_saved_fraction=saved(kpi)
            ),
        )


def _part(kpi: Kpi, prefix: str, kind: type[Model], *, without: str = "") -> dict[str, Any]:
    return {name: _told(getattr(kpi, prefix + name)) for name in kind.model_fields if name != without}


def _told(figure: float | None) -> float | None:
    """Return a figure without the digits that only sums of fractions have."""
    return round(figure, _DIGITS) if isinstance(figure, float) else figure


def saved(kpi: Kpi) -> float | None:
    """Return the share of the former kilometres that is not driven any more, None where nothing can be compared."""
    if kpi.compared_done_km is None or not kpi.compared_former_km:
        return None
    return round(1 - kpi.compared_done_km / kpi.compared_former_km, _DIGITS)


class KpisModel(Model):
    """Figures of rounds over some days."""

    first: date = Field(description="Local day, included")
    last: date = Field(description="Local day, included")
    by: KpiBy
    co2_kg_per_km: float
    kpis: list[KpiModel]


class FormerRoundModel(Model):
    """What the town drove in a sector on a weekday."""

    sector: str
    weekday: int = Field(description="ISO: 1 is Monday")
    km: float
    hours: float
    bins: int | None
    computed: bool = Field(description="Computed from the calendar by our own engine rather than told")
    source: str = Field(description="What computed ones were measured on: osrm:FILE, or great_circle x FACTOR")


class FormerRoundsModel(Model):
    """The town's former rounds."""

    rounds: list[FormerRoundModel]

    @classmethod
    def of(cls, rounds: list[FormerRound]) -> FormerRoundsModel:
        """Return rounds as the API says them."""
        return cls(rounds=[FormerRoundModel.model_validate(item) for item in rounds])


class FormerTakenModel(Model):
    """What became of a file of former rounds."""

    rounds: int
    dry_run: bool
