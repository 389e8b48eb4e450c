"""A session proves from time to time which device it is on, so that a cookie that was copied elsewhere soon ends.

After the log-in the device makes a key pair that does not leave it, and tells the public half. From then on the
session's cookie needs a second one beside it, the proof, which lives for minutes and is given to who signs a challenge
with that key. Shaped after Device Bound Session Credentials (W3C draft: a challenge as `jti` of a JWT, the key as `jwk`
in the header of the first one), but spoken by our pages, since tablets' and phones' browsers do not speak it.

Pure. Challenges and proofs are a moment and its HMAC by a secret of the session, so that nothing is kept of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

CHALLENGE_LASTS = timedelta(minutes=2)
LONGEST_ANSWER = 2000
_LONGEST_MARK = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURVE = "P-256"
_ALGORITHM = "ES256"
_COORDINATE = 43
"""Letters of a coordinate of that curve in base64url."""


class NotProvedError(Exception):
    """The answer does not prove that the device has the key."""


class ChallengeOverError(Exception):
    """The challenge was this session's and is over: its device slept in between, and has to ask for another."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What the server hands out for one session, and knows again: moments that nobody else can have written."""

    secret: bytes

    def challenge(self, now: datetime) -> str:
        """Return a challenge of this moment."""
        return self._mark("challenge", now)

    def challenged_at(self, challenge: str, *, now: datetime) -> datetime:
        """Return when a challenge was given. Raises ChallengeOverError, or NotProvedError: none of this session's."""
        at = self._moment("challenge", challenge)
        if at is None:
            raise NotProvedError
        # The server that gave it may have a clock that is ahead of this one's.
        if abs(now - at) >= CHALLENGE_LASTS:
            raise ChallengeOverError
        return at

    def proof(self, until: datetime) -> str:
        """Return a proof that is good until then."""
        return self._mark("proof", until)

    def is_proved(self, proof: str | None, *, now: datetime) -> bool:
        """Whether this is a proof of this session that is not over."""
        until = None if proof is None else self._moment("proof", proof)
        return until is not None and now < until

    def _mark(self, kind: str, moment: datetime) -> str:
        number = str((moment - _EPOCH) // timedelta(microseconds=1))
        digest = hmac.new(self.secret, f"{kind}.{number}".encode(), hashlib.sha256).digest()
        return f"{number}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    def _moment(self, kind: str, mark: str) -> datetime | None:
        number, _, _ = mark.partition(".")
        if len(mark) > _LONGEST_MARK or not (number.isascii() and number.isdecimal()):
            return None
        try:
            moment = _EPOCH + timedelta(microseconds=int(number))
        except OverflowError:
            return None
        expected = self._mark(kind, moment)
        return moment if hmac.compare_digest(expected.encode(), mark.encode("utf-8", "replace")) else None


def challenge_in(answer: str, *, device_key: Mapping[str, Any]) -> str:
    """Return the challenge that was signed with the device's key. Raises NotProvedError when the signature is not its.

    Whether the challenge is one of ours is for `Marks.challenged_at` to say.
    """
    if len(answer) > LONGEST_ANSWER:
        raise NotProvedError
    try:
        claims = jwt.decode(answer, ECKey.import_key(dict(device_key)), algorithms=[_ALGORITHM]).claims
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise NotProvedError from error
    challenge = claims.get("jti")
    if not isinstance(challenge, str):
        raise NotProvedError
    return challenge


def public_key(told: Mapping[str, Any]) -> dict[str, str]:
    """Return the public key that a device told (JWK of P-256), and nothing besides. Raises NotProvedError."""
    key = {name: told.get(name) for name in ("kty", "crv", "x", "y")}
    coordinates = [key["x"], key["y"]]
    if key["kty"] != "EC" or key["crv"] != _CURVE:
        raise NotProvedError
    if not all(isinstance(each, str) and len(each) == _COORDINATE for each in coordinates):
        raise NotProvedError
    return {name: str(value) for name, value in key.items()}
