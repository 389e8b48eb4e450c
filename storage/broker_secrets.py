"""Secrets of the broker's users: made, shown once, and kept as a proof that does not lead back.

PBKDF2 with HMAC-SHA-512 (RFC 8018), in the form of Mosquitto 2's password files: `user:$7$iterations$salt$digest`, salt
and digest in base64. The iterations are Mosquitto's own: a secret of 192 random bits is not guessed however fast a
guess is, while the broker, which has one thread, computes this at every connection.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass

_SECRET_BYTES = 24
# Mosquitto 2.0 reads salts of 12 bytes. Letters, so that EMQX, which takes a salt as text, computes the same.
_SALT_BYTES = 9
_ITERATIONS = 101
_DIGEST_BYTES = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What is kept of a secret."""

    salt: str
    iterations: int
    digest: bytes


def new_secret() -> str:
    """Return a secret of 192 bits, in letters that need no quoting anywhere."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def prove(secret: str) -> Proof:
    """Return what to keep of a secret."""
    salt = secrets.token_urlsafe(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt.encode(), _ITERATIONS, _DIGEST_BYTES)
    return Proof(salt=salt, iterations=_ITERATIONS, digest=digest)


def password_line(user_name: str, *, salt: str, iterations: int, digest: bytes) -> str:
    """Return a line of Mosquitto's password file."""
    return f"{user_name}:$7${iterations}${base64.b64encode(salt.encode()).decode()}${base64.b64encode(digest).decode()}"
