"""How a deciding module says that a message, or one record of it, cannot be taken in."""

from __future__ import annotations

from storage.errors import VoirieError
from storage.model import RefusalReason

_LONGEST_QUOTE = 120


class RefusedError(VoirieError):
    """The message cannot be taken in."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def malformed(detail: str) -> RefusedError:
    """Return the refusal of a payload that its decoder cannot read."""
    return RefusedError(RefusalReason.MALFORMED_PAYLOAD, detail)


def unknown_port(device: str, f_port: int | None) -> RefusedError:
    """Return the refusal of a payload on a port of which the device's maker says nothing, or on none."""
    if f_port is None:
        return malformed(f"the fPort tells the frames of the {device} apart, and this one came without")
    return malformed(f"nothing is known of what the {device} sends on fPort {f_port}")


def quoted(foreign: object) -> str:
    """Return text from outside as it may stand in a sentence: short, and without control characters."""
    text = repr(foreign)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."
