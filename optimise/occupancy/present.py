"""What a place's sensor last said, and since when that holds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimise.occupancy.options import SessionOptions
from optimise.occupancy.reports import Report, in_order
from optimise.occupancy.sessions import Session
from optimise.occupancy.stretches import stretches
from storage.model import EndedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The last word: heard at, measured at, the state and since when; times are Unix microseconds.

    `since_us` of an occupied place is when its open session began; of a free one, when it was first told to be free.
    """

    device_id: int
    heard_us: int
    measured_us: int | None
    occupied: bool | None
    since_us: int | None
    certainty: float | None


def present_of(reports: Sequence[Report], sessions: Sequence[Session], options: SessionOptions) -> Present | None:
    """Return the last word of `reports`, of which `sessions` were made; None when there is none."""
    if not reports:
        return None
    last = max(reports, key=lambda one: (one.at_us, one.device_id, one.record_index))
    ordered = in_order(reports)
    if not ordered:
        return Present(
            device_id=last.device_id,
            heard_us=last.at_us,
            measured_us=None,
            occupied=None,
            since_us=None,
            certainty=None,
        )
    open_session = next((one for one in reversed(sessions) if one.ended_by is EndedBy.OPEN), None)
    occupied = open_session is not None
    return Present(
        device_id=last.device_id,
        heard_us=last.at_us,
        measured_us=ordered[-1].at_us,
        occupied=occupied,
        since_us=open_session.started_us if open_session else _free_since(ordered, options),
        certainty=open_session.certainty if open_session else None,
    )


def _free_since(ordered: Sequence[Report], options: SessionOptions) -> int:
    """Return when the last free stretch began, after the last silence."""
    silent_us = round(options.silent_after_s * 1e6)
    first = len(ordered) - 1
    while first > 0 and ordered[first].at_us - ordered[first - 1].at_us <= silent_us:
        first -= 1
    piece = ordered[first:]
    return piece[stretches(piece, options)[-1].first].at_us
