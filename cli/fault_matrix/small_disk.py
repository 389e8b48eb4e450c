"""A disk that can be full: a tmpfs in a mount namespace of its own, which vanishes with its last process.

Root or not, nothing is mounted where others see it: without root the namespace belongs to a user namespace of ours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from pathlib import Path
from typing import Self

from storage.errors import UnavailableError

_PAGE = b"\0" * 4096
_NOBODY_SPECIAL = "1000"


class SmallDisk:
    """A tmpfs on `folder`, seen only by what runs with `prefix` before its command; use it as a context manager."""

    def __init__(self, folder: Path, *, size_mb: int, owner: tuple[int, int] | None) -> None:
        self._folder = folder
        self._size_mb = size_mb
        self._owner = owner
        self._as_root = os.getuid() == 0

    def __enter__(self) -> Self:
        """Mount it. Raises UnavailableError where the system admits neither root nor user namespaces."""
        owner = "" if self._owner is None else f",uid={self._owner[0]},gid={self._owner[1]}"
        script = (
            f'mount -t tmpfs -o "size={self._size_mb}m,mode=0700{owner}" voirie "$1" && echo mounted && exec cat >&2'
        )
        namespaces = ["--mount"] if self._as_root else ["--user", "--map-root-user", "--mount"]
        self._holder = subprocess.Popen(  # noqa: S603 - our own command
            ["unshare", *namespaces, "sh", "-c", script, "sh", str(self._folder)],  # noqa: S607 - util-linux's, by PATH
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"mounted\n":
            said = self._holder.communicate()[1].decode(errors="replace").strip()
            raise UnavailableError(f"no small disk can be mounted here: {said}")
        return self

    def __exit__(self, *exception: object) -> None:
        # Its standard input ends, and so does `cat`; would we be killed, the same would happen.
        self._holder.communicate()

    @property
    def prefix(self) -> list[str]:
        """What runs a command where the disk is seen; PostgreSQL must not be root there either."""
        pid = str(self._holder.pid)
        if self._as_root:
            return ["nsenter", "--target", pid, "--mount"]
        return [
            "nsenter", "--target", pid, "--user", "--mount", "--preserve-credentials",
            "unshare", "--user", f"--map-user={_NOBODY_SPECIAL}", f"--map-group={_NOBODY_SPECIAL}",
        ]  # fmt: skip

    @property
    def _ballast(self) -> Path:
        return Path(f"/proc/{self._holder.pid}/root{self._folder}/ballast")

    def fill(self) -> int:
        """Fill the disk to the last page; return the bytes that took."""
        written = 0
        with self._ballast.open("ab", buffering=0) as file:
            while True:
                try:
                    written += file.write(_PAGE)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    return written

    def free(self) -> None:
        """Give the space back."""
        with contextlib.suppress(FileNotFoundError):
            self._ballast.unlink()
