"""Where a bin's fill starts from: silence is a forgotten emptying on paper; where rounds are planned, nobody came."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from optimise.fill.options import FillOptions
from optimise.fill.starts import starts_of
from optimise.fill.training import assemble
from storage.level_table import LevelTable
from storage.model import Bin, Emptying

NOW = datetime(2026, 3, 10, 5, tzinfo=UTC)
NO_LEVELS = LevelTable(
    place_id=np.zeros(0, dtype=object),
    measured_at_s=np.zeros(0, dtype=np.int64),
    fill_fraction=np.zeros(0, dtype=np.float32),
)


def test_silence_for_longer_than_ever_means_an_emptying_on_paper_and_none_where_rounds_are_planned():
    place = Bin(
        commune_insee="93051", place_id="COR-0001", longitude_deg=2.5, latitude_deg=48.8, street=None,
        bin_kind="street", volume_l=100.0, service_s=40.0, sector=None,
    )  # fmt: skip
    # Daily for two weeks, then nothing for four days.
    last = NOW - timedelta(days=4)
    told = [
        Emptying(place_id=place.place_id, emptied_at=last - timedelta(days=day), found_fraction=None)
        for day in range(14)
    ]
    on_paper = assemble(bins=[place], levels=NO_LEVELS, emptyings=told, as_of=NOW)
    assert not on_paper.planned
    assert starts_of(on_paper, FillOptions()).at_s[0] > last.timestamp()
    planned = replace(on_paper, planned=True)
    assert starts_of(planned, FillOptions()).at_s[0] == last.timestamp()
