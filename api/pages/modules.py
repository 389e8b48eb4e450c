"""Which modules a page leads to, so that the browser fetches all of them at once and not one after the other."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from importlib.resources import files

_STATIC = files("api") / "web" / "static"
_IMPORT = re.compile(r"""^\s*(?:import|export)\b[^;'"]*?["'](\.{1,2}/[^"']+\.js)["']""", re.MULTILINE)


@cache
def modules_of(script: str) -> tuple[str, ...]:
    """Return the paths under `static` of what `script` imports, directly or not, itself last; in the order of need."""
    found: dict[str, None] = {}

    def visit(path: str) -> None:
        if path in found:
            return
        found[path] = None
        text = (_STATIC / path).read_text(encoding="utf-8")
        for name in _IMPORT.findall(text):
            visit(posixpath.normpath(posixpath.join(posixpath.dirname(path), name)))

    visit(script)
    return (*(path for path in found if path != script), script)
