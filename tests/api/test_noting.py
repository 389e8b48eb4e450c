"""What comes in by files and lists is noted in the audit trail: what, by whom, its hash, what it did, and once."""

from __future__ import annotations

import hashlib

import httpx

from storage import audit
from storage.database import Connection
from tests.api.rows import INSEE
from tests.api.test_town_events import HERE, MARKET

COMMUNE = f"/api/v1/communes/{INSEE}"
FORMER = b"sector,weekday,km,hours,bins\nNord,1,12.5,3,40\n"


def test_imports_are_noted_and_what_changed_nothing_is_not(client: httpx.Client, rows: Connection):
    assert client.post(HERE, json={"events": [MARKET]}).status_code == 200
    assert client.post(HERE, json={"events": [MARKET]}).json()["unchanged"] == 1
    (event,) = client.get(HERE).json()["events"]
    assert client.delete(f"{HERE}/{event['event_id']}").status_code == 204
    csv = {"Content-Type": "text/csv"}
    for query in ({"dry_run": "true"}, {}):
        taken = client.post(f"{COMMUNE}/former-rounds.csv", content=FORMER, headers=csv, params=query)
        assert taken.status_code == 200, taken.text
    rules = {"bins": [{"place_id": "COR-0001", "crew": 2}]}
    assert client.post(f"{COMMUNE}/round-rules", json=rules).status_code == 200
    notes = rows.execute("SELECT act, actor, subject, details FROM audit_note ORDER BY note_id").fetchall()
    assert [note[0] for note in notes] == [
        "events.imported", "event.removed", "former_rounds.imported", "rules.imported",
    ]  # fmt: skip
    assert {note[1] for note in notes} == {"open"}
    assert notes[1][2] == f"event:{event['event_id']}"
    assert notes[2][3] == {"sha256": hashlib.sha256(FORMER).hexdigest(), "rounds": 1}
    assert audit.examine(rows, INSEE).broken is None
