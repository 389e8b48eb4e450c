"""The weather of a day, where a town has a feed of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True, slots=True)
class DayWeather:
    """A local day's mean temperature and its rain, measured or foretold; None where that is not known."""

    day: date
    temperature_c: float | None = None
    rain_mm: float | None = None

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if self.temperature_c is not None and not -60 <= self.temperature_c <= 60:  # noqa: PLR2004 - no town is colder or hotter
            raise ValueError(f"expected -60 <= temperature_c <= 60, got {self.temperature_c:g}")
        if self.rain_mm is not None and not 0 <= self.rain_mm <= 1000:  # noqa: PLR2004 - no day is wetter
            raise ValueError(f"expected 0 <= rain_mm <= 1000, got {self.rain_mm:g}")
        if self.temperature_c is None and self.rain_mm is None:
            raise ValueError("expected temperature_c, rain_mm or both")
