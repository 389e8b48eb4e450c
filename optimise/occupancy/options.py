"""What the making of sessions believes."""

from __future__ import annotations

from dataclasses import dataclass, fields

from storage.model import SENSOR_SILENT_AFTER


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionOptions:
    """Seconds, unless the name says otherwise.

    `blink_s`: no vehicle leaves and no other one stands there in less: a shorter state is the sensor's own, or somebody
    who drove over it. `flutter_s` and `flutter_least`: so many states in a row, each shorter than that, are a sensor
    that cannot decide; what it settles to holds from where it began. `silent_after_s`: two reports further apart say
    nothing of the time between.
    """

    blink_s: float = 15.0
    flutter_s: float = 60.0
    flutter_least: int = 4
    silent_after_s: float = SENSOR_SILENT_AFTER.total_seconds()

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value <= 0:
                raise ValueError(f"expected {field.name} > 0, got {value}")
        if self.flutter_s < self.blink_s:
            raise ValueError(f"expected flutter_s >= blink_s, got {self.flutter_s} < {self.blink_s}")
        if self.silent_after_s <= self.flutter_s:
            raise ValueError(f"expected silent_after_s > flutter_s, got {self.silent_after_s} <= {self.flutter_s}")

    @property
    def settled_us(self) -> int:
        """A state that lasted this long, Unix microseconds, is neither a blink nor part of a flutter."""
        return round(self.flutter_s * 1e6)
