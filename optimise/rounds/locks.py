"""What may not change when rounds are made anew: who serves a bin, what comes first, what stays in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from optimise.rounds.solution import VisitKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Locks:
    """Locks of one problem, whose bins and vehicles are indices.

    `vehicle`: bins and the vehicle that has to serve them. `head`: the visits that a vehicle begins with, in this
    order. `order`: the bins of a vehicle in the order from which `pinned` ones may not depart: what comes before a
    pinned bin there and is still served by that vehicle comes before it, what comes after comes after; others may come
    anywhere.
    """

    vehicle: Mapping[int, int] = field(default_factory=dict)
    head: Mapping[int, tuple[tuple[VisitKind, int], ...]] = field(default_factory=dict)
    order: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    pinned: frozenset[int] = frozenset()
