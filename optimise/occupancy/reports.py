"""What a bay's sensor reported, in the order of events. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Told(IntEnum):
    """Why a sensor spoke: a change is told as it happens, a heartbeat repeats what may have begun long before."""

    UNKNOWN = -1
    HEARTBEAT = 0
    CHANGE = 1


NO_COUNTER = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report: `at_us` is the event's time, Unix microseconds; `occupied` None when nothing was measured.

    `counter` is the frame's number at the network, NO_COUNTER where there is none.
    """

    at_us: int
    occupied: bool | None
    told: Told = Told.UNKNOWN
    device_id: int = 0
    record_index: int = 0
    counter: int = NO_COUNTER


def in_order(reports: Iterable[Report]) -> list[Report]:
    """Return what was measured, once for each moment, in the order of events, whatever the order and the repeats given.

    Of two reports of one moment the later record of its frame holds.
    """
    ordered = sorted(reports, key=lambda one: (one.at_us, one.device_id, one.record_index))
    of_moment = {one.at_us: one for one in ordered if one.occupied is not None}
    return list(of_moment.values())


def frames_lost(earlier: Report, later: Report) -> int:
    """Return how many frames between two reports never came, as far as their numbers tell."""
    if NO_COUNTER in (earlier.counter, later.counter) or later.device_id != earlier.device_id:
        return 0
    return max(0, later.counter - earlier.counter - 1)


def restarted(earlier: Report, later: Report) -> bool:
    """Whether the sensor began anew between two reports: another device, or frames counted from the start again."""
    if later.device_id != earlier.device_id:
        return True
    return NO_COUNTER not in (earlier.counter, later.counter) and later.counter < earlier.counter


def missed_a_turn(earlier: Report, later: Report) -> bool:
    """Whether the place changed twice between two reports of one state.

    A sensor that tells a change to the state it told last has told the change between them to nobody: its frame was
    lost. Where the numbers show no hole it only repeats itself.
    """
    return (
        later.occupied == earlier.occupied
        and later.told is Told.CHANGE
        and not restarted(earlier, later)
        and frames_lost(earlier, later) > 0
    )
