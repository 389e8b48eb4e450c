"""The name of a request: the caller's own or a new one, in the answer and in every line that is logged meanwhile."""

from __future__ import annotations

import re
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import Scope

HEADER = "X-Request-ID"

# What comes from outside stands in logs: letters that mean nothing there, and few of them.
_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def request_id(scope: Scope) -> str:
    """Return the id that the caller gave, or a new one when there is none or it is not harmless."""
    given = Headers(scope=scope).get(HEADER, "")
    return given if _HARMLESS.fullmatch(given) else uuid4().hex
