"""What became of what was published: the ledger against the database."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from cli.fault_matrix.publisher import Ledger
from cli.fault_matrix.traffic import Key
from storage import readings
from storage.database import connect


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The counts of one row.

    `duplicated`: rows beyond one for a key, and rows under a key that no publication has: the same uplink stored under
    two keys is such a row. `wrongly_refused`: good messages that were kept as refused (none is lost by it, but it is
    not what should be). `duplicates_offered`: readings that came again and were stored once. `refused_rows`: refused
    messages with their repetitions.
    """

    published: int
    acknowledged: int
    stored: int
    rejected: int
    lost: int
    duplicated: int
    wrongly_refused: int
    duplicates_offered: int
    refused_rows: int

    @property
    def complete(self) -> bool:
        """Whether every acknowledged message is where it belongs."""
        return self.lost == 0


def judge(database_url: str, commune_insee: str, ledger: Ledger) -> Verdict:
    """Count; UnavailableError when the database does not answer."""
    with connect(database_url) as connection:
        rows = Counter(Key(*row) for row in readings.reading_records(connection, commune_insee))
        refused = readings.refused_digests(connection, commune_insee)
        tally = readings.tally(connection, commune_insee)
    expected = {key for publication in ledger.published for key in publication.keys}
    # A refused message is kept each time it comes; each publication of it needs a row of its own.
    wanted: Counter[str] = Counter()
    lost = wrongly_refused = 0
    for publication in ledger.acknowledged:
        if publication.keys and all(key in rows for key in publication.keys):
            continue
        if publication.digest not in refused:
            lost += 1
            continue
        wanted[publication.digest] += 1
        wrongly_refused += bool(publication.keys)
    lost += sum(max(0, count - refused[digest]) for digest, count in wanted.items())
    digests = {publication.digest for publication in ledger.published}
    return Verdict(
        published=len(ledger.published),
        acknowledged=len(ledger.acknowledged),
        stored=len(rows),
        rejected=sum(min(count, max(1, wanted[digest])) for digest, count in refused.items() if digest in digests),
        lost=lost,
        duplicated=rows.total() - len(rows) + len(rows.keys() - expected),
        wrongly_refused=wrongly_refused,
        duplicates_offered=tally.duplicates,
        refused_rows=refused.total(),
    )
