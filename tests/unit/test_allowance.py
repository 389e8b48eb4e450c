"""An allowance holds whatever the pattern of requests, and remembers only so many."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.allowance import Allowances
from storage.json_depth import is_too_deep

GAPS_S = st.lists(st.floats(min_value=0, max_value=30, allow_nan=False), max_size=120)


@given(gaps_s=GAPS_S, burst=st.integers(1, 20), per_minute=st.integers(1, 600))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_no_stretch_of_time_has_more_than_the_burst_and_what_came_back(
    gaps_s: list[float], burst: int, per_minute: int
):
    allowances = Allowances(burst=burst, per_s=per_minute / 60)
    now_s, admitted = 0.0, []
    for gap_s in gaps_s:
        now_s += gap_s
        wait_s = allowances.wait_s("somebody", now_s)
        if wait_s:
            # Who comes again when they were told to is admitted: nobody waits for nothing.
            assert not Allowances.wait_s(allowances, "somebody", now_s + wait_s + 1e-3)
            now_s += wait_s + 1e-3
        admitted.append(now_s)
    for first, since_s in enumerate(admitted):
        for last in range(first, len(admitted)):
            most = burst + (admitted[last] - since_s) * per_minute / 60
            assert last - first + 1 <= most + 1e-3


def test_whoever_keeps_to_the_rate_is_never_refused():
    allowances = Allowances(burst=3, per_s=0.1)
    assert not any(allowances.wait_s("steady", 10.0 * turn) for turn in range(10_000))


def test_one_client_takes_nothing_from_another():
    allowances = Allowances(burst=2, per_s=1)
    assert [bool(allowances.wait_s("loud", 0.0)) for _ in range(4)] == [False, False, True, True]
    assert not allowances.wait_s("quiet", 0.0)


def test_flood_of_clients_is_bounded_in_memory_and_the_loudest_stay_known():
    allowances = Allowances(burst=10, per_s=0.01, most_keys=100)
    while not allowances.wait_s("loud", 0.0):
        pass
    for number in range(5000):
        allowances.wait_s(number, 0.001 * number)
        assert len(allowances) <= 100
    assert allowances.wait_s("loud", 5.0)


@pytest.mark.parametrize("wrong", [{"burst": 0}, {"per_s": 0}, {"per_s": float("inf")}, {"most_keys": 0}])
def test_nonsense_is_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match="expected"):
        Allowances(**({"burst": 1, "per_s": 1.0} | wrong))  # type: ignore[arg-type]


NESTED = st.recursive(
    st.none() | st.integers() | st.text(alphabet='[]{}"\\é,a', max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='[{"\\', max_size=4), inner, max_size=3)
    ),
    max_leaves=40,
)


def levels_of(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(levels_of, inner), default=0)


@given(value=NESTED, most=st.integers(0, 6))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_depth_is_counted_as_a_reader_of_json_would(value: object, most: int):
    assert is_too_deep(json.dumps(value).encode(), most=most) == (levels_of(value) > most)


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        (b"[" * 100_000, True),
        (b'"' + b"[" * 100_000, False),  # a string that never ends
        (b'"' + b'\\"' * 500_000 + b"[" * 50, False),  # made to have each quote looked at again
        (b"[]" * 300_000, False),  # wide, not deep
        (b"]" * 100 + b"[" * 40, False),  # no JSON: whoever reads it says so
        (b"", False),
    ],
)
def test_depth_of_what_was_made_to_harm(text: bytes, *, deep: bool):
    assert is_too_deep(text) == deep
