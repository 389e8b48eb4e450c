"""The review's thresholds. docs/quality.md explains each one for operators."""

from __future__ import annotations

from dataclasses import dataclass, fields

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewOptions:
    """What the review believes. Fractions are of the bin's depth, times are seconds, evidence is in nats.

    Jumps: a reading that leaves its neighbours by more than `jump_fraction` (or 6 standard deviations of the device's
    noise) is a spike when they agree and lie within `spike_span_s`. Stuck: a constant run whose repetitions are
    e**-`stuck_evidence` probable by the device's own habit, with `unseen_emptying_evidence` for each declared emptying
    that it did not see; at least `stuck_least` readings and `stuck_least_s` long. Blocked: readings above
    `near_fraction` through two declared emptyings, or nothing but blind zone for `blind_s`. Calibration: the level left
    by emptyings is, in the median of the last five, above `offset_told` (an alert) or `offset_distrusted`; distances
    beyond the geometry, `misfit_least` in a row, `misfit_mm` apart at most. Emptyings: stored from `emptying_told`,
    believed from `emptying_believed` confidence; a bin below `seen_empty` shows no emptying. `declared_tolerance_s`:
    crews note times roughly. Filter: `wander_fraction` is how far a level walks in an hour, one standard deviation.
    """

    jump_fraction: float = 0.15
    spike_span_s: float = 3 * HOUR_S
    jump_forgotten_s: float = 12 * HOUR_S
    stuck_evidence: float = 16.0
    unseen_emptying_evidence: float = 5.0
    stuck_least: int = 6
    stuck_least_s: float = 3 * HOUR_S
    near_fraction: float = 0.85
    blind_s: float = DAY_S
    offset_told: float = 0.18
    offset_distrusted: float = 0.30
    misfit_least: int = 6
    misfit_mm: float = 80.0
    emptying_told: float = 0.3
    emptying_believed: float = 0.5
    seen_empty: float = 0.2
    declared_tolerance_s: float = 0.75 * HOUR_S
    wander_fraction: float = 0.03
    context_s: float = 8 * DAY_S
    context_readings: int = 48

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value <= 0:
                raise ValueError(f"expected {field.name} > 0, got {value}")
        if self.emptying_believed < self.emptying_told:
            raise ValueError(
                f"expected emptying_believed >= emptying_told, got {self.emptying_believed} < {self.emptying_told}"
            )
        if self.offset_distrusted < self.offset_told:
            raise ValueError(
                f"expected offset_distrusted >= offset_told, got {self.offset_distrusted} < {self.offset_told}"
            )
