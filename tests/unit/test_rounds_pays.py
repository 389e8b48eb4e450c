"""Which way to search pays: both are tried, the better is kept to, and the other is asked again now and then."""

from __future__ import annotations

from optimise.rounds.engines.pyvrp_search.pays import Pays


def played(*, gain_whole: float, gain_parts: float, turns: int) -> list[bool]:
    """Return which rounds were for the whole when each way always gains as much for its effort."""
    pays, chosen = Pays(), []
    for turn in range(1, turns + 1):
        whole = pays.whole(turn)
        chosen.append(whole)
        pays.told(whole=whole, gain=gain_whole if whole else gain_parts, effort=2.0)
    return chosen


def test_the_way_that_gains_more_is_kept_to_and_the_other_asked_again():
    for gain_whole, gain_parts in ((5.0, 1.0), (1.0, 5.0)):
        chosen = played(gain_whole=gain_whole, gain_parts=gain_parts, turns=60)
        better = chosen.count(gain_whole > gain_parts)
        assert not any(chosen[:4])
        assert better > 40
        assert len(chosen) - better > 0


def test_what_changes_on_the_way_is_noticed():
    pays = Pays()
    for turn in range(1, 30):
        pays.told(whole=pays.whole(turn), gain=1.0, effort=1.0)
    for turn in range(30, 60):
        whole = pays.whole(turn)
        pays.told(whole=whole, gain=9.0 if whole else 0.0, effort=1.0)
    assert sum(pays.whole(turn) for turn in range(60, 72)) >= 10
