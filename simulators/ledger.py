"""The ledger of what a broker acknowledged: the simulator's half of the proof that nothing is lost.

An append-only binary file; each entry is a head of 42 bytes (kind, Unix microseconds, SHA-256 of topic + payload,
length of the device's id) and the id. An entry cut short by a crash is the end of the ledger.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from simulators.messages import Expect, Publication

_HEAD = struct.Struct("<Bq32sB")
_KINDS = tuple(Expect)
_NO_TIME = -(2**63)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerEntry:
    """One acknowledged publication.

    `digest` is the SHA-256 (hex) of topic + payload. `eui` and `measured_at` are None for what should be refused.
    """

    kind: Expect
    digest: str
    eui: str | None
    measured_at: datetime | None

    @property
    def measured_at_s(self) -> float | None:
        """The measurement's Unix seconds: the same double as PostgreSQL's `extract(epoch from ...)::float8`."""
        return None if self.measured_at is None else ((self.measured_at - _EPOCH) // _MICROSECOND) / 1_000_000


class LedgerWriter:
    """Appends entries to a ledger; use it as a context manager. A killed process loses its last few."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("ab")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def record(self, publication: Publication) -> None:
        """Append a publication that the broker acknowledged."""
        measured_at = publication.measured_at
        eui = (publication.eui or "").encode()
        self._file.write(
            _HEAD.pack(
                _KINDS.index(publication.expect),
                _NO_TIME if measured_at is None else (measured_at - _EPOCH) // _MICROSECOND,
                _digest(publication.topic, publication.payload),
                len(eui),
            )
            + eui
        )


def read_ledger(path: Path) -> Iterator[LedgerEntry]:
    """Yield the entries of a ledger in the order in which they were acknowledged."""
    content = path.read_bytes()
    offset = 0
    while offset + _HEAD.size <= len(content):
        kind, micros, digest, length = _HEAD.unpack_from(content, offset)
        offset += _HEAD.size
        if offset + length > len(content):
            return
        yield LedgerEntry(
            kind=_KINDS[kind],
            digest=digest.hex(),
            eui=content[offset : offset + length].decode() or None,
            measured_at=None if micros == _NO_TIME else _EPOCH + micros * _MICROSECOND,
        )
        offset += length


def _digest(topic: str, payload: bytes) -> bytes:
    return hashlib.sha256(topic.encode() + payload).digest()
