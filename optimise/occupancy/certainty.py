"""How sure a session is: one vehicle's stay, with the times that are said of it. Pure.

Each thing that was not seen, or that the sensor did, multiplies. The factors were set on simulated towns
(benchmarks/kerb_sessions.py shows the share of true sessions by certainty) and say an order more than a probability.
"""

from __future__ import annotations

from storage.model import EndedBy

_WHOLE = 0.99
_BEGINNING_UNSEEN = 0.6
_FLUTTER = 0.6
_RESTART = 0.8
_FRAME_LOST = 0.75
_LEAST = 0.05
_END = {
    EndedBy.FREED: 1.0,
    EndedBy.OPEN: 1.0,
    EndedBy.FOUND_FREE: 0.6,
    EndedBy.REPLACED: 0.7,
    EndedBy.LOST: 0.5,
}


def certainty_of(*, start_seen: bool, ended_by: EndedBy, unsteady: bool, lost: int, restarted: bool) -> float:
    """Return 0..1; `lost` counts frames that never came, before or within the stay."""
    certainty = _WHOLE * _END[ended_by] * _FRAME_LOST ** min(lost, 4)
    for doubt, factor in ((not start_seen, _BEGINNING_UNSEEN), (unsteady, _FLUTTER), (restarted, _RESTART)):
        if doubt:
            certainty *= factor
    return round(max(_LEAST, certainty), 3)
