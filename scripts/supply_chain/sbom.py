"""The software bill of materials: CycloneDX 1.6 as JSON, made of the lock, equal for equal locks.

https://cyclonedx.org/docs/1.6/json/ is the format's description.
"""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from licences import licence_of
from lock import REPOSITORY, Locked


def document(packages: tuple[Locked, ...]) -> dict[str, Any]:
    """Return the bill of materials of these packages."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = f"pkg:generic/{project['name']}@{project['version']}"
    known = {_normal(package.name): package.purl for package in packages}
    # Equal for equal contents, so that two builds can be compared.
    serial = uuid5(NAMESPACE_URL, "\n".join([ours, *(f"{one.purl} {' '.join(one.sha256)}" for one in packages)]))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": ours,
                "name": project["name"],
                "version": project["version"],
                "licenses": [{"license": {"id": project["license"]}}],
            }
        },
        "components": [_component(package) for package in packages],
        "dependencies": [
            {
                "ref": ours,
                "dependsOn": sorted({known[name] for name in _required(project["dependencies"]) if name in known}),
            },
            *({"ref": package.purl, "dependsOn": _depends_on(package, known)} for package in packages),
        ],
    }


def _component(package: Locked) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        # One for each system's build of this version: an installation has one of them.
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in package.sha256],
    }
    licence = licence_of(package)
    if licence is not None:
        compound = " AND " in licence or " OR " in licence
        component["licenses"] = [{"expression": licence} if compound else {"license": {"id": licence}}]
    if package.marker:
        component["properties"] = [{"name": "voirie:marker", "value": package.marker}]
    return component


def _depends_on(package: Locked, known: dict[str, str]) -> list[str]:
    try:
        required = importlib.metadata.requires(package.name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    names = _required(line for line in required if "extra ==" not in line)
    return sorted({known[name] for name in names if name in known})


def _required(lines: Any) -> list[str]:
    return [_normal(re.split(r"[\s;\[(<>=!~]", line, maxsplit=1)[0]) for line in lines]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
