"""The observatory's answers as documents and tables: one form for the command and for HTTP."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

from storage import observatory
from storage.database import Connection
from storage.errors import InputError, NotFoundError
from storage.kerb.usage import DWELL_BOUNDS_S, Usage, UsageSums, usage_of
from storage.observatory_figures import By, Group, Question, answer

_DAY = timedelta(days=1)
_FIGURES = tuple(field.name for field in fields(Usage))
_USUAL_DAYS = 28
_CHANGES = ("occupied_share", "turnover_per_day", "mean_dwell_s", "overstay_share", "saturated_share", "refused_share")
"""Of these a comparison tells the difference, in the figure's own unit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One group of an answer, and the same group in the other period, None where that knows none."""

    group: Group
    usage: Usage
    other: Usage | None = None

    @property
    def name(self) -> str:
        """The group in words that a table has room for."""
        return " · ".join(str(part) for part in self.group.key if part not in {None, ""})

    def changes(self) -> dict[str, float | None] | None:
        """Return what changed from the other period to this one."""
        if self.other is None:
            return None
        return {name: _difference(getattr(self.usage, name), getattr(self.other, name)) for name in _CHANGES}


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """An answer: the local days `since` to `last`, how far figures reach, and the days of the other period, if any."""

    since: date
    last: date
    known_until: date
    by: tuple[By, ...]
    lines: tuple[Line, ...]
    other: tuple[date, date] | None = None


def by_of(text: str) -> frozenset[By]:
    """Return what a list with commas names. Raises InputError."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    wrong = [name for name in names if name not in list(By)]
    if wrong:
        raise InputError(f"by: expected {', '.join(By)}, got {wrong[0]!r}")
    return frozenset(map(By, names))


def day_of(option: str, text: str | None) -> date | None:
    """Return the day that an option names, None without it. Raises InputError."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{option}: expected a day like 2026-03-01, got {text!r}") from error


def period(connection: Connection, commune_insee: str, *, since: date | None, until: date | None) -> tuple[date, date]:
    """Return the first day and the day after the last of a period whose ends (both included) may be left open.

    NotFoundError before the first day is observed.
    """
    state = observatory.state(connection, commune_insee)
    if state is None:
        raise NotFoundError(
            f"commune {commune_insee} has no figures yet: the worker makes them two hours after the first day's end"
        )
    end = state.observed_until if until is None else until + _DAY
    return (end - _USUAL_DAYS * _DAY if since is None else since), end


def other_period(text: str, question: Question) -> Question:
    """Return the same question of another period: `FROM..TO`, or `previous`. Raises InputError."""
    since, until = question.period
    if text == "previous":
        return replace(question, since=since - (until - since), until=since)
    try:
        first, last = (date.fromisoformat(part) for part in text.split(".."))
    except ValueError as error:
        raise InputError(
            f"compare: expected two days like 2025-03-01..2025-03-31, or previous, got {text!r}"
        ) from error
    return replace(question, since=first, until=last + _DAY)


def compared(connection: Connection, commune_insee: str, question: Question, other: Question | None) -> Compared:
    """Return the answer, each line with the same group of the `other` period."""
    state = observatory.state(connection, commune_insee)
    groups = answer(connection, commune_insee, question)
    before: dict[tuple[Any, ...], Usage] = {}
    if other is not None:
        if By.MONTH in question.by:
            raise InputError("compare: the months of two periods are not the same ones: leave month out of by")
        before = {group.key: usage_of(group.sums) for group in answer(connection, commune_insee, other)}
    since, until = question.period
    return Compared(
        since=since,
        last=until - _DAY,
        known_until=until if state is None else state.observed_until,
        by=tuple(name for name in By if name in question.by),
        lines=tuple(Line(group=group, usage=usage_of(group.sums), other=before.get(group.key)) for group in groups),
        other=None if other is None else (other.period[0], other.period[1] - _DAY),
    )


def document(commune_insee: str, told: Compared) -> dict[str, Any]:
    """Return the answer as one JSON document; docs/kerb.md says what each figure is."""
    return {
        "commune_insee": commune_insee,
        "from": told.since.isoformat(),
        "to": told.last.isoformat(),
        "known_until": (told.known_until - _DAY).isoformat(),
        "by": [name.value for name in told.by],
        "compared_with": None
        if told.other is None
        else {"from": told.other[0].isoformat(), "to": told.other[1].isoformat()},
        "dwell_bounds_s": list(DWELL_BOUNDS_S),
        "groups": [_line(line, told) for line in told.lines],
    }


def _line(line: Line, told: Compared) -> dict[str, Any]:
    found: dict[str, Any] = _keys(line.group, told.by)
    if line.group.places is not None:
        found["places"] = line.group.places
    found |= _figures(line.usage)
    if told.other is not None:
        found["compared"] = None if line.other is None else _figures(line.other)
        found["change"] = line.changes()
    return found


def _keys(group: Group, by: tuple[By, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in by:
        match name:
            case By.BAY:
                found["place_id"] = group.place_id
            case By.STREET:
                found["street"] = group.street or None
            case By.QUARTER:
                found["quarter"] = group.quarter or None
            case By.HOUR:
                found["hour"] = group.hour
            case By.DAY_CLASS:
                found["day_class"] = group.day_class
            case By.MONTH:
                found["month"] = None if group.month is None else f"{group.month:%Y-%m}"
    return found


def _figures(usage: Usage) -> dict[str, Any]:
    # Not asdict: it copies what cannot change, and a city has twenty thousand bays.
    return {name: getattr(usage, name) for name in _FIGURES}


def table(told: Compared) -> list[list[Any]]:
    """Return the answer as rows under their head, one for each group; nothing known is an empty field."""
    bounds = [f"dwell_below_{bound // 60}_min_share" for bound in DWELL_BOUNDS_S] + ["dwell_longer_share"]
    figures = [name for name in _FIGURES if name != "dwell_shares"]
    keys = list(_keys(Group(sums=UsageSums()), told.by))
    head = ["from", "to", *keys, "places", *figures, *bounds]
    if told.other is not None:
        head += [f"compared_{name}" for name in figures] + [f"change_{name}" for name in _CHANGES]
    rows: list[list[Any]] = [head]
    for line in told.lines:
        shares = line.usage.dwell_shares or ("",) * len(bounds)
        row = [told.since, told.last, *_keys(line.group, told.by).values(), line.group.places]
        row += [getattr(line.usage, name) for name in figures] + list(shares)
        if told.other is not None:
            changes = line.changes() or {}
            row += [None if line.other is None else getattr(line.other, name) for name in figures]
            row += [changes.get(name) for name in _CHANGES]
        rows.append(["" if value is None else _safe(value) for value in row])
    return rows


def _safe(value: Any) -> Any:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t"} else value


def _difference(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else round(now - before, 4)
