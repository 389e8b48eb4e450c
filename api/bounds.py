"""What a request may be at most, before anything of it is understood, and how often a client may come.

Every limit that has no option in `ApiOptions` is a constant here; docs/limits.md lists them all, and a test compares.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from starlette.exceptions import HTTPException
from starlette.types import Scope

from api.options import ApiOptions
from storage.allowance import Allowances
from storage.json_depth import MOST_LEVELS, is_too_deep

MOST_URL_BYTES = 8_192
"""Path and query, as they were sent."""
MOST_HEADER_BYTES = 16_384
"""Names and values of all headers together."""
MOST_HEADERS = 100

_HOST = re.compile(rb"[A-Za-z0-9._-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
_JSON = re.compile(rb"application/(?:[\w.+-]+\+)?json[ \t]*(?:;.*)?", re.IGNORECASE)
_MINUTE_S = 60.0
_LONGEST_NAME = 64
_NETWORK_BITS = 64


class RefusedRequestError(HTTPException):
    """The request breaks a limit; with `wait_s` it may come again after so many seconds."""

    def __init__(self, status: int, detail: str, *, wait_s: float = 0.0) -> None:
        super().__init__(status, detail, {"Retry-After": str(math.ceil(wait_s))} if wait_s else None)


class Rates:
    """How often clients may come: each address, and each account or key. Kept by this process alone, in memory.

    Where accounts are open, whoever asks is on this machine and may do everything: then nothing is counted.
    """

    def __init__(self, options: ApiOptions, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._addresses = _each_minute(0 if options.open_to_all else options.address_requests_per_minute)
        self._accounts = _each_minute(0 if options.open_to_all else options.account_requests_per_minute)

    def admit_address(self, scope: Scope) -> None:
        """Count a request for its address. Raises RefusedRequestError 429."""
        client = scope.get("client")
        name = None if client is None else address_key(client[0])
        if name is not None:
            self._admit(self._addresses, name, "this address")

    def admit_account(self, key: str) -> None:
        """Count a request for an account or a key. Raises RefusedRequestError 429."""
        self._admit(self._accounts, key, "this account or key")

    def _admit(self, allowances: Allowances | None, key: str, whose: str) -> None:
        wait_s = 0.0 if allowances is None else allowances.wait_s(key, self._clock())
        if wait_s:
            raise RefusedRequestError(
                429, f"too many requests of {whose}; try again in {math.ceil(wait_s)} s", wait_s=wait_s
            )


def _each_minute(count: int) -> Allowances | None:
    return Allowances(burst=count, per_s=count / _MINUTE_S) if count else None


def address_key(host: str) -> str | None:
    """Return what a client is counted by: its address, of IPv6 the network of a household (/64).

    None on this machine's own: with a proxy that does not say for whom it asks, it would be everybody together.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return host[:_LONGEST_NAME]  # what a trusted proxy calls its client
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return None if address.ipv4_mapped.is_loopback else str(address.ipv4_mapped)
        network = int(address) >> _NETWORK_BITS << _NETWORK_BITS
        return None if address.is_loopback else f"{IPv6Address(network)}/{_NETWORK_BITS}"
    return None if address.is_loopback else str(address)


def check_head(scope: Scope) -> None:
    """Refuse what is too long before it is read, and a host that is none. Raises RefusedRequestError."""
    sent = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
    if sent > MOST_URL_BYTES:
        raise RefusedRequestError(414, f"expected path and query of at most {MOST_URL_BYTES} bytes, got {sent}")
    headers = scope["headers"]
    size = sum(len(name) + len(value) for name, value in headers)
    if len(headers) > MOST_HEADERS or size > MOST_HEADER_BYTES:
        raise RefusedRequestError(
            431,
            f"expected at most {MOST_HEADERS} headers of {MOST_HEADER_BYTES} bytes together, "
            f"got {len(headers)} of {size}",
        )
    for name, value in headers:
        if name == b"host" and not _HOST.fullmatch(value):
            raise RefusedRequestError(400, "the header Host names no host")


def is_json(scope: Scope) -> bool:
    """Whether the request says that its body is JSON."""
    return any(name == b"content-type" and _JSON.fullmatch(value) for name, value in scope["headers"])


def check_depth(body: bytes) -> None:
    """Refuse JSON that is nested too deep for anything we take. Raises RefusedRequestError."""
    if is_too_deep(body):
        raise RefusedRequestError(422, f"expected JSON of at most {MOST_LEVELS} levels")
