"""How a day is planned: one bag of options for the planner, the editor and the repair."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from optimise.rounds.day import DayOptions, PriceOptions, WishOptions
from optimise.rounds.engines import Limits
from optimise.rounds.explain import ExplainOptions
from optimise.rounds.policy import PolicyOptions
from optimise.rounds.problem import Traffic
from optimise.rounds.travel import TravelOptions
from storage.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannerOptions:
    """How to plan. Units are in the names; each part's own options say what their weights mean.

    `solve_s` bounds the search by wall time, `iterations` by work (then a seed reproduces); one of them may be None.
    `next_chance_h`: when a bin left out is served next at the latest, a day on and somewhat later in its round.
    `must_serve`: bins that somebody imposes for this day, `must_not_serve`: bins that are to be left. `closed_ways`:
    OpenStreetMap's ids of streets closed this day. `traffic`: how much longer driving takes by seconds from midnight.
    """

    extract: Path | None
    cache_dir: Path
    profile: Path
    solve_s: float | None = 20.0
    iterations: int | None = None
    seed: int = 0
    next_chance_h: float = 26.0
    kerb_side: bool = True
    max_snap_m: float = 150.0
    detour_factor: float = 1.4
    speed_kmh: float = 16.0
    must_serve: frozenset[str] = frozenset()
    must_not_serve: frozenset[str] = frozenset()
    closed_ways: frozenset[int] = frozenset()
    traffic: Traffic | None = None
    policy: PolicyOptions = field(default_factory=PolicyOptions)
    prices: PriceOptions = field(default_factory=PriceOptions)
    wishes: WishOptions = field(default_factory=WishOptions)
    explain: ExplainOptions = field(default_factory=ExplainOptions)

    def __post_init__(self) -> None:
        if not self.next_chance_h > 0:
            raise InputError(f"expected next_chance_h > 0, got {self.next_chance_h}")
        self.limits()
        self.travel()
        self.day()

    def day(self) -> DayOptions:
        """Return what is decided for the day."""
        return DayOptions(
            prices=self.prices,
            wishes=self.wishes,
            must_serve=self.must_serve,
            must_not_serve=self.must_not_serve,
            traffic=self.traffic,
        )

    def limits(self) -> Limits:
        """Return when to stop the search."""
        return Limits(solve_s=self.solve_s, iterations=self.iterations)

    def travel(self) -> TravelOptions:
        """Return how to measure travel."""
        return TravelOptions(
            extract=self.extract,
            profile=self.profile,
            cache_dir=self.cache_dir,
            kerb_side=self.kerb_side,
            closed_ways=self.closed_ways,
            max_snap_m=self.max_snap_m,
            detour_factor=self.detour_factor,
            speed_kmh=self.speed_kmh,
        )
