"""Rules of rounds: the document that `voirie rules import` reads, too."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.models.common import LocalTime, Model
from storage.model import VehicleSize
from storage.round_rules import (
    MOST_BINS,
    MOST_DISPOSAL_SITES,
    MOST_NAME_CHARACTERS,
    MOST_NAMES,
    MOST_VEHICLES,
    MOST_WINDOWS,
)

Name = Annotated[str, Field(max_length=MOST_NAME_CHARACTERS)]


class LocalHoursModel(Model):
    """Local hours of each day between which something may begin."""

    opens: LocalTime = Field(examples=["06:00"])
    closes: LocalTime = Field(examples=["10:00"])


class BinRuleModel(Model):
    """Who may empty a bin and when; what is left out asks for nothing."""

    place_id: str = Field(min_length=1, max_length=100, examples=["COR-0001"])
    max_width_cm: int | None = Field(default=None, description="The widest vehicle that fits, cm; null: any")
    crew: int = Field(default=1, description="People that it takes")
    vehicle_kinds: list[Name] = Field(
        default=[], max_length=MOST_NAMES, description="Kinds of vehicles that may come; none: any"
    )
    windows: list[LocalHoursModel] = Field(
        default=[], max_length=MOST_WINDOWS, description="When its service may begin; none: at any time"
    )
    kg_per_l: float = Field(default=0.0, description="What a litre of its waste weighs, kg")


class VehicleRuleModel(Model):
    """What a vehicle can do and costs beside its capacity and shift; a price of null is the town's."""

    vehicle_id: str = Field(min_length=1, max_length=100, examples=["BOM-1"])
    capacity_kg: float | None = Field(default=None, description="kg on board; null: no limit")
    width_cm: int = Field(default=0, description="cm; 0: not told")
    size: VehicleSize = Field(default=VehicleSize.STANDARD, description="The variant of the streets' profile")
    height_cm: int | None = Field(default=None, description="cm; null: its size's")
    length_cm: int | None = Field(default=None, description="cm; null: its size's")
    laden_kg: int | None = Field(default=None, description="What it weighs laden, kg; null: its size's")
    kind: Name = ""
    crew: int = Field(default=1, description="People")
    range_m: float | None = Field(default=None, description="Metres on a charge; null: no limit")
    end_depot_id: str | None = Field(default=None, description="Where its day ends; null: where it started")
    overtime_s: float = Field(default=0.0, description="How much later than its shift's end it may come back, s")
    unloadings_at_most: int | None = None
    home_empty: bool = Field(default=True, description="Whether it unloads before it comes home")
    km_eur: float | None = None
    hour_eur: float | None = None
    out_eur: float | None = None
    overtime_hour_eur: float | None = None
    sectors: list[Name] = Field(default=[], max_length=MOST_NAMES, description="Those that its crew knows")


class DisposalRuleModel(Model):
    """When a disposal site takes waste; no windows: at any time."""

    place_id: str = Field(min_length=1, max_length=100, examples=["EXUTOIRE-1"])
    windows: list[LocalHoursModel] = Field(default=[], max_length=MOST_WINDOWS)


class RoundRulesModel(Model):
    """All rules of a commune that differ from the usual."""

    bins: list[BinRuleModel] = Field(default=[], max_length=MOST_BINS)
    vehicles: list[VehicleRuleModel] = Field(default=[], max_length=MOST_VEHICLES)
    disposal_sites: list[DisposalRuleModel] = Field(default=[], max_length=MOST_DISPOSAL_SITES)


class RulesToldModel(Model):
    """What became of a document of rules."""

    bins: int = Field(description="Rules of bins in it")
    vehicles: int
    disposal_sites: int
    dry_run: bool = Field(description="Whether it was only looked through")
