"""What goes wrong between a sensor and the broker, and how often."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from simulators.local_time import DAY_S
from simulators.randomness import Stream, stream

_SHORTEST_DELAY_S = 60
_LIFE_S = 90 * DAY_S
_FREEZE_S = (1 * DAY_S, 6 * DAY_S)
_NEVER_S = 2**40


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultOptions:
    """Rates are shares of messages, shares are shares of sensors.

    Dropped messages never reach the broker; repeats come twice; delays bring a message minutes to `longest_delay_s`
    late, out of order; garbage comes on top. Of the sensors, some die and some freeze for days within their first 90.
    """

    drop_rate: float = 0.02
    repeat_rate: float = 0.01
    delay_rate: float = 0.02
    garbage_rate: float = 0.002
    death_share: float = 0.03
    freeze_share: float = 0.03
    longest_delay_s: int = 6 * 3600

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "longest_delay_s" and not 0.0 <= value <= 1.0:
                raise ValueError(f"expected {field.name} within 0..1, got {value}")
        if self.longest_delay_s < _SHORTEST_DELAY_S:
            raise ValueError(f"expected longest_delay_s >= {_SHORTEST_DELAY_S}, got {self.longest_delay_s}")


NO_FAULTS = FaultOptions(
    drop_rate=0.0, repeat_rate=0.0, delay_rate=0.0, garbage_rate=0.0, death_share=0.0, freeze_share=0.0
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ailments:
    """What befalls each of n devices, Unix seconds int64 (n,): dies at, reports one distance from, until."""

    dies_s: NDArray[np.int64]
    frozen_from_s: NDArray[np.int64]
    frozen_until_s: NDArray[np.int64]


def ailments(devices: int, faults: FaultOptions, *, seed: int, start_s: int) -> Ailments:
    """Draw what befalls each device."""
    generator = stream(seed, Stream.FAULTS)
    luck = generator.random((2, devices))
    when = start_s + generator.integers(DAY_S, _LIFE_S, (2, devices))
    lasts = generator.integers(*_FREEZE_S, devices)
    freezes = luck[1] < faults.freeze_share
    return Ailments(
        dies_s=np.where(luck[0] < faults.death_share, when[0], _NEVER_S),
        frozen_from_s=np.where(freezes, when[1], _NEVER_S),
        frozen_until_s=np.where(freezes, when[1] + lasts, _NEVER_S),
    )


def delays_us(count: int, longest_s: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return delays in microseconds, (count,): most of minutes, some of hours (log-uniform)."""
    log_s = generator.uniform(np.log(_SHORTEST_DELAY_S), np.log(longest_s), count)
    return (np.exp(log_s) * 1e6).astype(np.int64)
