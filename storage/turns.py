"""Orders compared: which bins changed their turn."""

from __future__ import annotations

from collections.abc import Sequence


def out_of_turn(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Return the fewest of the bins in both that would have to move for their order to be the old one, in new order."""
    turn = {place_id: number for number, place_id in enumerate(before)}
    both = [place_id for place_id in after if place_id in turn]
    best: list[int] = []
    came: list[int] = []
    for at, place_id in enumerate(both):
        options = [earlier for earlier in range(at) if turn[both[earlier]] < turn[place_id]]
        earlier = max(options, key=lambda one: best[one], default=-1)
        best.append(1 + (best[earlier] if earlier >= 0 else 0))
        came.append(earlier)
    kept: set[int] = set()
    at = max(range(len(both)), key=lambda one: best[one], default=-1)
    while at >= 0:
        kept.add(at)
        at = came[at]
    return [place_id for at, place_id in enumerate(both) if at not in kept]
