"""How months are played: lengths, shares, the promise, and how hard each day is thought about."""

from __future__ import annotations

from dataclasses import dataclass, field

from optimise.rounds.day import PriceOptions
from storage.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthsOptions:
    """How to play.

    `days` are judged, for each of `seeds` towns. Before them lie `history_days` under the old fixed rounds, from which
    forecasts learn and on which the calendar is tuned, and `warmup_days` under each policy, on which its dial is
    turned, in at most `tries`, until the share of bin-days without overflow is `service`. `sensors` is the share of
    bins with a sensor. `iterations` bounds each day's search. Forecasts are made daily and trained every
    `retrain_days`, calibrated on `folds` of held-out bins. `co2_kg_per_km`: of a light diesel truck that stops and
    starts.
    """

    days: int = 28
    seeds: int = 3
    sensors: float = 0.3
    service: float = 0.999
    history_days: int = 28
    warmup_days: int = 18
    tries: int = 2
    iterations: int = 300
    retrain_days: int = 7
    folds: int = 3
    co2_kg_per_km: float = 0.8
    prices: PriceOptions = field(default_factory=PriceOptions)

    def __post_init__(self) -> None:
        for name in ("days", "seeds", "tries", "iterations", "retrain_days"):
            if getattr(self, name) < 1:
                raise InputError(f"expected {name} >= 1, got {getattr(self, name)}")
        if self.history_days < _LEAST_HISTORY_DAYS:
            raise InputError(f"expected history_days >= {_LEAST_HISTORY_DAYS}, got {self.history_days}")
        if self.warmup_days < _LEAST_WARMUP_DAYS:
            raise InputError(f"expected warmup_days >= {_LEAST_WARMUP_DAYS}, got {self.warmup_days}")
        if not 0 <= self.sensors <= 1:
            raise InputError(f"expected sensors in [0, 1], got {self.sensors}")
        if not 0.5 <= self.service < 1:  # noqa: PLR2004 - less is no service
            raise InputError(f"expected service in [0.5, 1), got {self.service}")
        if self.co2_kg_per_km < 0:
            raise InputError(f"expected co2_kg_per_km >= 0, got {self.co2_kg_per_km}")

    @property
    def settling_days(self) -> int:
        """The warm-up's first third, not counted: bins are as old rounds left them, and forecasts still learn."""
        return self.warmup_days // 3


_LEAST_HISTORY_DAYS = 10
_LEAST_WARMUP_DAYS = 6
