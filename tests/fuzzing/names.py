"""Names that are made to harm: whoever shows, logs, files or stores one as it is has been had."""

from __future__ import annotations

RUNS = "window.hacked = 1"

NAMES = (
    f"<script>{RUNS}</script>",
    f'"><img src=x onerror="{RUNS}">',
    f"' onmouseover='{RUNS}' x='",
    f"</script></style></textarea><script>{RUNS}</script>",
    f"javascript:{RUNS}",
    "<x-evil>",
    "]]><!--<x-evil>",
    "{{7*191}}${7*191}#{7*191}%(x)s{0}%s",
    "=cmd|'/c calc'!A1",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "'=1+1",
    "../../../etc/passwd",
    "..\\..\\secret",
    "%0d%0aSet-Cookie: evil=1",
    "a\r\nSet-Cookie: evil=1",
    "a\nlevel=critical event=evil",
    "'; DROP TABLE bin; --",
    "\\'; SELECT 1; --",
    "%_%",
    "a\u202e\u2066evil\u2069",
    "\u2028evil\u2029",
    "\x1b]0;evil\x07\x1b[2J",
    "a\0b",
    "\ufeffevil",
    "\U0001d518" * 60,
    "e\u0301" * 90,
    " ",
    "null",
)

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
ALL_IN_ONE = f"'\"><img src=x onerror='{RUNS}'><script>{RUNS}</script><x-evil>{{{{7*191}}}}"
"""What a page must show as text, whichever way it is put in."""
