"""Where the broker is, as a setting says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

_PLAIN_PORT, _TLS_PORT = 1883, 8883


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are there, read from `mqtt://[user:password@]host[:port]` (`mqtts` for TLS)."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool

    @classmethod
    def parse(cls, url: str) -> Self:
        """Return the address; ValueError names what is wrong, without the password."""
        parts = urlsplit(url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path not in {"", "/"}:
            raise ValueError(
                f"expected a broker like mqtt://host:1883, got {parts.scheme}://{parts.hostname or ''}{parts.path}"
            )
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=parts.port or (_TLS_PORT if tls else _PLAIN_PORT),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
        )
