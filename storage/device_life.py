"""Where a device is over time, and what becomes of that when something is told late. Decides alone.

A timeline is a device's mountings, oldest first, without overlap. What is told changes it from a moment on, up to what
is known to have happened next; what was told before about other times stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from storage.errors import ConflictError
from storage.model import Mounting

type Timeline = tuple[Mounting, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of time from `since` until before `until` (None: for good)."""

    since: datetime
    until: datetime | None

    def overlaps(self, mounting: Mounting) -> bool:
        """Whether the mounting was in force at some moment of the span."""
        begins_before_end = self.until is None or mounting.mounted_at < self.until
        return begins_before_end and (mounting.unmounted_at is None or self.since < mounting.unmounted_at)


def mounting_at(timeline: Timeline, moment: datetime) -> Mounting | None:
    """Return where the device was at `moment`, None for nowhere."""
    return next((mounting for mounting in timeline if mounting.covers(moment)), None)


def mounted(timeline: Timeline, wanted: Mounting) -> Timeline:
    """Return the timeline with the device on `wanted`'s place since `wanted.mounted_at`.

    It stays there until the mounting that it takes the place of ended, or the next one began, or `wanted.unmounted_at`,
    whichever is first. Telling what is known changes nothing.
    """
    at = wanted.mounted_at
    present = mounting_at(timeline, at)
    following = next((mounting for mounting in timeline if mounting.mounted_at > at), None)
    ends = (
        wanted.unmounted_at,
        None if present is None else present.unmounted_at,
        None if following is None else following.mounted_at,
    )
    until = min((end for end in ends if end is not None), default=None)
    added = replace(wanted, unmounted_at=until)
    kept = [part for mounting in timeline for part in _without(mounting, Span(since=at, until=until))]
    return _joined([*kept, added])


def unmounted(timeline: Timeline, at: datetime) -> Timeline:
    """Return the timeline with the device taken down at `at`; ConflictError when it was on no place then."""
    present = mounting_at(timeline, at)
    if present is None:
        raise ConflictError(f"the device was on no place at {at.isoformat()}")
    span = Span(since=at, until=present.unmounted_at)
    return _joined([part for mounting in timeline for part in _without(mounting, span)])


def _without(mounting: Mounting, span: Span) -> list[Mounting]:
    """Return what is left of the mounting outside of the span."""
    if not span.overlaps(mounting):
        return [mounting]
    left = []
    if mounting.mounted_at < span.since:
        left.append(replace(mounting, unmounted_at=span.since))
    if span.until is not None and (mounting.unmounted_at is None or span.until < mounting.unmounted_at):
        left.append(replace(mounting, mounted_at=span.until))
    return left


def _joined(mountings: Iterable[Mounting]) -> Timeline:
    """Return the mountings in order; those that follow on each other without a difference become one."""
    joined: list[Mounting] = []
    for mounting in sorted(mountings, key=lambda item: item.mounted_at):
        last = joined[-1] if joined else None
        if last is not None and last.unmounted_at == mounting.mounted_at and _same(last, mounting):
            joined[-1] = replace(last, unmounted_at=mounting.unmounted_at)
        else:
            joined.append(mounting)
    return tuple(joined)


def _same(one: Mounting | None, other: Mounting | None) -> bool:
    """Whether both put the device on the same place in the same way."""
    if one is None or other is None:
        return one is other
    return one.place_id == other.place_id and one.geometry == other.geometry


def difference(before: Timeline, after: Timeline) -> Span | None:
    """Return the time from the first to the last moment at which the two put the device elsewhere, or otherwise."""
    bounds = sorted(
        {bound for item in (*before, *after) for bound in (item.mounted_at, item.unmounted_at) if bound is not None}
    )
    steps = [*pairwise([*bounds, None])] if bounds else []
    changed = [
        (since, until)
        for since, until in steps
        if since is not None and not _same(mounting_at(before, since), mounting_at(after, since))
    ]
    if not changed:
        return None
    return Span(since=changed[0][0], until=changed[-1][1])


def overlaps(mountings: Iterable[Mounting]) -> list[tuple[Mounting, Mounting]]:
    """Return the pairs of mountings, of one place or of one device, that are in force at once."""
    ordered = sorted(mountings, key=lambda item: item.mounted_at)
    return [
        (earlier, later)
        for number, earlier in enumerate(ordered)
        for later in ordered[number + 1 :]
        if earlier.unmounted_at is None or later.mounted_at < earlier.unmounted_at
    ]
