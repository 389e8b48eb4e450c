"""Passwords: what is admitted, and how they are kept.

Kept by Argon2id (RFC 9106) with the second set of parameters that the RFC recommends, for machines that have not two
GiB to spare: 3 passes, 64 MiB, 4 lanes. Admitted by length and by how many guesses they would take (zxcvbn: Wheeler,
USENIX Security 2016), not by kinds of characters (NIST SP 800-63B, section 5.1.1.2).
"""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from zxcvbn import zxcvbn

from storage.errors import InputError

SHORTEST = 12
LONGEST = 128
"""Longer ones cost a server time; nobody types them."""

_GOOD = 3
"""zxcvbn's scale from 0 to 4: 3 is more than a hundred million guesses."""
_TRIED_HERE = ("voirie", "mairie", "commune", "motdepasse", "bonjour", "soleil", "doudou", "loulou", "chouchou")
"""What people here try first, beside the lists that zxcvbn brings."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


@cache
def _nobodys() -> str:
    """Return the hash of a password that nobody has: to take the same time where there is no account."""
    return _hasher().hash(secrets.token_urlsafe(32))


def check(password: str, *, name: str) -> None:
    """Raise InputError when `password` is not one to have."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(f"password: expected {SHORTEST} to {LONGEST} characters, got {len(password)}")
    if zxcvbn(password, user_inputs=[name, *_TRIED_HERE], max_length=LONGEST)["score"] < _GOOD:
        raise InputError("password: expected one that is not made of the name, common words, sequences and repetitions")


def is_admitted(password: str, *, name: str) -> bool:
    """Whether `check` lets `password` pass."""
    try:
        check(password, name=name)
    except InputError:
        return False
    return True


def made() -> str:
    """Return a password that nobody guesses, short enough to be read out."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"  # without what looks alike
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def hashed(password: str) -> str:
    """Return what is kept of `password`."""
    return _hasher().hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether `password` is the one that was kept. Takes the same time when there is none."""
    known = kept if len(password) <= LONGEST else None
    try:
        _hasher().verify(known or _nobodys(), password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return known is not None


def is_outdated(kept: str) -> bool:
    """Whether `kept` was made with other parameters than today's."""
    return _hasher().check_needs_rehash(kept)
