"""A process of its own that searches parts of the problem on request: pickled requests in, pickled answers out.

PyVRP holds Python's lock while it searches, so a second core takes a second process. It is started as a program, not
forked: whoever asks may have threads. It ends when its standard input does.
"""

from __future__ import annotations

import pickle
import signal
import sys
from typing import Any, BinaryIO

from optimise.rounds.engines.pyvrp_search.searcher import Searcher


def main() -> None:
    """Serve requests until there are no more."""
    # Who presses Ctrl-C wants the plan, and the parent has it: it ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    setting = _next(given)
    if setting is None:
        return
    searcher = Searcher(setting)
    while (job := _next(given)) is not None:
        pickle.dump(searcher.do(job), answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()


def _next(given: BinaryIO) -> Any:
    try:
        return pickle.load(given)  # noqa: S301 - it comes from the process that started this one
    except EOFError:
        return None


if __name__ == "__main__":
    main()
