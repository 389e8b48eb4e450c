"""Time without breaks: a clock that stands still while crews rest, so that a search without breaks can plan for them.

If every crew rests at the last moment that its window allows, B = break_until_s - break_s, the working time w of a
moment t is t before B and t - break_s after the break. A service from w to w + s that would span B begins after a break
taken at w instead. Windows are translated so that whoever keeps the translated window in working time keeps the real
one by the clock; what is lost is only the choice of resting earlier, which the timing of the finished route has again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from optimise.rounds.parts import DayVehicle, Window


@dataclass(frozen=True, kw_only=True, slots=True)
class RestClock:
    """The clock of crews that rest `break_s` from `rest_at_s` on at the latest."""

    break_s: int
    rest_at_s: int

    def window(self, window: Window, *, stay_s: int) -> Window | None:
        """Return when in working time a service of `stay_s` may begin; None when the break leaves it no moment."""
        if not self.break_s:
            return window
        before_s = self.rest_at_s - stay_s
        until_s = window.until_s - self.break_s
        if until_s < before_s:
            until_s = min(window.until_s, before_s)
            from_s = window.from_s
        else:
            from_s = window.from_s if window.from_s <= before_s else max(window.from_s - self.break_s, before_s)
        return Window(from_s=from_s, until_s=until_s) if from_s <= until_s else None


def rest_clocks(vehicles: Iterable[DayVehicle]) -> tuple[RestClock, ...]:
    """Return the clocks that the vehicles go by, each once."""
    return tuple(sorted({clock_of(who) for who in vehicles}, key=lambda one: (one.break_s, one.rest_at_s)))


def clock_of(who: DayVehicle) -> RestClock:
    """Return a vehicle's clock; no break where it can be taken before leaving or after coming back in any case."""
    latest_s = who.break_until_s - who.break_s
    outside = latest_s >= who.latest_end_s or who.break_from_s + who.break_s <= who.shift_from_s
    if not who.break_s or outside:
        return RestClock(break_s=0, rest_at_s=0)
    return RestClock(break_s=who.break_s, rest_at_s=latest_s)


def shared_window(clocks: Iterable[RestClock], window: Window, *, stay_s: int) -> Window | None:
    """Return a window in working time that is right whichever of the clocks is gone by; None when there is none."""
    found = [clock.window(window, stay_s=stay_s) for clock in clocks]
    if any(one is None for one in found):
        return None
    from_s = max(one.from_s for one in found if one is not None)
    until_s = min(one.until_s for one in found if one is not None)
    return Window(from_s=from_s, until_s=until_s) if from_s <= until_s else None
