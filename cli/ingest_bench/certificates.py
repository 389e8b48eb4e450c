"""The certificates of a broker's connection, as a process of the measurement is told of them."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import msgspec

from cli.wiring import tls_files
from config.settings import Settings
from ingest.address import BrokerAddress


class Certificates(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of PEM files; None: the system's authorities, no certificate of our own."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return those of the settings. Raises SettingsError when one cannot be used."""
        return cls(**{name: None if file is None else str(file) for name, file in tls_files(settings).items()})

    def address(self, url: str) -> BrokerAddress:
        """Return where the broker is, with them."""
        return BrokerAddress.parse(
            url, ca_file=_path(self.ca_file), cert_file=_path(self.cert_file), key_file=_path(self.key_file)
        )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
