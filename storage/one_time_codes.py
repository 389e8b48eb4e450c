"""The second factor: codes of six digits by the clock (TOTP, RFC 6238), and recovery codes for who lost the device.

Pure functions. Who keeps the secrets gives the last step that was used, and keeps the new one in the same transaction
and only if it is greater, so that of two log-ins with one code one fails.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

from storage.errors import InputError

STEP_S = 30
DIGITS = 6
"""With SHA-1 and 30 s, what every authenticator application takes; several ignore any other choice."""
RECOVERY_CODES = 10

_SECRET_BYTES = 20  # RFC 4226, section 4: 160 bits are recommended
_STEPS_AROUND = 1  # RFC 6238, section 5.2: at most one step for the delay and the clock
_RECOVERY_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: without i, l, o and u
_READ_AS = str.maketrans("ilo", "110")
_RECOVERY_GROUPS, _RECOVERY_GROUP = 6, 4


def new_secret() -> str:
    """Return a new secret of 160 random bits, in base 32 as authenticators read it."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def enrolment_uri(secret: str, *, account: str, issuer: str) -> str:
    """Return the `otpauth` URI that an authenticator reads as a QR code; `issuer` is what it shows beside `account`."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    parameters = {"secret": secret, "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": STEP_S}
    return f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote)}"


def step_at(moment: datetime) -> int:
    """Return the number of the step of 30 s that `moment` is in, since 1970."""
    return int(moment.timestamp()) // STEP_S


def code_at(secret: str, step: int) -> str:
    """Return the code of `step` (RFC 4226, section 5.3); raise InputError when `secret` is none of ours."""
    try:
        key = base64.b32decode(secret, casefold=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("expected the secret of a second factor in base 32") from error
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def accepted_step(secret: str, code: str, *, now: datetime, last_step: int | None) -> int | None:
    """Return the step whose code `code` is, around `now`; None when it is no step's, or of one not after `last_step`.

    A code that was seen once, on the screen or on the wire, is worth nothing any more (RFC 6238, section 5.2).
    """
    told = "".join(code.split())
    if len(told) != DIGITS or not told.isascii() or not told.isdigit():
        return None
    present = step_at(now)
    found: int | None = None
    for step in range(max(0, present - _STEPS_AROUND), present + _STEPS_AROUND + 1):
        # All are compared, in constant time each, so that the time tells nothing of which it was.
        if hmac.compare_digest(code_at(secret, step), told) and (last_step is None or step > last_step):
            found = step
    return found


def new_recovery_codes() -> tuple[str, ...]:
    """Return ten new codes, each good once, of 120 random bits: too many to guess, so that a plain hash keeps them."""
    return tuple(
        "-".join(
            "".join(secrets.choice(_RECOVERY_LETTERS) for _ in range(_RECOVERY_GROUP)) for _ in range(_RECOVERY_GROUPS)
        )
        for _ in range(RECOVERY_CODES)
    )


def recovery_hash(code: str) -> bytes | None:
    """Return what is kept of a recovery code (SHA-256), None when `code` cannot be one.

    Capitals, spaces, hyphens and letters that look like digits make no difference: people copy it from paper.
    Unsalted on purpose, it is found by equality; from 112 bits on NIST SP 800-63B (5.1.2.2) asks for no salt.
    """
    letters = "".join(code.lower().replace("-", " ").split()).translate(_READ_AS)
    if len(letters) != _RECOVERY_GROUPS * _RECOVERY_GROUP or not set(letters) <= set(_RECOVERY_LETTERS):
        return None
    return hashlib.sha256(letters.encode("ascii")).digest()
