"""Streets prepared for OSRM, once for each content of extract and profile.

Preparing runs the wheel's own osrm-extract and osrm-contract in a folder of its own, which gets its final name only
when all is there: whoever is killed half-way leaves nothing that anybody would read, and two who prepare the same
streets at once do the work twice and agree.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

import structlog

from optimise.rounds.travel import VehicleBody
from storage.errors import InputError, UnavailableError

log = structlog.get_logger()

_BASE = "streets.osrm"
# Cut-off bits of street with fewer edges than this get no stops while a larger part of the network is near. OSRM's
# own 1000 is meant for countries: a small town as a whole has fewer, and then every car park would count as much as
# the town.
_SMALL_COMPONENT = 100
_KEPT_OF_LOG = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class StreetChanges:
    """What differs from the profile for a day or a vehicle: ways closed (OpenStreetMap's ids), another body."""

    closed_ways: frozenset[int] = frozenset()
    body: VehicleBody = field(default_factory=VehicleBody)

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        return bool(self.closed_ways) or self.body != VehicleBody()


def prepared_streets(extract: Path, *, profile: Path, cache_dir: Path, changes: StreetChanges | None = None) -> Path:
    """Return the base path of OSRM's files for `extract` and `profile`, preparing them when the cache has none.

    Each set of `changes` to the profile is prepared once.

    Raises InputError when the extract or the profile cannot be read or holds no street for the vehicle.
    """
    for what, path in (("extract", extract), ("profile", profile)):
        if not path.is_file():
            raise InputError(f"expected the {what} to be a file, got {path}")
    changes = changes or StreetChanges()
    target = cache_dir / f"streets-{_content_key(extract, profile, changes)}"
    if not (target / _BASE).with_suffix(".osrm.hsgr").is_file():
        cache_dir.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=cache_dir))
        try:
            _prepare(extract, profile, building, changes)
            _publish(building, target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        log.info("streets_prepared", extract=extract.name, folder=target.name)
    return target / _BASE


def _content_key(extract: Path, profile: Path, changes: StreetChanges) -> str:
    digest = hashlib.sha256(f"osrm {version('osrm-bindings')} {_SMALL_COMPONENT}\n".encode())
    for path in (profile, extract):
        with path.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    if changes.any:
        digest.update(f"{sorted(changes.closed_ways)} {changes.body}".encode())
    return digest.hexdigest()[:20]


def _prepare(extract: Path, profile: Path, folder: Path, changes: StreetChanges) -> None:
    # A profile finds OSRM's Lua modules beside itself, so it moves in with a copy of them.
    lua = folder / "profile"
    lua.mkdir()
    shutil.copy(profile, lua / "profile.lua")
    if changes.any:
        shutil.move(lua / "profile.lua", lua / "open_streets.lua")
        (lua / "profile.lua").write_text(_changed(changes), encoding="utf-8")
    with as_file(files("osrm") / "share" / "profiles" / "lib") as library:
        shutil.copytree(library, lua / "lib")
    # OSRM's tools take a path with a space in it for two: they run in the folder and see plain names only.
    link = folder / ("extract" + "".join(suffix for suffix in extract.suffixes[-2:] if suffix[1:].isalnum()))
    link.symlink_to(extract.resolve())
    _run(
        "extract", "-p", "profile/profile.lua", "--small-component-size", str(_SMALL_COMPONENT),
        "-o", _BASE, link.name, subject=extract, cwd=folder,
    )  # fmt: skip
    _run("contract", _BASE, subject=extract, cwd=folder)
    shutil.rmtree(lua)
    link.unlink()


def _changed(changes: StreetChanges) -> str:
    """Return a profile that is `open_streets.lua` with other figures or without some ways."""
    closed = ", ".join(f"[{way}] = true" for way in sorted(changes.closed_ways))
    body = changes.body
    told = {
        "vehicle_width": None if body.width_cm is None else body.width_cm / 100,
        "vehicle_height": None if body.height_cm is None else body.height_cm / 100,
        "vehicle_length": None if body.length_cm is None else body.length_cm / 100,
        "vehicle_weight": body.weight_kg,
    }
    figures = "".join(f"  profile.{name} = {figure:.2f}\n" for name, figure in told.items() if figure is not None)
    varied = (
        "" if body == VehicleBody() else f'  streets.vary(profile, "{body.size}")\n{figures}  streets.fit(profile)\n'
    )
    return (
        "api_version = 4\n"
        'local streets = require("open_streets")\n'
        f"local closed = {{ {closed} }}\n"
        "local setup, process_way = streets.setup, streets.process_way\n"
        "streets.setup = function()\n"
        "  local profile = setup()\n"
        f"{varied}"
        "  return profile\n"
        "end\n"
        "streets.process_way = function(profile, way, result, relations)\n"
        "  if not closed[way:id()] then process_way(profile, way, result, relations) end\n"
        "end\n"
        "return streets\n"
    )


def _run(*command: str, subject: Path, cwd: Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and the wheel's own tool
            [sys.executable, "-m", "osrm", *command],
            capture_output=True, text=True, errors="replace", check=False, cwd=cwd,
        )  # fmt: skip
    except OSError as error:
        raise UnavailableError(f"osrm {command[0]} cannot be run: {error}") from error
    if done.returncode != 0:
        said = " ".join((done.stderr + done.stdout).split())[-_KEPT_OF_LOG:]
        raise InputError(f"osrm {command[0]} could not prepare the streets of {subject}: {said!r}")


def _publish(building: Path, target: Path) -> None:
    try:
        building.rename(target)
    except OSError:
        # Somebody else was faster; the same content makes the same files.
        if not (target / _BASE).with_suffix(".osrm.hsgr").is_file():
            raise
