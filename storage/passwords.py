"""Passwords: what is admitted, and how they are kept.

Kept by Argon2id (RFC 9106) with the second set of parameters that the RFC recommends, for machines that have not two
GiB to spare: 3 passes, 64 MiB, 4 lanes. Admitted by length and by a list of what everybody tries first, not by kinds of
characters (NIST SP 800-63B, section 5.1.1.2).
"""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from storage.errors import InputError

SHORTEST = 12
LONGEST = 128
"""Longer ones cost a server time; nobody types them."""

_TRIED_FIRST = (
    "password", "motdepasse", "azerty", "qwerty", "123456", "bonjour", "soleil", "doudou", "loulou", "admin",
    "iloveyou", "voirie", "mairie", "letmein", "welcome", "abc123", "football", "monkey", "dragon", "chouchou",
)  # fmt: skip


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
    core = password.lower()
    for common in (*_TRIED_FIRST, name.lower()):
        core = core.replace(common, "")
    if len(set(core.strip("0123456789!?.*-_ "))) < SHORTEST // 3:
        raise InputError("password: expected one that is not made of the name, common words, digits and repetitions")


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
