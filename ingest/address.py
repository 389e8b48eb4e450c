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

    `ca_file`: the certificates (PEM) that vouch for the broker's; None: those that the system trusts. `cert_file` and
    `key_file`: our own certificate and its key (PEM), for a broker that asks who we are.
    """

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @classmethod
    def parse(
        cls, url: str, *, ca_file: Path | None = None, cert_file: Path | None = None, key_file: Path | None = None
    ) -> Self:
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
            cert_file=cert_file,
            key_file=key_file,
        )

    def tls_context(self) -> ssl.SSLContext:
        """Return how to check the broker's certificate: by its authority, and by the host's name; and our own.

        Raises OSError when a certificate or a key cannot be read.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file is not None:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context


def refusal_told(error: OSError, host: str) -> str:
    """Return why a connection failed in words that say what to do, where TLS is why; otherwise the error's own."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = error.verify_message or error.reason
        match error.verify_code:
            case 10:
                hint = f"{host}'s certificate has expired: renew it"
            case 62 | 64:
                hint = f"the certificate is not {host}'s: connect by a name that stands in it"
            case 18 | 19 | 20 | 21:
                hint = f"nobody we trust vouches for {host}'s certificate: name its authority's in mqtt.ca_file"
            case _:
                hint = f"{host}'s certificate is not valid"
        return f"certificate verify failed ({what}): {hint}"
    if isinstance(error, ssl.SSLError) and "WRONG_VERSION_NUMBER" in str(error):
        return f"{host} does not speak TLS on that port: mqtt:// without, mqtts:// with it ({error})"
    return str(error)
