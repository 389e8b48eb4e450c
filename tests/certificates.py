"""Throw-away certificate authorities, and what they vouch for; made by openssl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.tools import missing

# A key of this kind is made in no time, and every client knows it.
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(*arguments: str | Path, cwd: Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], cwd=cwd, check=True, capture_output=True)


@dataclass(frozen=True)
class Certificate:
    cert_file: Path
    key_file: Path


@dataclass(frozen=True)
class Authority:
    """Vouches for servers and clients; `ca_file` is what its friends trust."""

    ca_file: Path
    key_file: Path

    def vouch(self, name: str, *, names: str = "DNS:localhost", days: int = 2) -> Certificate:
        """A certificate for `names`; with negative `days` it has expired."""
        folder, stem = self.ca_file.parent, f"{self.ca_file.stem}-{name}"
        (folder / f"{stem}.ext").write_text(f"subjectAltName={names}\n", encoding="utf-8")
        openssl("req", *_KEY, "-keyout", f"{stem}.key", "-subj", f"/CN={name}", "-out", f"{stem}.csr", cwd=folder)
        openssl(
            "x509", "-req", "-in", f"{stem}.csr", "-CA", self.ca_file, "-CAkey", self.key_file, "-CAcreateserial",
            "-days", str(days), "-extfile", f"{stem}.ext", "-out", f"{stem}.pem", cwd=folder,
        )  # fmt: skip
        return Certificate(cert_file=folder / f"{stem}.pem", key_file=folder / f"{stem}.key")


def make_authority(folder: Path, name: str) -> Authority:
    if shutil.which("openssl") is None:
        missing("openssl")
    extensions = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
    openssl(
        "req", "-x509", *_KEY, "-days", "2", "-subj", f"/CN={name}", *extensions,
        "-keyout", f"{name}.key", "-out", f"{name}.pem", cwd=folder,
    )  # fmt: skip
    return Authority(ca_file=folder / f"{name}.pem", key_file=folder / f"{name}.key")
