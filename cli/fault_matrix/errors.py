"""How a row of the matrix says that it has no result."""

from __future__ import annotations

from storage.errors import VoirieError


class NotProducedError(VoirieError):
    """The fault did not happen as it should: a row without its fault proves nothing."""


class SkippedError(VoirieError):
    """This machine, or the given service, does not admit the fault."""
