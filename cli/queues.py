"""Names of the job queue that more than one room of the command line knows."""

QUEUE = "at_once"
"""The queue of what somebody waits for: it has a place in the worker that no training takes."""
