"""What the forecast may be told, with what it refuses. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from optimise.fill.readings import ReadingOptions


@dataclass(frozen=True, kw_only=True)
class FillOptions:
    """How to learn and forecast fill.

    `history_days` of data are read; a sensor that said nothing for `fresh_h` counts as none; `folds` of bins are held
    out in turn to calibrate intervals; `prior_rate_l_per_h` and `prior_log_sd` describe a street bin of which nothing
    is known, and `prior_interval_h` how often one is emptied: they rule in a town without history. `most_fill` is what
    a bin and the heap on it hold: what comes then lies beside it, and no level shows it.
    """

    history_days: int = 92
    fresh_h: float = 24.0
    folds: int = 5
    prior_rate_l_per_h: float = 1.0
    prior_log_sd: float = 0.9
    prior_interval_h: float = 48.0
    most_fill: float = 1.3
    readings: ReadingOptions = field(default_factory=ReadingOptions)

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        for name in ("history_days", "fresh_h", "prior_rate_l_per_h", "prior_log_sd", "prior_interval_h"):
            if not getattr(self, name) > 0:
                raise ValueError(f"expected {name} > 0, got {getattr(self, name)}")
        if self.most_fill < 1:
            raise ValueError(f"expected most_fill >= 1, got {self.most_fill}")
        if self.folds < 2:  # noqa: PLR2004 - one fold holds out everything
            raise ValueError(f"expected folds >= 2, got {self.folds}")
