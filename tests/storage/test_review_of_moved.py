"""What a review found in readings follows them when it is told late where their device was."""

from __future__ import annotations

from datetime import timedelta

from ingest.reviewer import review_commune
from storage.model import Geometry
from tests.storage.registry import collect, level, message, told
from tests.storage.town import INSEE, NOON, Town

HOUR = timedelta(hours=1)
METRE = Geometry(empty_distance_mm=1000, full_distance_mm=0)


def found(town: Town) -> dict[str, tuple[int, int, bool]]:
    """Places with their reviewed levels, their emptyings, and whether a last level is known."""
    review_commune(town.connection, INSEE, now=NOON + 60 * HOUR, wait=True)
    town.connection.commit()
    rows = town.connection.execute(
        """
        SELECT place_id,
            (SELECT count(*) FROM reviewed_level WHERE reviewed_level.place_id = place.place_id),
            (SELECT count(*) FROM detected_emptying WHERE detected_emptying.place_id = place.place_id),
            EXISTS (SELECT FROM bin_level WHERE bin_level.place_id = place.place_id AND fill_fraction IS NOT NULL)
        FROM place WHERE kind = 'bin' ORDER BY place_id
        """
    ).fetchall()
    return {place_id: (levels, emptyings, known) for place_id, levels, emptyings, known in rows}


def test_verdicts_emptyings_and_last_levels_move_with_their_readings(town: Town):
    told(town.connection, "s", "COR-0002", NOON, geometry=METRE)
    # It fills for a day, is emptied, and fills again.
    rising = [1000 - 30 * (hour % 24) for hour in range(48)]
    collect(town.connection, [message("s", level(NOON + n * HOUR, mm)) for n, mm in enumerate(rising)])
    assert found(town) == {"COR-0001": (0, 0, False), "COR-0002": (48, 1, True), "COR-0003": (0, 0, False)}
    told(town.connection, "s", "COR-0003", NOON, geometry=METRE)
    assert found(town) == {"COR-0001": (0, 0, False), "COR-0002": (0, 0, False), "COR-0003": (48, 1, True)}
    told(town.connection, "s", "COR-0002", NOON + 30 * HOUR, geometry=METRE)
    assert found(town) == {"COR-0001": (0, 0, False), "COR-0002": (18, 0, True), "COR-0003": (30, 1, True)}
