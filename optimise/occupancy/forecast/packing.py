"""A model, or what is usual, as bytes and back: NumPy's archive of plain arrays, of which nothing is ever run. Pure."""

from __future__ import annotations

import io
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from optimise.occupancy.forecast.hidden import Hidden
from optimise.occupancy.forecast.model import Model
from optimise.occupancy.forecast.trees import Trees
from optimise.occupancy.forecast.usual import Usual
from storage.errors import InputError

FORMAT = 1
_TREES = ("root", "feature", "threshold", "unknown_left", "left", "right", "value")
_HIDDEN = ("weight", "fade_s", "doubt", "strength")

type _Arrays = dict[str, NDArray[Any]]


class PackedOccupancyError(InputError):
    """These bytes are nothing that this version of Voirie wrote."""


def pack_model(model: Model) -> bytes:
    """Return the bytes of a model; `unpack_model` gives back its answers to the last bit."""
    arrays: _Arrays = {
        "bend": np.array([model.slope, model.shift]),
        "shock": model.shock,
        "hidden": np.array([getattr(model.hidden, name) for name in _HIDDEN]),
    }
    if model.trees is not None:
        arrays |= {f"trees_{name}": getattr(model.trees, name) for name in _TREES}
        arrays["trees_depth"] = np.array([model.trees.depth])
        arrays["trees_base"] = np.array([model.trees.base])
    return _packed(arrays)


def unpack_model(content: bytes) -> Model:
    """Return what `pack_model` took. Raises PackedOccupancyError for anything else."""
    arrays = _unpacked(content)
    try:
        trees = None
        if "trees_root" in arrays:
            trees = Trees(
                **{name: arrays[f"trees_{name}"] for name in _TREES},
                depth=int(arrays["trees_depth"][0]),
                base=float(arrays["trees_base"][0]),
            )
        return Model(
            trees=trees,
            slope=float(arrays["bend"][0]),
            shift=float(arrays["bend"][1]),
            shock=arrays["shock"],
            hidden=Hidden(**dict(zip(_HIDDEN, map(float, arrays["hidden"]), strict=True))),
        )
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise PackedOccupancyError(f"not an occupancy model of this version: {error}") from error


def pack_usual(place_ids: tuple[str, ...], usual: Usual) -> bytes:
    """Return the bytes of what is usual in the coming week at places."""
    return _packed(
        {
            "place_ids": np.array(place_ids, dtype=np.str_),
            "share": usual.share.astype(np.float16),
            "first_day": np.array([usual.first_day]),
        }
    )


def unpack_usual(content: bytes, *, time_zone: str) -> tuple[tuple[str, ...], Usual]:
    """Return what `pack_usual` took. Raises PackedOccupancyError for anything else."""
    arrays = _unpacked(content)
    try:
        share = arrays["share"].astype(np.float32)
        usual = Usual(share=share, first_day=int(arrays["first_day"][0]), time_zone=time_zone, repeats=True)
        place_ids = tuple(map(str, arrays["place_ids"].tolist()))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise PackedOccupancyError(f"not what is usual, of this version: {error}") from error
    if len(place_ids) != len(share):
        raise PackedOccupancyError(f"expected what is usual at {len(place_ids)} places, got {len(share)}")
    return place_ids, usual


def _packed(arrays: _Arrays) -> bytes:
    buffer = io.BytesIO()
    members: dict[str, Any] = {"format": np.array([FORMAT])} | arrays
    np.savez_compressed(buffer, **members)
    return buffer.getvalue()


def _unpacked(content: bytes) -> _Arrays:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        number = int(arrays.pop("format")[0])
    except (BadZipFile, EOFError, IndexError, KeyError, OSError, TypeError, ValueError) as error:
        raise PackedOccupancyError(f"not of this version: {error}") from error
    if number != FORMAT:
        raise PackedOccupancyError(f"expected format {FORMAT}, got {number}")
    return arrays
