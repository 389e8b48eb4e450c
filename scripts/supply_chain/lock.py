"""What the hashed requirement files install: the lock that every installation is made from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
RUNNING = ("run.txt", "streets.txt")
"""What an installation runs on; the rest builds, tests or traces."""

_PACKAGE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+))?"
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """A package of the lock. `marker` says on which machines it is installed, empty: on all."""

    name: str
    version: str
    marker: str
    sha256: tuple[str, ...]

    @property
    def purl(self) -> str:
        """The package's URL (purl), by which advisories and inventories know it."""
        return f"pkg:pypi/{re.sub(r'[-_.]+', '-', self.name).lower()}@{self.version}"


@cache
def packages(*files: str) -> tuple[Locked, ...]:
    """Return the packages of these requirement files (otherwise of all that run), each once, by name."""
    found: dict[str, Locked] = {}
    for file in files or RUNNING:
        text = (REPOSITORY / "requirements" / file).read_text(encoding="utf-8")
        starts = [
            match
            for line in re.finditer(r"^[A-Za-z0-9].*$", text, re.MULTILINE)
            if (match := _PACKAGE.match(text, line.start()))
        ]
        for match, until in zip(starts, [*(start.start() for start in starts[1:]), len(text)], strict=True):
            found[match["name"]] = Locked(
                name=match["name"],
                version=match["version"],
                marker=(match["marker"] or "").strip(),
                sha256=tuple(_HASH.findall(text, match.end(), until)),
            )
    return tuple(found[name] for name in sorted(found))
