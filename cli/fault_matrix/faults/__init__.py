"""The faults, one module a kind: each function plays one row and returns how it ended."""
