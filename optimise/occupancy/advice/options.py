"""What advice weighs, and within what it stays."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class AdviceOptions:
    """What things are worth and cost (euros), and the constraints.

    `refused_eur`: what one delivery that finds no place costs the town (a lane blocked for a quarter of an hour).
    `place_hour_eur`: what an hour of a place given back to others is worth. Measures are paid off over
    `paid_off_weeks`. `within_m`: how far from a shop a bay still serves it, and how far who finds one taken looks for
    another. `delivery_max_s`: who stays longer is no delivery. `obeys_share`: of those who do not deliver, the part
    that keeps away where a rule forbids it. `add_eur`, `move_eur`, `remove_eur`, `sign_eur` (hours or a limit changed)
    are the costs of measures; `budget_eur` bounds their sum. At most `most` measures are advised.
    """

    budget_eur: float | None = None
    within_m: float = 100.0
    refused_eur: float = 3.0
    place_hour_eur: float = 0.25
    add_eur: float = 2500.0
    move_eur: float = 3500.0
    remove_eur: float = 1000.0
    sign_eur: float = 400.0
    paid_off_weeks: float = 520.0
    delivery_max_s: float = 1800.0
    obeys_share: float = 0.7
    most: int = 20
    weeks: int = 12
    seed: int = 0
    workers: int = 2
    solve_s: float = 20.0

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if self.budget_eur is not None and self.budget_eur < 0:
            raise ValueError(f"expected budget_eur >= 0, got {self.budget_eur:g}")
        for name in (
            "within_m", "refused_eur", "paid_off_weeks", "delivery_max_s", "solve_s", "most", "weeks", "workers",
        ):  # fmt: skip
            if getattr(self, name) <= 0:
                raise ValueError(f"expected {name} > 0, got {getattr(self, name):g}")
        for name in ("place_hour_eur", "add_eur", "move_eur", "remove_eur", "sign_eur"):
            if getattr(self, name) < 0:
                raise ValueError(f"expected {name} >= 0, got {getattr(self, name):g}")
        if not 0 <= self.obeys_share <= 1:
            raise ValueError(f"expected 0 <= obeys_share <= 1, got {self.obeys_share:g}")
