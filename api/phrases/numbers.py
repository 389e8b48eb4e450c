"""Numbers and times as people of a language write them."""

from __future__ import annotations

from datetime import date

from api.phrases.catalogue import Catalogue

_MINUTES = 60


def decimal(value: float, phrases: Catalogue, *, digits: int) -> str:
    """Return a number with the language's decimal point."""
    return f"{value:.{digits}f}".replace(".", phrases.decimal_point)


def duration(seconds: float) -> str:
    """Return a span as hours and minutes: 3 h 05, 25 min."""
    hours, minutes = divmod(round(seconds / _MINUTES), 60)
    return f"{hours}\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}{minutes:02}" if hours else f"{minutes}\N{NO-BREAK SPACE}min"


def day(service_date: date, phrases: Catalogue) -> str:
    """Return a day in words: mercredi 11 mars 2026."""
    weekday, month = phrases.weekdays[service_date.weekday()], phrases.months[service_date.month - 1]
    return f"{weekday} {service_date.day} {month} {service_date.year}"
