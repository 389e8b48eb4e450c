"""What browsers keep for us: out of the reach of scripts and of other sites, and never in the clear on a line."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from fastapi import Request, Response

from storage import teams

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_DEVICE_KEPT_S = 365 * 86400.0


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie of ours. It goes only over TLS, except on the loopback, where nobody listens in between."""

    name: str

    def of(self, request: Request) -> str | None:
        """Return what the browser sent, if it did."""
        return request.cookies.get(self._name(request))

    def give(self, request: Request, response: Response, text: str, *, lasts_s: float) -> None:
        """Have the browser keep `text`."""
        response.set_cookie(
            self._name(request), text, max_age=int(lasts_s), path="/", secure=not _is_loopback(request), httponly=True,
            samesite="lax",
        )  # fmt: skip

    def forget(self, request: Request, response: Response) -> None:
        """Have the browser forget it."""
        response.delete_cookie(
            self._name(request), path="/", secure=not _is_loopback(request), httponly=True, samesite="lax"
        )

    def _name(self, request: Request) -> str:
        # Browsers take the prefix only with Secure, and then from no other host and over no plain line.
        return self.name if _is_loopback(request) else f"__Host-{self.name}"


SESSION = Cookie("voirie_session")
"""The token of a session."""
PROOF = Cookie("voirie_proof")
"""What the session's device was given for its last answer, good for some minutes."""
HALF = Cookie("voirie_half")
"""The token of a log-in that still owes its second factor."""
ATTEMPT = Cookie("voirie_attempt")
"""The record of a log-in under way at the provider."""
_DEVICE = Cookie("voirie_device")


def device_name(request: Request) -> str | None:
    """Return what the crew calls this device, as they once told its browser."""
    return teams.device_of(unquote(_DEVICE.of(request) or ""))


def give_device_name(request: Request, response: Response, name: str | None) -> None:
    """Have the browser remember what its device is called, for the next log-in; None forgets it."""
    if name is None:
        _DEVICE.forget(request, response)
    else:
        _DEVICE.give(request, response, quote(name, safe=""), lasts_s=_DEVICE_KEPT_S)


def _is_loopback(request: Request) -> bool:
    return request.url.hostname in _LOOPBACK
