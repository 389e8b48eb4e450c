"""Passwords: which are admitted, and that what is kept proves them and tells nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import passwords
from storage.errors import InputError


@pytest.mark.parametrize(
    "password",
    ["short-one", "x" * 129, "111111111111", "abcabcabcabcabc", "password1234", "azertyuiop123", "motdepasse2024!",
     "m.martin-2026", "mairiemairie1"],
)  # fmt: skip
def test_what_is_guessed_first_is_refused(password: str):
    assert not passwords.is_admitted(password, name="m.martin")
    with pytest.raises(InputError, match=r"^password: expected"):
        passwords.check(password, name="m.martin")


@pytest.mark.parametrize("password", ["sixteen brown herons", "vingt canards sous la pluie", "Tz8$kWq!v0Lm"])
def test_what_is_hard_to_guess_is_admitted_whatever_its_characters(password: str):
    assert passwords.is_admitted(password, name="m.martin")


def test_made_ones_are_admitted_and_never_the_same():
    made = {passwords.made() for _ in range(50)}
    assert len(made) == 50
    assert all(passwords.is_admitted(one, name="m.martin") for one in made)


@settings(max_examples=5, deadline=None)
@given(password=st.text(min_size=1, max_size=128), other=st.text(max_size=200))
def test_what_is_kept_proves_its_password_alone(password: str, other: str):
    kept = passwords.hashed(password)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.matches(password, kept)
    assert passwords.matches(other, kept) is (other == password)
    assert not passwords.matches(password, None)
    assert not passwords.matches(password, "nonsense")
    assert not passwords.is_outdated(kept)
