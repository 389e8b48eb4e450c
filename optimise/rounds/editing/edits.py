"""What a chef may ask of a plan, as values. docs/rounds-editing.md tells each in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import msgspec

from storage.errors import InputError

_MOST = 1000


class Hold(StrEnum):
    """How a bin is locked: where it stands in its round, on its round, or as the first one of it."""

    IN_PLACE = "in_place"
    ROUND = "round"
    FIRST = "first"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """A served bin stays: in place, on its round, or first in order."""

    kind: ClassVar[str] = "lock"
    place_id: str
    hold: Hold = Hold.IN_PLACE


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A served bin goes to a round, and to a position among its bins (1 is the first) when that is given."""

    kind: ClassVar[str] = "move"
    place_id: str
    vehicle_id: str
    position: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Add:
    """A bin is served, wherever it costs least, or on a round, or at a position of it."""

    kind: ClassVar[str] = "add"
    place_id: str
    vehicle_id: str | None = None
    position: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Drop:
    """A bin is left."""

    kind: ClassVar[str] = "drop"
    place_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Crew:
    """A vehicle goes out with so many people."""

    kind: ClassVar[str] = "crew"
    vehicle_id: str
    people: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Without:
    """A vehicle stays at the depot."""

    kind: ClassVar[str] = "without"
    vehicle_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Close:
    """A street is closed: OpenStreetMap's way, or the ways along a drawn line of [longitude, latitude]."""

    kind: ClassVar[str] = "close"
    way_id: int | None = None
    line: tuple[tuple[float, float], ...] = ()


type Edit = Lock | Move | Add | Drop | Crew | Without | Close

_KINDS: dict[str, type[Lock | Move | Add | Drop | Crew | Without | Close]] = {
    kind.kind: kind for kind in (Lock, Move, Add, Drop, Crew, Without, Close)
}


def edits_from(documents: Sequence[dict[str, Any]]) -> tuple[Edit, ...]:
    """Return the edits in documents like {"kind": "move", "place_id": "COR-1", "vehicle_id": "BOM-2"}.

    Raises InputError naming the edit and what is wrong with it.
    """
    if len(documents) > _MOST:
        raise InputError(f"expected at most {_MOST} edits, got {len(documents)}")
    return tuple(_edit(document, f"edit {number}") for number, document in enumerate(documents, start=1))


def _edit(document: dict[str, Any], who: str) -> Edit:
    content = dict(document)
    kind = _KINDS.get(str(content.pop("kind", None)))
    if kind is None:
        raise InputError(f"{who}: expected kind to be one of {', '.join(_KINDS)}, got {document.get('kind')!r}")
    strange = sorted(set(content) - set(kind.__dataclass_fields__))
    if strange:
        raise InputError(f"{who} ({kind.kind}): expected no {', '.join(strange)}")
    try:
        edit = msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"{who} ({kind.kind}): {error}") from error
    _refuse_nonsense(edit, f"{who} ({kind.kind})")
    return edit


def _refuse_nonsense(edit: Edit, who: str) -> None:
    if isinstance(edit, Move | Add) and edit.position is not None:
        if edit.position < 1:
            raise InputError(f"{who}: expected position >= 1, got {edit.position}")
        if edit.vehicle_id is None:
            raise InputError(f"{who}: expected a vehicle_id with a position")
    if isinstance(edit, Crew) and not 1 <= edit.people <= 9:  # noqa: PLR2004 - as round_rules
        raise InputError(f"{who}: expected people in 1..9, got {edit.people}")
    if isinstance(edit, Close):
        if (edit.way_id is None) == (not edit.line):
            raise InputError(f"{who}: expected either way_id or line")
        if edit.line and not 2 <= len(edit.line) <= _MOST:  # noqa: PLR2004 - a line has two ends
            raise InputError(f"{who}: expected a line of 2 to {_MOST} points, got {len(edit.line)}")
        for longitude_deg, latitude_deg in edit.line:
            if not (-180 <= longitude_deg <= 180 and -90 <= latitude_deg <= 90):  # noqa: PLR2004 - degrees
                raise InputError(
                    f"{who}: expected [longitude, latitude] in degrees, got {[longitude_deg, latitude_deg]}"
                )


def documents_of(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """Return the documents that `edits_from` reads, without what is not given."""
    found = []
    for edit in edits:
        content = msgspec.to_builtins(edit)
        found.append({"kind": edit.kind} | {name: value for name, value in content.items() if value not in (None, [])})
    return found
