"""What the browser keeps between leaving for the provider and coming back: proof that both are one log-in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

from api.oidc.errors import LoginRefusedError

_RANDOM_BYTES = 32
_LONGEST_TEXT = 3072  # a cookie holds 4096 bytes with its name and attributes (RFC 6265, section 6.1)
_LONGEST_PATH = 1024


def local_path(path: str | None) -> str:
    """Return `path` if it is one of this server's own, "/" otherwise: nobody is sent elsewhere after a log-in."""
    if path is None or not path.startswith("/") or len(path) > _LONGEST_PATH:
        return "/"
    # Browsers read "//host" and "/\host" as another host, and drop control characters before they look.
    if path.startswith(("//", "/\\")) or "\\" in path or not path.isprintable() or not path.isascii():
        return "/"
    return path


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One log-in under way.

    `state` ties the answer to this browser (RFC 6749, section 10.12), `nonce` the token to this log-in (OpenID Connect
    Core, section 3.1.2.1), and `code_verifier` the code to whoever began (RFC 7636). It belongs into a cookie that
    scripts do not see, lives for minutes, and is to be forgotten at the first answer, whatever that is.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    return_path: str
    begun_at: datetime

    @classmethod
    def begin(cls, *, now: datetime, return_path: str | None = None) -> Self:
        """Return a new one, of 256 random bits thrice. After it the browser goes to `return_path`."""
        return cls(
            state=secrets.token_urlsafe(_RANDOM_BYTES),
            nonce=secrets.token_urlsafe(_RANDOM_BYTES),
            code_verifier=secrets.token_urlsafe(_RANDOM_BYTES),
            return_path=local_path(return_path),
            begun_at=now,
        )

    @property
    def code_challenge(self) -> str:
        """The verifier's SHA-256, which is all that the provider is told beforehand (method S256)."""
        digest = hashlib.sha256(self.code_verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

    def check(self, *, state: str, now: datetime, patience: timedelta) -> None:
        """Raise LoginRefusedError unless the answer with `state` is to this attempt, and in time."""
        if not hmac.compare_digest(state.encode(), self.state.encode()):
            raise LoginRefusedError("the answer's state is not the one that this browser was given")
        if not timedelta(0) <= now - self.begun_at <= patience:
            raise LoginRefusedError(f"the log-in was not finished within {patience.total_seconds():.0f} s")

    def to_text(self) -> str:
        """Return it as a text of letters, digits, `-` and `_`, for a cookie."""
        fields = [self.state, self.nonce, self.code_verifier, self.return_path, int(self.begun_at.timestamp())]
        return base64.urlsafe_b64encode(json.dumps(fields).encode()).rstrip(b"=").decode("ascii")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the attempt that `to_text` wrote; raise LoginRefusedError when it did not."""
        malformed = LoginRefusedError("the browser's record of the log-in is not one of ours")
        if len(text) > _LONGEST_TEXT:
            raise malformed
        try:
            fields = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            state, nonce, code_verifier, return_path, begun_s = fields
            begun_at = datetime.fromtimestamp(begun_s, UTC)
        except (ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
            raise malformed from error
        for part in (state, nonce, code_verifier, return_path):
            if not isinstance(part, str) or not part.isascii() or not part:
                raise malformed
        return cls(
            state=state,
            nonce=nonce,
            code_verifier=code_verifier,
            return_path=local_path(return_path),
            begun_at=begun_at,
        )
