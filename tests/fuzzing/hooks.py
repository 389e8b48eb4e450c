"""What schemathesis looks at besides its own checks: one shape of error, and nothing of another commune.

It loads this file in its own process; VOIRIE_TEST_FUZZ_COMMUNE is the commune of who asks, empty for nobody.
"""

from __future__ import annotations

import os
import re

import schemathesis
from schemathesis import Case, CheckContext, Response

MINE = os.environ.get("VOIRIE_TEST_FUZZ_COMMUNE", "")
ALL_MAY_READ = set(os.environ.get("VOIRIE_TEST_FUZZ_PUBLIC", "").split())
_MARK = re.compile(r"secret-of-([0-9]{5})")
_INSIDES = re.compile(r"Traceback|psycopg|\.py\b|SELECT |/site-packages/|line \d+, in ")
_WORDS = {"type", "title", "status", "detail", "instance", "errors"}


@schemathesis.check
def every_error_is_a_problem(_ctx: CheckContext, response: Response, _case: Case) -> None:
    """The same shape for every error, whoever answers it, and never a word of our insides."""
    if response.status_code < 400:
        return
    told = response.headers.get("content-type", [""])[0]
    assert told == "application/problem+json", f"an error in {told}"
    if response.request.method == "HEAD":
        return
    problem = response.json()
    assert _WORDS <= set(problem) <= _WORDS | {"held"}, f"a problem with {sorted(problem)}"
    assert problem["status"] == response.status_code
    assert problem["type"].startswith("urn:voirie:problem:")
    assert not _INSIDES.search(problem["title"] + problem["type"]), problem
    if "Traceback" not in str(response.request.body) + response.request.url:
        assert not _INSIDES.search(problem["detail"].split(", got ")[0]), problem


@schemathesis.check
def another_commune_is_not_shown(_ctx: CheckContext, response: Response, case: Case) -> None:
    """No answer carries a word of a commune that who asks has no role in, but what is for everybody."""
    if case.operation.definition.raw.get("operationId") in ALL_MAY_READ:
        return
    found = set(_MARK.findall(response.text)) - {MINE}
    assert not found, f"an answer to {MINE or 'nobody'} tells of {found}"
