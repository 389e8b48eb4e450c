from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.intake import IntakeRules
from ingest.replay import ReplayOptions, ReplayReport, decide
from ingest.topics import Network
from storage.model import RefusalReason, RefusedMessage
from storage.refusals import KeptRefusal

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
REASONS = st.lists(st.sampled_from(RefusalReason), unique=True, max_size=5)


def row(number: int, reason: RefusalReason, *, is_open: bool) -> KeptRefusal:
    return KeptRefusal(
        refused_id=number,
        digest=b"",
        reason=reason,
        detail="then",
        received_at=NOW,
        network="n",
        topic="t",
        payload=b"{}",
        device_eui=None,
        is_open=is_open,
        is_picked=is_open,
    )


def refusal(reason: RefusalReason) -> RefusedMessage:
    return RefusedMessage(
        commune_insee="93051", received_at=NOW, network="n", topic="t", payload=b"{}", reason=reason, detail="today"
    )


@given(then=REASONS, resolved=st.sets(st.integers(0, 4)), today=REASONS)
def test_a_message_has_an_open_row_for_each_of_today_s_reasons_and_no_other(
    then: list[RefusalReason], resolved: set[int], today: list[RefusalReason]
):
    rows = [row(number, reason, is_open=number not in resolved) for number, reason in enumerate(then)]
    verdict = decide(rows, [refusal(reason) for reason in today])
    still = dict(verdict.still)
    assert {message.reason for message in (*still.values(), *verdict.new)} == set(today)
    assert len(still) + len(verdict.new) == len(today), "one row a reason"
    opened = {one.refused_id for one in rows if one.is_open}
    assert not set(verdict.resolved) & set(still)
    assert opened <= set(verdict.resolved) | set(still), "every open row is told what became of it"
    assert set(verdict.resolved) <= opened
    for one in rows:
        if one.reason in today:
            assert still[one.refused_id].reason is one.reason, "a reason that still holds keeps its row"
    reopened = {number for number in still if number not in opened}
    assert all(rows[number].reason in today for number in reopened), "what is resolved is reopened for its own reason"
    if opened and today:
        assert still, "what is refused keeps a row of its own"


def test_reports_add_up():
    one = ReplayReport(messages=2, resolved=1, stored=3, refused={RefusalReason.NOT_MOUNTED: 1})
    other = ReplayReport(messages=1, duplicates=2, refused={RefusalReason.NOT_MOUNTED: 1, RefusalReason.TOO_OLD: 1})
    assert one + other == ReplayReport(
        messages=3,
        resolved=1,
        stored=3,
        duplicates=2,
        refused={RefusalReason.NOT_MOUNTED: 2, RefusalReason.TOO_OLD: 1},
    )


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"batch_messages": 0}, "expected batch_messages > 0, got 0"),
        ({"batch_bytes": -1}, "expected batch_bytes > 0, got -1"),
    ],
)
def test_options_refuse_nonsense(changes: dict[str, Any], rule: str):
    network = Network(name="n", commune_insee="93051", envelope="native", topic_filter="voirie/v1/93051/+/readings")
    with pytest.raises(ValueError, match=rule):
        ReplayOptions(rules=IntakeRules(networks=(network,)), **changes)
