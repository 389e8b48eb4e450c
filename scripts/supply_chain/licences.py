"""Under which licences the packages stand, from their own metadata, and whether we may build on them.

Voirie is Apache-2.0. Permissive licences and weak copyleft that ends at the package's own files or library are
admitted; anything else, and anything that a package does not say, is a finding until somebody has looked and written
why.
"""

from __future__ import annotations

import importlib.metadata
import re
import tomllib

from lock import REPOSITORY, Locked

ADMITTED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "EPL-2.0", "HPND", "ISC", "LGPL-3.0-only", "MIT",
    "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
}  # fmt: skip

# What older metadata says in words, and SPDX's name for it.
_WORDS = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}
_LONGEST_NAME = 60
_OTHER = "LicenseRef-unknown"
EXCEPTIONS = REPOSITORY / "requirements" / "licences.toml"


def licence_of(package: Locked) -> str | None:
    """Return the package's licence as an SPDX expression: by its metadata, or as somebody read it.

    None when it is not installed here, as a package of another system's is not.
    """
    read = exceptions().get(package.name)
    if read is not None:
        return read["licence"]
    try:
        metadata = importlib.metadata.metadata(package.name)
    except importlib.metadata.PackageNotFoundError:
        return None
    if expression := metadata.get("License-Expression"):
        return expression
    told = (metadata.get("License") or "").strip()
    if told in ADMITTED or re.fullmatch(r"[\w.-]+( (AND|OR) [\w.-]+)+", told):
        return told
    classifiers = [
        line.rpartition("::")[2].strip() for line in metadata.get_all("Classifier") or () if line.startswith("License")
    ]
    words = [told] if told and len(told) < _LONGEST_NAME and told.lower() in _WORDS else classifiers
    names = sorted({_WORDS.get(word.lower(), _OTHER) for word in words})
    return " OR ".join(names) if names else _OTHER


def exceptions() -> dict[str, dict[str, str]]:
    """Return what somebody read in packages that do not say it, or say it wrongly, by package: licence and reason."""
    return tomllib.loads(EXCEPTIONS.read_text(encoding="utf-8"))


def is_admitted(expression: str) -> bool:
    """Whether a choice within the SPDX expression is admitted: all of what is joined by AND, one of what by OR."""
    return any(
        all(part.strip(" ()") in ADMITTED for part in choice.split(" AND ")) for choice in expression.split(" OR ")
    )


def findings(packages: tuple[Locked, ...]) -> list[str]:
    """Return a sentence for each package whose licence is not admitted or not known."""
    told = []
    for package in packages:
        licence = licence_of(package)
        if licence is None:
            if not package.marker:
                told.append(f"{package.name} {package.version} is not installed: run scripts/setup --dev")
        elif not is_admitted(licence):
            told.append(f"{package.name} {package.version} is under {licence}, which is not admitted")
    names = {package.name for package in packages}
    told += [
        f"{name} has an entry in {EXCEPTIONS.name} and is not locked any more"
        for name in exceptions()
        if name not in names
    ]
    return told
