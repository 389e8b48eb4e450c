"""Known vulnerabilities of the locked packages, by OSV's database (https://google.github.io/osv.dev/api/).

It takes a network: an audit that could not ask says so, and is no clean bill.
"""

from __future__ import annotations

import json
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import date
from itertools import batched

from lock import REPOSITORY, Locked

ADVISORIES = REPOSITORY / "requirements" / "advisories.toml"
_AT_ONCE = 500
_PATIENCE_S = 20


class UnreachableError(Exception):
    """The service did not answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A known vulnerability of a locked package; `accepted` is why it does not concern us, None when nobody said."""

    package: Locked
    advisory: str
    accepted: str | None


def ask(packages: tuple[Locked, ...], *, service: str, today: date) -> list[Finding]:
    """Return what is known of these packages. Raises UnreachableError."""
    accepted = _accepted(today)
    found = []
    for some in batched(packages, _AT_ONCE, strict=False):
        queries = [{"package": {"purl": package.purl}} for package in some]
        for package, result in zip(some, _post(f"{service}/v1/querybatch", {"queries": queries}), strict=True):
            found += [
                Finding(package=package, advisory=one["id"], accepted=accepted.get(one["id"]))
                for one in result.get("vulns", ())
            ]
    return found


def _post(url: str, body: dict[str, object]) -> list[dict[str, list[dict[str, str]]]]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:
            results: list[dict[str, list[dict[str, str]]]] = json.load(answer)["results"]
    except (OSError, urllib.error.URLError, ValueError, KeyError) as error:
        raise UnreachableError(f"{url}: {error}") from error
    return results


def _accepted(today: date) -> dict[str, str]:
    """Return the advisories that somebody judged, until the day on which they have to be judged again."""
    judged = tomllib.loads(ADVISORIES.read_text(encoding="utf-8"))
    return {name: entry["reason"] for name, entry in judged.items() if entry["until"] >= today}
