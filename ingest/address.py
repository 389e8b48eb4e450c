"""Where the broker is, as a setting says it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

_PLAIN_PORT, _TLS_PORT = 1883, 8883


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are there, read from `mqtt://[user:password@]host[:port]` (`mqtts` for TLS).

    `ca_file`: the certificates (PEM) that vouch for the broker's; None: those that the system trusts.
    """

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool
    ca_file: Path | None = None

    @classmethod
    def parse(cls, url: str, *, ca_file: Path | None = None) -> Self:
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
            ca_file=ca_file,
        )

    def tls_context(self) -> ssl.SSLContext:
        """Return how to check the broker's certificate: by its authority, and by the host's name.

        Raises OSError when the certificates cannot be read.
        """
        return ssl.create_default_context(cafile=self.ca_file)
