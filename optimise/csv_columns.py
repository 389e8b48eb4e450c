"""Which column of a file holds what: as one is told, otherwise a format's own names, then those of others. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.errors import InputError

# Our name -> the names that are understood, each with the factor that brings its numbers to our unit.
type Known = Mapping[str, tuple[tuple[str, float], ...]]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the file: its `index`, its `name` there, and the `factor` that brings its numbers to our unit."""

    index: int
    name: str
    factor: float = 1.0


def parse_mapping(text: str | None, known: Known) -> dict[str, tuple[str, float]]:
    """Return what `ours=theirs,other=column*10` says: our name -> (name in the file, factor).

    Raises InputError when it says nothing sensible.
    """
    mapping: dict[str, tuple[str, float]] = {}
    for part in filter(None, (piece.strip() for piece in (text or "").split(","))):
        ours, equals, theirs = (piece.strip() for piece in part.partition("="))
        if not equals or ours not in known:
            raise InputError(f"expected NAME=COLUMN with NAME among {', '.join(known)}, got {part!r}")
        name, times, factor = (piece.strip() for piece in theirs.partition("*"))
        try:
            mapping[ours] = (name, float(factor) if times else 1.0)
        except ValueError:
            raise InputError(f"expected a number after '*', got {factor!r} in {part!r}") from None
        if not name or not mapping[ours][1] > 0:
            raise InputError(f"expected a column's name and a factor > 0, got {part!r}")
    return mapping


def match_columns(
    header: Sequence[str],
    known: Known,
    *,
    needed: Sequence[str],
    optional: Sequence[str],
    mapping: Mapping[str, tuple[str, float]] | None = None,
    example: str,
) -> dict[str, Column]:
    """Return our name -> column, for what the file has.

    Raises InputError when one of the `needed`, or one that `mapping` names, is not there; `example` shows what
    --columns could say.
    """
    position = {name.strip().lower(): index for index, name in reversed(list(enumerate(header)))}
    found: dict[str, Column] = {}
    for ours in (*needed, *optional):
        if mapping and ours in mapping:
            name, factor = mapping[ours]
            if name.lower() not in position:
                raise InputError(f"there is no column {name!r}: the file has {', '.join(header)}")
            found[ours] = Column(index=position[name.lower()], name=name, factor=factor)
            continue
        for name, factor in known[ours]:
            if name in position:
                found[ours] = Column(index=position[name], name=header[position[name]].strip(), factor=factor)
                break
    missing = [ours for ours in needed if ours not in found]
    if missing:
        advice = f"name it with --columns, as in --columns {example}"
        raise InputError(f"no column {' and no column '.join(missing)} in {', '.join(header)}: {advice}")
    return found
