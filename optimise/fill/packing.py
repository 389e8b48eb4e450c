"""A fitted forecaster as bytes and back. Pure, and nothing that is stored is ever run.

The form is NumPy's archive of plain arrays, one of which is a JSON tree of fields. What may be made of it is read off
the declared types of `Forecaster`, never off the bytes: they name no class that this version of the code does not hold
already. A model of another version of the code is refused as such, and trained anew.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, TypeAliasType, get_args, get_type_hints
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Exponentiation, Kernel, Matern, Product, Sum

from optimise.fill.forecast import Forecaster
from optimise.fill.kernels import OnColumns
from storage.errors import InputError

_FORMAT = 3
_KERNELS = {kind.__name__: kind for kind in (RBF, ConstantKernel, Exponentiation, Matern, Product, Sum, OnColumns)}

type _Arrays = dict[str, NDArray[Any]]


class PackedModelError(InputError):
    """These bytes are no fill model that this version of Voirie wrote."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Packed:
    """A forecaster and the bins that the rows of its arrays stand for, in their order."""

    place_ids: tuple[str, ...]
    forecaster: Forecaster


def pack(packed: Packed) -> bytes:
    """Return the bytes of a fitted forecaster; `unpack` gives it back to the last bit."""
    arrays: _Arrays = {}
    tree = {
        "format": _FORMAT,
        "place_ids": list(packed.place_ids),
        "forecaster": _encoded(packed.forecaster, arrays),
    }
    buffer = io.BytesIO()
    members: dict[str, Any] = {"tree": np.frombuffer(json.dumps(tree).encode(), dtype=np.uint8)} | arrays
    np.savez_compressed(buffer, **members)
    return buffer.getvalue()


def unpack(content: bytes) -> Packed:
    """Return what `pack` took. Raises PackedModelError for anything else, and for another version's models."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        tree = json.loads(arrays.pop("tree").tobytes())
        if tree["format"] != _FORMAT:
            raise PackedModelError(f"expected a fill model of format {_FORMAT}, got {tree['format']!r}")
        forecaster = _decoded(tree["forecaster"], arrays)
        place_ids = tuple(str(place_id) for place_id in tree["place_ids"])
    except (BadZipFile, EOFError, IndexError, KeyError, OSError, TypeError, ValueError) as error:
        if isinstance(error, PackedModelError):
            raise
        raise PackedModelError(f"not a fill model of this version: {error}") from error
    if not isinstance(forecaster, Forecaster):
        raise PackedModelError("not a fill model of this version: it holds no forecaster")
    return Packed(place_ids=place_ids, forecaster=forecaster)


def _encoded(value: Any, arrays: _Arrays) -> Any:
    """Return the JSON of a value; its arrays go to `arrays`, and the JSON names them."""
    node: Any
    if value is None or isinstance(value, str | bool | int | float):
        node = value
    elif isinstance(value, np.generic):
        node = value.item()
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        node = {"array": f"a{len(arrays)}"}
        arrays[node["array"]] = value
    elif isinstance(value, Kernel):
        inner = {name: _encoded(part, arrays) for name, part in value.get_params(deep=False).items()}
        node = {"kernel": _named(value, _KERNELS), "fields": inner}
    elif is_dataclass(value):
        inner = {field.name: _encoded(getattr(value, field.name), arrays) for field in fields(value)}
        node = {"type": _named(value, _types()), "fields": inner}
    elif isinstance(value, tuple | list):
        node = {"tuple" if isinstance(value, tuple) else "list": [_encoded(part, arrays) for part in value]}
    elif isinstance(value, dict):
        node = {"entries": [[key, _encoded(part, arrays)] for key, part in value.items()]}
    else:
        raise TypeError(f"a fitted model is made of numbers, arrays, kernels and our dataclasses, not {type(value)}")
    return node


def _named(value: object, known: dict[str, Any]) -> str:
    name = type(value).__name__
    if known.get(name) is not type(value):
        raise TypeError(f"{type(value).__qualname__} is not among the declared types of a fitted model")
    return name


def _decoded(node: Any, arrays: _Arrays) -> Any:
    if not isinstance(node, dict):
        return node
    value: Any
    match next(iter(node)):
        case "array":
            value = arrays[node["array"]]
        case "tuple":
            value = tuple(_decoded(part, arrays) for part in node["tuple"])
        case "list":
            value = [_decoded(part, arrays) for part in node["list"]]
        case "entries":
            value = {key: _decoded(part, arrays) for key, part in node["entries"]}
        case "kernel":
            value = _KERNELS[node["kernel"]](**_fields(node, arrays))
        case "type":
            value = _made(_types()[node["type"]], _fields(node, arrays))
        case other:
            raise PackedModelError(f"a fill model has no part {other!r}")
    return value


def _made(kind: Any, found: dict[str, Any]) -> Any:
    expected = {field.name for field in fields(kind)}
    if set(found) != expected:
        raise PackedModelError(
            f"the model's {kind.__name__} has the fields {', '.join(sorted(found))}, "
            f"this version's {', '.join(sorted(expected))}"
        )
    for name, hint in get_type_hints(kind).items():
        if isinstance(hint, type) and is_dataclass(hint) and not isinstance(found[name], hint):
            raise PackedModelError(f"expected {name} of the model's {kind.__name__} to be a {hint.__name__}")
    return kind(**found)


def _fields(node: dict[str, Any], arrays: _Arrays) -> dict[str, Any]:
    return {name: _decoded(part, arrays) for name, part in node["fields"].items()}


@cache
def _types() -> dict[str, Any]:
    """Return by name the dataclasses that a forecaster is declared to be made of."""
    found: dict[str, Any] = {}
    _collect(Forecaster, found)
    return found


def _collect(kind: Any, found: dict[str, Any]) -> None:
    if isinstance(kind, type) and is_dataclass(kind):
        if kind.__name__ not in found:
            found[kind.__name__] = kind
            for inner in _hints(kind):
                _collect(inner, found)
        return
    for inner in _parts(kind):
        _collect(inner, found)


def _hints(kind: type) -> Iterator[Any]:
    yield from get_type_hints(kind).values()


def _parts(kind: Any) -> Sequence[Any]:
    return (kind.__value__,) if isinstance(kind, TypeAliasType) else get_args(kind)
