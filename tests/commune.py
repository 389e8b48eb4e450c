"""A small simulated commune for the tests of several folders: real streets, built once a process."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from simulators.streets import StreetMap, default_extract, read_streets
from simulators.world import World, build_world

# A week in which France changes to summer time: what breaks on such a night breaks here.
START = datetime(2026, 3, 25, tzinfo=UTC)


@cache
def streets() -> StreetMap:
    return read_streets(default_extract())


def build(
    *, seed: int = 5, bins: int = 120, bays: int = 12, spaces: int = 40, days: int = 6, native_share: float = 0.1
) -> World:
    """Build a commune that the caller may change."""
    return build_world(
        streets(), seed=seed, bins=bins, bays=bays, spaces=spaces, start=START, days=days, native_share=native_share
    )
