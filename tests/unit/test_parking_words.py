"""What drivers are told of a place: never better than what is known of it."""

from __future__ import annotations

import pytest

from api.guidance import Measured
from api.pages.parking import Verdict, tenths, verdict_of


def _seen(free: int = 0, occupied: int = 0, unknown: int = 0) -> Measured:
    return Measured(free=free, occupied=occupied, unknown=unknown)


@pytest.mark.parametrize(
    ("minutes", "chance", "measured", "verdict"),
    [
        (0, 1.0, _seen(free=1, occupied=3), Verdict.FREE),
        (0, 0.0, _seen(occupied=4), Verdict.FULL),
        (0, 0.9, _seen(occupied=3, unknown=1), Verdict.LIKELY),  # the one without a sensor may be free
        (0, None, _seen(occupied=3, unknown=1), Verdict.UNKNOWN),
        (0, None, _seen(unknown=5), Verdict.UNKNOWN),
        (20, 0.9, _seen(occupied=4), Verdict.LIKELY),
        (20, 0.1, _seen(free=4), Verdict.UNLIKELY),  # free now is not free then
        (20, 0.5, _seen(free=4), Verdict.MAYBE),
        (20, None, _seen(free=4), Verdict.UNKNOWN),
    ],
)
def test_now_is_what_sensors_see_and_later_is_what_is_foretold(
    minutes: int, chance: float | None, measured: Measured, verdict: Verdict
):
    assert verdict_of(minutes=minutes, chance=chance, measured=measured) is verdict


def test_what_is_foretold_is_never_certain():
    assert [tenths(chance) for chance in (0.0, 0.04, 0.66, 0.99, 1.0)] == [1, 1, 7, 9, 9]
