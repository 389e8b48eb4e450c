"""Searches one door for bytes that break it, led by the code that they reach (Atheris, which is libFuzzer for Python).

    python tests/fuzzing/search.py TARGET FOLDER -runs=2000 -seed=1

FOLDER is the corpus: seeds are written there first, and what reached new code is kept there. What breaks the door is
written to FOLDER/crash-... and ends the search with a code other than 0.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ingest", "storage", "optimise", "simulators"], enable_loader_override=False):
    from tests.fuzzing.targets import TARGETS

EVERY = "every"


def main() -> None:
    """Write the seeds, then search."""
    name, folder, *options = sys.argv[1:]
    corpus = Path(folder)
    corpus.mkdir(parents=True, exist_ok=True)
    names = sorted(TARGETS)
    # With every door at once the first byte picks it, so that one process and one start serve them all.
    for index, one in enumerate(names):
        if name in {one, EVERY}:
            prefix = bytes([index]) if name == EVERY else b""
            for seed in TARGETS[one].seeds():
                content = prefix + seed
                (corpus / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)

    def play_every(data: bytes) -> None:
        if data:
            TARGETS[names[data[0] % len(names)]].play(data[1:])

    play = play_every if name == EVERY else TARGETS[name].play
    atheris.Setup(
        [sys.argv[0], str(corpus), f"-artifact_prefix={corpus}{os.sep}", "-rss_limit_mb=3000", "-timeout=20", *options],
        play,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
