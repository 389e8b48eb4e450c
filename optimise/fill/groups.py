"""Groups of bins in which intervals have to hold one by one: kinds, street classes, how often emptied. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats, Ints
from storage.model import Bin

_FEWEST = 4
_OTHER = "others"
_STREET = "street_"
_THIRDS = ("emptied rarely", "emptied at times", "emptied often")


@dataclass(frozen=True, kw_only=True, eq=False)
class Groups:
    """The group of each bin, `of_bin` (bins,), as an index into `names`."""

    names: tuple[str, ...]
    of_bin: Ints


def groups_of(bins: Sequence[Bin], *, measured: NDArray[np.bool_], usual_h: Floats) -> Groups:
    """Return groups of kind and street class, each of several `measured` bins (bins,), on which laws are learnt.

    Where a kind has too few measured bins in a class of streets, its classes are one; kinds with too few are one. A
    town of one kind, whose streets nobody told, is parted in thirds by how long bins are usually left, `usual_h`.
    """
    fine = _merged([f"{item.bin_kind}, {_street(item)}".removesuffix(", ") for item in bins], measured)
    coarse = _merged([item.bin_kind for item in bins], measured)
    names = [one if one != _OTHER else other for one, other in zip(fine, coarse, strict=True)]
    distinct = tuple(sorted(set(names)))
    if len(distinct) > 1 or not len(bins):
        return Groups(names=distinct, of_bin=np.array([distinct.index(name) for name in names], dtype=np.int64))
    rank = np.empty(len(bins), dtype=np.int64)
    rank[np.argsort(-usual_h, kind="stable")] = np.arange(len(bins))
    return Groups(names=_THIRDS, of_bin=rank * len(_THIRDS) // len(bins))


def _street(item: Bin) -> str:
    """Return the class of the bin's street as its surroundings mark it, nothing where they do not."""
    classes = [name for name, value in item.surroundings.items() if name.startswith(_STREET) and value == 1]
    return classes[0].removeprefix(_STREET).removesuffix("_m") if len(classes) == 1 else ""


def _merged(names: list[str], measured: NDArray[np.bool_]) -> list[str]:
    counts = {
        name: sum(1 for one, seen in zip(names, measured, strict=True) if seen and one == name) for name in set(names)
    }
    return [name if counts[name] >= _FEWEST else _OTHER for name in names]
