"""The chain of audited rows as an auditor computes it: seals, digests and what is broken. Pure.

It knows nothing of the database's own functions (sql/migrations/0027_audit_chain.sql), so that one checks the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

START = bytes(32)
"""What the first entry of a chain follows."""
ERASED = "person.erased"
"""The act of a note whose details say which entries were sealed anew, and how: `{"resealed": {"7": hex}}`."""
FORGOTTEN = "data.forgotten"
"""The act of a note that says what retention took: `{"tables": [...], "before": time}`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """One entry of a chain; `salt` and `content` (the row's text as it is now) are None where they are gone."""

    sequence: int
    chained_at: datetime
    told_at: datetime
    act: str
    source: str
    source_key: str
    seal: bytes
    previous: bytes
    digest: bytes
    salt: bytes | None
    content: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Break:
    """Where a chain is broken: the entry's sequence (or that of the entry that is not there) and why."""

    sequence: int
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What an auditor found: how many entries, the head, the first break (None: whole), rows gone by law."""

    entries: int
    head: bytes
    forgotten: int
    resealed: int
    broken: Break | None = None


@dataclass(kw_only=True, slots=True)
class _Known:
    resealed: dict[int, bytes] = field(default_factory=dict)
    forgotten_before: dict[str, datetime] = field(default_factory=dict)


def digest_of(commune_insee: str, link: Link) -> bytes:
    """Return the SHA-256 (32 bytes) over all that an entry says."""
    lines = (
        "voirie audit 1",
        commune_insee,
        str(link.sequence),
        _stamp(link.chained_at),
        _stamp(link.told_at),
        link.act,
        link.source,
        link.source_key,
        link.seal.hex(),
        link.previous.hex(),
    )
    return hashlib.sha256("\n".join(lines).encode()).digest()


def seal_of(salt: bytes, content: str) -> bytes:
    """Return the seal of a row's text: SHA-256 over the salt and its UTF-8 bytes."""
    return hashlib.sha256(salt + content.encode()).digest()


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def verify(commune_insee: str, links: Iterable[Link], *, anchors: Mapping[int, bytes] | None = None) -> Verdict:
    """Recompute a chain from its first entry on; `anchors` are heads that were written down elsewhere, by sequence.

    The first break by sequence is named. An erased name is a row sealed anew by a later entry, a row that retention
    took is named by a later entry too: both are only known at the end, so that seals are judged last.
    """
    known, doubtful = _Known(), list[tuple[Link, str]]()
    previous, sequence = START, 0
    for link in links:
        sequence += 1
        why = _broken_link(commune_insee, link, sequence=sequence, previous=previous)
        if why is None and anchors and link.sequence in anchors and anchors[link.sequence] != link.digest:
            why = "is not the entry that the anchor names: the chain was made anew"
        if why is not None:
            return _verdict(known, doubtful, entries=sequence, head=previous, broken=Break(sequence=sequence, why=why))
        previous = link.digest
        seal_why = _broken_seal(link, link.seal)
        if seal_why is not None:
            doubtful.append((link, seal_why))
        if link.source == "audit_note" and link.content is not None and link.act in {ERASED, FORGOTTEN}:
            _learn(known, link)
    cut = max((number for number in anchors or {} if number > sequence), default=None)
    broken = None
    if cut is not None:
        broken = Break(
            sequence=sequence + 1, why=f"is not there, and the anchor names entry {cut}: the end was cut off"
        )
    return _verdict(known, doubtful, entries=sequence, head=previous, broken=broken)


def _broken_link(commune_insee: str, link: Link, *, sequence: int, previous: bytes) -> str | None:
    if link.sequence != sequence:
        return f"is not there: entry {link.sequence} comes next"
    if link.previous != previous:
        return "does not follow the entry before it"
    if link.digest != digest_of(commune_insee, link):
        return "was altered: its digest is another one"
    return None


def _broken_seal(link: Link, seal: bytes) -> str | None:
    row = f"{link.source} {link.source_key}"
    if link.content is None:
        return f"its row ({row}) is gone"
    if link.salt is None:
        return f"its salt is gone, the row ({row}) cannot be proved"
    if seal_of(link.salt, link.content) != seal:
        return f"its row ({row}) was altered"
    return None


def _learn(known: _Known, link: Link) -> None:
    details = msgspec.json.decode(link.content or "{}").get("details", {})
    if link.act == ERASED:
        for number, seal in details.get("resealed", {}).items():
            known.resealed[int(number)] = bytes.fromhex(seal)
        return
    before = datetime.fromisoformat(details["before"])
    for table in details["tables"]:
        known.forgotten_before[table] = max(before, known.forgotten_before.get(table, before))


def _verdict(
    known: _Known, doubtful: list[tuple[Link, str]], *, entries: int, head: bytes, broken: Break | None
) -> Verdict:
    forgotten = resealed = 0
    for link, why in doubtful:
        before = known.forgotten_before.get(link.source)
        if link.content is None and before is not None and link.told_at < before:
            forgotten += 1
            continue
        if link.sequence in known.resealed and _broken_seal(link, known.resealed[link.sequence]) is None:
            resealed += 1
            continue
        if broken is None or link.sequence < broken.sequence:
            broken = Break(sequence=link.sequence, why=why)
        break
    return Verdict(entries=entries, head=head, forgotten=forgotten, resealed=resealed, broken=broken)
