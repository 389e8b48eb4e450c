"""`python -m cli` is `voirie`: how one process of the demo starts another with the same interpreter."""

from cli.main import run

run()
