"""Stays of vehicles from what a bay's sensor reported: robust to repeats, disorder, heartbeats, loss and flutter. Pure.

Only the reports' event times count, so that the same reports give the same sessions however late they came. A lost
frame is seen where the frames' numbers have a hole and the sensor tells a change to the state it told last: then two
vehicles stood there, or one came and left unseen. What nobody saw is not made up: a session whose beginning or end was
not told has no dwell.

Completed by `context` (from where on a late report changes anything) and `job` (the database).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from optimise.occupancy.certainty import certainty_of
from optimise.occupancy.options import SessionOptions
from optimise.occupancy.reports import Report, Told, frames_lost, in_order, restarted
from optimise.occupancy.stretches import Stretch, stretches
from storage.model import EndedBy

_DEFAULTS = SessionOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One stay. Times are Unix microseconds.

    It began at `started_us` when `start_seen`; otherwise it was found there then, and began after `started_after_us`
    (None: nobody knows). It was last reported at `last_seen_us`, and was gone by `ended_us` (None: still there, or
    nobody knows). `certainty` 0..1: how likely it is one vehicle's stay with the times said.
    """

    started_us: int
    started_after_us: int | None
    start_seen: bool
    last_seen_us: int
    ended_us: int | None
    ended_by: EndedBy
    certainty: float
    reports: int
    device_id: int

    @property
    def dwell_s(self) -> float | None:
        """How long it stood there, None unless both ends were seen."""
        if self.ended_us is None or not self.start_seen or self.ended_by is not EndedBy.FREED:
            return None
        return (self.ended_us - self.started_us) / 1e6


def sessions_of(reports: Iterable[Report], options: SessionOptions = _DEFAULTS) -> list[Session]:
    """Return the sessions at one place, in order; `reports` in any order, repeated or not."""
    ordered = in_order(reports)
    found: list[Session] = []
    for piece, is_last in _pieces(ordered, round(options.silent_after_s * 1e6)):
        found += _sessions_of_piece(piece, options, is_last=is_last)
    return found


def _pieces(ordered: Sequence[Report], silent_us: int) -> Iterator[tuple[Sequence[Report], bool]]:
    """Yield stretches of reports without a silence, and whether each is the last."""
    first = 0
    for index in range(1, len(ordered)):
        if ordered[index].at_us - ordered[index - 1].at_us > silent_us:
            yield ordered[first:index], False
            first = index
    if ordered:
        yield ordered[first:], True


def _sessions_of_piece(piece: Sequence[Report], options: SessionOptions, *, is_last: bool) -> Iterator[Session]:
    found = stretches(piece, options)
    for index, stretch in enumerate(found):
        after = found[index + 1] if index + 1 < len(found) else None
        if stretch.occupied:
            yield _session(piece, stretch, after, is_last=is_last)
        elif stretch.cut:
            yield _unseen_arrival(piece, stretch)


def _session(piece: Sequence[Report], stretch: Stretch, after: Stretch | None, *, is_last: bool) -> Session:
    start = piece[stretch.first]
    before = piece[stretch.first - 1] if stretch.first > 0 else None
    start_seen = before is not None and start.told is not Told.HEARTBEAT
    ended_us = None if after is None else piece[after.first].at_us
    if after is None:
        ended_by = EndedBy.OPEN if is_last else EndedBy.LOST
    elif after.occupied:
        ended_by = EndedBy.REPLACED
    else:
        ended_by = EndedBy.FOUND_FREE if piece[after.first].told is Told.HEARTBEAT else EndedBy.FREED
    # The end's frame belongs to the stay: what was lost just before it was lost within.
    inside = piece[stretch.first : (stretch.last if after is None else after.first) + 1]
    pairs = list(pairwise(inside))
    return Session(
        started_us=start.at_us,
        started_after_us=None if before is None else before.at_us,
        start_seen=start_seen,
        last_seen_us=max(one.at_us for one in piece[stretch.first : stretch.last + 1] if one.occupied),
        ended_us=ended_us,
        ended_by=ended_by,
        certainty=certainty_of(
            start_seen=start_seen,
            ended_by=ended_by,
            unsteady=stretch.unsteady,
            lost=sum(frames_lost(*pair) for pair in pairs) + (0 if before is None else frames_lost(before, start)),
            restarted=any(restarted(*pair) for pair in pairs),
        ),
        reports=stretch.last - stretch.first + 1,
        device_id=start.device_id,
    )


def _unseen_arrival(piece: Sequence[Report], stretch: Stretch) -> Session:
    """Return the stay of which only the departure was told."""
    left = piece[stretch.first]
    return Session(
        started_us=left.at_us,
        started_after_us=piece[stretch.first - 1].at_us,
        start_seen=False,
        last_seen_us=left.at_us,
        ended_us=left.at_us,
        ended_by=EndedBy.FREED,
        certainty=certainty_of(
            start_seen=False, ended_by=EndedBy.FREED, unsteady=stretch.unsteady, lost=1, restarted=False
        ),
        reports=1,
        device_id=left.device_id,
    )
