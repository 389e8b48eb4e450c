"""What a day's problem is made of besides its bins: windows, prices, vehicles, disposal sites, traffic and wishes.

Whole numbers throughout: seconds from the day's origin, metres, litres, kilograms, centimetres, and millionths of a
euro (EURO). Every part refuses values that make no sense, naming the rule. `problem.py` puts them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from storage.errors import InputError

EURO = 1_000_000
"""Costs are whole millionths of a euro, so that a metre and a second have a price without fractions."""

NO_END_S = 1_000_000_000
"""The end of a shift that has none: thirty years, which no sum of seconds can take out of 64 bits."""


def require(holds: bool, broken_rule: str) -> None:  # noqa: FBT001 - reads as the assertion it is
    """Raise InputError with the rule that is broken."""
    if not holds:
        raise InputError(broken_rule)


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """From when until when a service may *begin*; who comes early waits, the service itself may end after it."""

    from_s: int
    until_s: int

    def __post_init__(self) -> None:
        require(
            self.from_s <= self.until_s,
            f"window: expected from_s <= until_s, got {self.from_s} and {self.until_s}",
        )


def require_windows(windows: tuple[Window, ...], who: str) -> None:
    """Refuse windows that overlap or are out of order."""
    for earlier, later in pairwise(windows):
        require(
            earlier.until_s < later.from_s,
            f"{who}: expected windows in order and apart, got one until {earlier.until_s} and the next from "
            f"{later.from_s}",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """What driving costs, in millionths of a euro (EURO).

    `per_second` is paid from leaving the depot to coming back, waiting included, without the break.
    `per_overtime_second` is paid on top of it after the end of the shift. `per_vehicle` once, when it leaves at all.
    """

    per_metre: int
    per_second: int
    per_vehicle: int
    per_overtime_second: int = 0

    def __post_init__(self) -> None:
        for name in ("per_metre", "per_second", "per_vehicle", "per_overtime_second"):
            value = getattr(self, name)
            require(value >= 0, f"expected {name} >= 0, got {value}")


@dataclass(frozen=True, kw_only=True, slots=True)
class DayVehicle:
    """A vehicle's day. It may leave `depot` from `shift_from_s` on and is back by `shift_until_s`.

    `end_depot` is where it comes back to, None where it started. It may come back as late as `overtime_until_s` (None:
    no overtime) at the price of Prices.per_overtime_second.

    Its crew rests `break_s` without interruption inside [break_from_s, break_until_s]; waiting at the depot before
    leaving or after coming back is rest. 0 asks for no break.

    `capacity_kg` None: weight does not matter. `width_cm` and `kind` decide where it may go, `crew` (people) which
    bins it can handle. `range_m`: how far it gets on a charge, which it only gets at the depot; None: no limit.
    `profile` picks the travel matrices (0: the problem's own). `prices` None: the problem's.

    At most so many a day: `unloadings_at_most` (visits of disposal sites), `day_l` (litres), `day_stops`; None: no
    limit. `home_empty`: it unloads before it comes home, where the problem has a disposal site at all. `sectors`: the
    sectors that its crew knows; none: it has no preference.
    """

    vehicle_id: str
    capacity_l: int
    depot: int
    shift_from_s: int = 0
    shift_until_s: int = NO_END_S
    break_s: int = 0
    break_from_s: int = 0
    break_until_s: int = 0
    end_depot: int | None = None
    overtime_until_s: int | None = None
    capacity_kg: int | None = None
    width_cm: int = 0
    kind: str = ""
    crew: int = 1
    range_m: int | None = None
    profile: int = 0
    prices: Prices | None = None
    unloadings_at_most: int | None = None
    day_l: int | None = None
    day_stops: int | None = None
    home_empty: bool = True
    sectors: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        who = f"vehicle {self.vehicle_id}"
        require(self.capacity_l > 0, f"{who}: expected capacity_l > 0, got {self.capacity_l}")
        require(
            self.shift_from_s < self.shift_until_s,
            f"{who}: expected shift_from_s < shift_until_s, got {self.shift_from_s} and {self.shift_until_s}",
        )
        require(
            self.latest_end_s >= self.shift_until_s,
            f"{who}: expected overtime_until_s >= shift_until_s, got {self.overtime_until_s} and {self.shift_until_s}",
        )
        require(self.break_s >= 0, f"{who}: expected break_s >= 0, got {self.break_s}")
        require(
            self.break_from_s + self.break_s <= self.break_until_s or not self.break_s,
            f"{who}: a break of {self.break_s} s does not fit between {self.break_from_s} and {self.break_until_s}",
        )
        require(self.crew >= 1, f"{who}: expected crew >= 1, got {self.crew}")
        for name in ("width_cm", "profile"):
            value = getattr(self, name)
            require(value >= 0, f"{who}: expected {name} >= 0, got {value}")
        for name in ("capacity_kg", "range_m", "unloadings_at_most", "day_l", "day_stops"):
            value = getattr(self, name)
            require(value is None or value >= 0, f"{who}: expected {name} >= 0 or none, got {value}")

    @property
    def home(self) -> int:
        """The row of the travel matrices where its day ends."""
        return self.depot if self.end_depot is None else self.end_depot

    @property
    def latest_end_s(self) -> int:
        """When it has to be back, overtime included."""
        return self.shift_until_s if self.overtime_until_s is None else self.overtime_until_s


@dataclass(frozen=True, kw_only=True, slots=True)
class DayDisposal:
    """A place where any vehicle unloads whole, any number of times; `windows` say when unloading may begin."""

    place_id: str
    location: int
    unload_s: int
    windows: tuple[Window, ...] = ()

    def __post_init__(self) -> None:
        who = f"disposal site {self.place_id}"
        require(self.unload_s >= 0, f"{who}: expected unload_s >= 0, got {self.unload_s}")
        require_windows(self.windows, who)


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """How much longer driving takes by time of day: from `from_s[k]` on, `percent[k]` of the matrices' seconds.

    Before the first it takes 100 %. A drive that lasts into another period goes on at that period's pace (Ichoua,
    Gendreau & Potvin, 2003, doi:10.1016/S0377-2217(02)00147-9), so nobody arrives earlier by leaving later. A drive
    takes the whole seconds after which it is done.
    """

    from_s: tuple[int, ...]
    percent: tuple[int, ...]

    def __post_init__(self) -> None:
        require(
            len(self.from_s) == len(self.percent),
            f"traffic: expected as many percent as from_s, got {len(self.percent)} and {len(self.from_s)}",
        )
        for earlier, later in pairwise(self.from_s):
            require(earlier < later, f"traffic: expected from_s to grow, got {later} after {earlier}")
        for percent in self.percent:
            require(percent > 0, f"traffic: expected percent > 0, got {percent}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What a good day has besides being cheap, priced so that it can be weighed (EURO / 1 000 000); 0 wishes nothing.

    `per_longest_second`: each second of driving, serving and unloading of the vehicle that works longest, so that
    work is shared out. `per_split`: each vehicle in a sector beyond the first. `per_unfamiliar_stop`: each bin that is
    served by a crew that knows sectors, but not this bin's.
    """

    per_longest_second: int = 0
    per_split: int = 0
    per_unfamiliar_stop: int = 0

    def __post_init__(self) -> None:
        for name in ("per_longest_second", "per_split", "per_unfamiliar_stop"):
            value = getattr(self, name)
            require(value >= 0, f"expected {name} >= 0, got {value}")
