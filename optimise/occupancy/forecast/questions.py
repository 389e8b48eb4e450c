"""What is known of bays when it is asked how they will be: the same in learning and in service. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats, Ints
from optimise.occupancy.forecast.usual import group_sums
from optimise.occupancy.trial.clock import DAY_S, local_s, weekday_of

AHEAD_MIN = (0, 5, 10, 15, 20, 30, 45, 60, 90)
"""Minutes ahead that a forecast tells: an hour, and half an hour for its age."""
AHEAD_S = np.array(AHEAD_MIN, dtype=np.int64) * 60
_LEAST_HELD_S = 60.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Bays:
    """What stays the same of p bays and spaces: `near` (p,) numbers their streets, `alike` (p,) who may use them."""

    near: Ints
    alike: Ints

    def __len__(self) -> int:
        return len(self.near)

    def where(self, keep: NDArray[np.bool_] | Ints) -> Bays:
        """Return some of the bays."""
        return Bays(near=self.near[keep], alike=self.alike[keep])


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """What is known of p bays at t moments, (t, p): `now` free 1, taken 0, NaN unknown; for how long; what is usual.

    `usual_now` and `usual_then` are of the moment of asking and the one asked for, with nothing unknown but in a
    commune whose kind of places nobody has told of.
    """

    now: Floats
    held_s: Floats
    usual_now: Floats
    usual_then: Floats


FEATURES = 14


def features(
    known: Known,
    bays: Bays,
    *,
    asked_s: Ints,
    target_s: Ints,
    time_zone: str,
    own: tuple[Floats, Floats] | None = None,
) -> NDArray[np.float32]:
    """Return (t, p, FEATURES) what a learner sees; a bay's street and kind tell of it without itself.

    `own`: each bay's state and how long it holds, (t, p) each, where it alone had changed.
    """
    odd = known.now - known.usual_now
    now, held_s = own or (known.now, known.held_s)
    street, streets = _others(odd, bays.near)
    town, _ = _others(odd, bays.alike)
    local = local_s(target_s, time_zone)
    angle = 2 * np.pi * (local % DAY_S) / DAY_S
    t, p = known.now.shape

    def each_moment(values: Floats) -> Floats:
        return np.broadcast_to(values[:, None], (t, p))

    return np.stack(
        [
            now,
            np.log(np.maximum(held_s, _LEAST_HELD_S)),
            known.usual_now,
            known.usual_then,
            known.usual_then - known.usual_now,
            now - known.usual_now,
            street,
            streets,
            town,
            each_moment((target_s - asked_s) / 60.0),
            each_moment(np.sin(angle)),
            each_moment(np.cos(angle)),
            each_moment(weekday_of(local // DAY_S).astype(np.float64)),
            np.broadcast_to(bays.alike.astype(np.float64)[None, :], (t, p)),
        ],
        axis=-1,
    ).astype(np.float32)


def _others(odd: Floats, group: Ints) -> tuple[Floats, Floats]:
    """Return (t, p) the mean of `odd` over the other bays of each one's group, NaN without any, and their number."""
    total, count = group_sums(odd, group)
    own = ~np.isnan(odd)
    rest = count - own
    others = (total - np.where(own, odd, 0)) / np.maximum(rest, 1)
    return np.where(rest > 0, others, np.nan), rest
