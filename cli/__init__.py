"""The `voirie` command: the one room that wires the others, and the only one that reads settings."""
