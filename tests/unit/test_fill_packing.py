"""A fitted model as bytes: the same to the last bit, and nothing else than a model of this version comes in."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optimise.fill.forecast import train
from optimise.fill.packing import Packed, PackedModelError, pack, unpack
from tests.unit.test_fill_forecast import VALID_S, make_town


@pytest.fixture(scope="module")
def packed() -> Packed:
    data = make_town(3).known()
    return Packed(place_ids=tuple(item.place_id for item in data.bins), forecaster=train(data, seed=0))


def test_what_comes_back_forecasts_the_same_to_the_last_bit(packed: Packed):
    content = pack(packed)
    again = unpack(content)
    assert again.place_ids == packed.place_ids
    assert again.forecaster.scores == packed.forecaster.scores
    assert again.forecaster.model.kernel == packed.forecaster.model.kernel
    data = make_town(3).known()
    before, after = (forecaster.forecast(data, VALID_S) for forecaster in (packed.forecaster, again.forecaster))
    assert np.array_equal(before.quantiles, after.quantiles)
    assert np.array_equal(before.probability_full, after.probability_full)
    assert len(content) < 2_000_000


def _changed(content: bytes, change: Any) -> bytes:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        members = {name: archive[name] for name in archive.files}
    tree = json.loads(members["tree"].tobytes())
    change(tree)
    members["tree"] = np.frombuffer(json.dumps(tree).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **members)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda tree: tree.update(format=1), "expected a fill model of format 3, got 1"),
        (lambda tree: tree["forecaster"]["fields"].pop("scores"), "this version's"),
        (lambda tree: tree["forecaster"]["fields"].update(extra=1), "has the fields"),
        (lambda tree: tree["forecaster"].update(type="Popen"), "not a fill model of this version"),
        (lambda tree: tree["forecaster"]["fields"]["model"].update(fields={}), "the fields"),
        (lambda tree: tree["forecaster"]["fields"].update(model={"array": "gone"}), "not a fill model"),
        (lambda tree: tree["forecaster"]["fields"].update(model={"tuple": []}), "model .* to be a FillModel"),
        (lambda tree: tree.update(forecaster=3), "it holds no forecaster"),
        (lambda tree: tree.pop("place_ids"), "not a fill model of this version"),
    ],
    ids=[
        "format",
        "field missing",
        "field added",
        "foreign class",
        "fields gone",
        "no such array",
        "foreign type",
        "no forecaster",
        "no bins",
    ],
)
def test_another_versions_model_is_refused_in_words(packed: Packed, change: Any, says: str):
    with pytest.raises(PackedModelError, match=says):
        unpack(_changed(pack(packed), change))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04", b"\x80\x04K\x01."], ids=repr)
def test_what_is_no_model_is_refused(content: bytes):
    with pytest.raises(PackedModelError):
        unpack(content)


def test_pickled_objects_are_never_loaded(packed: Packed):
    buffer = io.BytesIO()
    np.savez(buffer, tree=np.array([object()], dtype=object))
    with pytest.raises(PackedModelError):
        unpack(buffer.getvalue())


def test_only_declared_types_are_packed(packed: Packed):
    strange = replace(packed.forecaster, scores={"of": {1, 2}})
    with pytest.raises(TypeError, match="is made of numbers, arrays, kernels"):
        pack(Packed(place_ids=packed.place_ids, forecaster=strange))
