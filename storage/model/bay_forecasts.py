"""What is predicted of bays and spaces, and of how many are free together. Never measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class BayUse(StrEnum):
    """Whose bays and spaces they are: deliveries', any car's, or those of disabled persons."""

    DELIVERY = "delivery"
    CAR = "car"
    DISABLED = "disabled"


class BayScope(StrEnum):
    """What bays are counted together: a stretch of a street that one sees at a glance, a street, or an area."""

    STRETCH = "stretch"
    STREET = "street"
    DELIVERY_AREA = "delivery_area"
    ZONE = "zone"
    STREET_FACE = "street_face"


class BayEvidence(StrEnum):
    """What a bay's forecast is made of: its own sensor, others in its street, what is usual elsewhere, or nothing."""

    SENSOR = "sensor"
    STREET = "street"
    PROFILE = "profile"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class BayForecastRun:
    """The newest forecast of a commune's bays: from data until `as_of`, for `ahead_min` minutes after it.

    `model_id` None: no model was learnt yet, and what is simple answers. `sensed` of `places` had a sensor that spoke.
    """

    as_of: datetime
    made_at: datetime
    model_id: UUID | None
    method: str
    ahead_min: tuple[int, ...]
    places: int
    sensed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BayForecast:
    """The chance that a bay is free, at each of the run's moments ahead; None: nothing is known.

    `occupied` is what its sensor said at the run's `as_of`; `if_changed` is the chance had it just turned (bays with a
    sensor that spoke), `chance_low` to `chance_high` the 80 % interval of the chance itself (the others).
    """

    place_id: str
    use: BayUse
    evidence: BayEvidence
    occupied: bool | None
    chance: tuple[float, ...] | None
    if_changed: tuple[float, ...] | None
    chance_low: tuple[float, ...] | None
    chance_high: tuple[float, ...] | None


class BayChance(NamedTuple):
    """What is foretold of a bay at one moment: as in `BayForecast`, a row, since a search asks for hundreds at once."""

    occupied: bool | None
    chance: float | None
    if_changed: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BayGroupForecast:
    """How many bays of a group will be free and may be used, at each of the run's moments ahead.

    Of `place_ids`, `known` may be used then and something is known of them. `expected` is a mean, `low` to `high` its
    80 % interval, `chance` that of at least one.
    """

    group_id: str
    scope: BayScope
    use: BayUse
    name: str | None
    longitude_deg: float
    latitude_deg: float
    place_ids: tuple[str, ...]
    sensed: int
    known: tuple[int, ...]
    expected: tuple[float, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    chance: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BayForecastScore:
    """How forecasts of bays of one local day held, `ahead_min` minutes ahead, in a group of bays.

    `answers` of `bays` bays were compared with their sensors. `brier_persistence`: of who says that all stays as it is,
    where the state was known. `mean_chance` was foretold, and `free_share` came. `in_band`: whether these agree, None
    where too few bays tell. All None on a day without anything to compare.
    """

    day: date
    ahead_min: int
    bay_group: str
    answers: int
    bays: int
    brier: float | None = None
    brier_persistence: float | None = None
    mean_chance: float | None = None
    free_share: float | None = None
    calibration_error: float | None = None
    in_band: bool | None = None
