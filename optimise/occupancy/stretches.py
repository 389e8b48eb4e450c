"""Stretches of one state, with blinks and flutter taken out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimise.occupancy.options import SessionOptions
from optimise.occupancy.reports import Report, missed_a_turn

_WITHOUT_END_US = 2**62


@dataclass(slots=True, kw_only=True)
class Stretch:
    """Reports `first` to `last` (indices) of one state.

    `cut`: a turn was missed before it, so that the stretch before it has the same state and is another one.
    `unsteady`: the sensor blinked or fluttered within.
    """

    occupied: bool
    first: int
    last: int
    lasts_us: int
    cut: bool = False
    unsteady: bool = False


def raw_stretches(reports: Sequence[Report]) -> list[Stretch]:
    """Return the stretches as the reports (in order) have them; the last one has no end."""
    found: list[Stretch] = []
    for index, report in enumerate(reports):
        occupied = bool(report.occupied)
        cut = bool(found) and missed_a_turn(reports[index - 1], report)
        if found and found[-1].occupied == occupied and not cut:
            found[-1].last = index
            continue
        if found:
            found[-1].lasts_us = report.at_us - reports[found[-1].first].at_us
        found.append(Stretch(occupied=occupied, first=index, last=index, lasts_us=_WITHOUT_END_US, cut=cut))
    return found


def stretches(reports: Sequence[Report], options: SessionOptions) -> list[Stretch]:
    """Return the stretches that can be believed, in order."""
    raw = raw_stretches(reports)
    _settle_flutter(raw, options)
    return _without_blinks(raw, blink_us=round(options.blink_s * 1e6))


def _settle_flutter(raw: list[Stretch], options: SessionOptions) -> None:
    """Give each stretch of a flutter the state that the sensor settles to."""
    flutter_us = options.settled_us
    begun = 0
    for index, stretch in enumerate(raw):
        if stretch.lasts_us < flutter_us:
            continue
        if index - begun >= options.flutter_least:
            for fluttering in raw[begun:index]:
                fluttering.occupied, fluttering.unsteady = stretch.occupied, True
                fluttering.cut = False
            # What it settles to begins with the flutter.
            stretch.cut = False
        begun = index + 1


def _without_blinks(raw: Sequence[Stretch], *, blink_us: int) -> list[Stretch]:
    kept: list[Stretch] = []
    for stretch in raw:
        before = kept[-1] if kept else None
        same = before is not None and before.occupied == stretch.occupied
        blink = stretch.lasts_us < blink_us and not stretch.unsteady
        if before is None or stretch.cut or not (same or blink):
            kept.append(stretch)
            continue
        before.last = stretch.last
        before.lasts_us += stretch.lasts_us
        before.unsteady = before.unsteady or stretch.unsteady or (blink and not same)
    return kept
