"""How much rounds differ from what crews know: a price for each bin that changes its round or its turn."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """The rounds that crews know: bins by vehicle in their order, and what each change costs (problem.EURO).

    A bin changes when another vehicle serves it, when it is served or left and was not before, and when it comes at
    another turn: when it is not in the longest part of the round that keeps its order.
    """

    orders: Mapping[int, Sequence[int]] = field(default_factory=dict)
    change_cost: int = 0

    def place_of(self) -> dict[int, tuple[int, int]]:
        """Return each known bin's vehicle and its turn there."""
        return {stop: (vehicle, turn) for vehicle, order in self.orders.items() for turn, stop in enumerate(order)}


def changed_in(vehicle: int, stops: Sequence[int], place_of: Mapping[int, tuple[int, int]]) -> int:
    """Return how many bins of a round changed: strangers to it, and those out of their order."""
    turns = [place_of[stop][1] for stop in stops if stop in place_of and place_of[stop][0] == vehicle]
    return len(stops) - longest_increasing(turns)


def longest_increasing(turns: Sequence[int]) -> int:
    """Return the length of the longest strictly increasing part (patience sorting)."""
    piles: list[int] = []
    for turn in turns:
        at = bisect_left(piles, turn)
        piles[at : at + 1] = [turn]
    return len(piles)
