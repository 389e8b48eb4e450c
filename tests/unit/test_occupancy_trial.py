"""The trial of the occupancy forecast: what it reads, what it leaves out, and that it foretells what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.town_files import open_lines
from optimise.csv_columns import parse_mapping
from optimise.occupancy.trial.clock import local_s
from optimise.occupancy.trial.columns import KNOWN
from optimise.occupancy.trial.evaluate import Trial, TrialOptions, evaluate
from optimise.occupancy.trial.feeds import find_dead
from optimise.occupancy.trial.field import Field, build_field
from optimise.occupancy.trial.moments import LEARN, TEST, VALIDATE, ask, ends_of_parts
from optimise.occupancy.trial.scores import calibration_error
from optimise.occupancy.trial.seen import ask_seen
from optimise.occupancy.trial.table import Site, Table, read_sites, read_table
from optimise.occupancy.trial.unseen import ask_unseen
from storage.errors import InputError
from tests.unit.fill_files import numbered
from tests.unit.occupancy_files import MADRID, START_S, bays, counts, lines_of, text

SHORT = TrialOptions(folds=3, moments=3000, unseen_moments=500, rounds=50)
BRIEF = replace(SHORT, moments=1000, rounds=5)
SCORES = {
    "n",
    "mae_places",
    "mae_percent",
    "brier",
    "calibration_error",
    "baselines",
    "best_baseline",
    "skill_vs_best",
}
DAY_S = 86400


def table_of(lines: list[str], **options: Any) -> Table:
    return read_table(numbered(lines), **options)


def field_of(lines: list[str]) -> Field:
    table = table_of(lines)
    dead, _ = find_dead(table, time_zone="UTC")
    return build_field(table, dead, np.arange(len(table.names)), time_zone="UTC")


def every_score(trial: Trial) -> list[dict[str, Any]]:
    return [scores for part in ("horizons", "unseen_places") for scores in trial.document[part].values()]


@pytest.fixture(scope="module")
def tried() -> Trial:
    return evaluate(table_of(lines_of(*counts())), SHORT, time_zone="UTC")


def test_the_answer_has_the_shape_that_is_documented(tried: Trial) -> None:
    assert list(tried.document) == ["places", "rows", "frozen", "horizons", "unseen_places"]
    assert list(tried.document["horizons"]) == list(tried.document["unseen_places"]) == ["15", "30", "60"]
    for scores in every_score(tried):
        assert set(scores) == SCORES
        assert scores["n"] > 0
        assert scores["best_baseline"] == min(scores["baselines"], key=scores["baselines"].get)
        best = scores["baselines"][scores["best_baseline"]]
        assert scores["skill_vs_best"] == pytest.approx(1 - scores["mae_percent"] / best)
    named = {"persistence", "profile", "profile_corrected_persistence", "global_mean"}
    assert all(named <= set(scores["baselines"]) for scores in tried.document["horizons"].values())


def test_an_hour_ahead_it_beats_what_is_simple_and_its_chances_hold(tried: Trial) -> None:
    hour = tried.document["horizons"]["60"]
    assert hour["skill_vs_best"] > 0.03
    assert hour["calibration_error"] < 0.03


def test_the_nearer_the_surer(tried: Trial) -> None:
    errors = [tried.document["horizons"][minutes]["mae_percent"] for minutes in ("15", "30", "60")]
    assert errors[0] < errors[1] < errors[2] < tried.document["unseen_places"]["60"]["mae_percent"]


def test_the_same_seed_gives_the_same_figures() -> None:
    table = table_of(lines_of(*counts(places=5, days=21)))
    found = [evaluate(table, BRIEF, time_zone="UTC").document for _ in range(2)]
    assert found[0] == found[1]


def test_free_places_and_taken_ones_tell_the_same() -> None:
    at_s, free, capacity = counts(places=3, days=3)
    one, other = (table_of(lines_of(at_s, free, capacity, of_taken=of_taken)) for of_taken in (False, True))
    assert np.array_equal(one.free, other.free)
    assert one.columns["free"] == "free"
    assert other.columns["occupied"] == "occupied"


def test_single_bays_that_tell_changes_alone_are_asked_for_at_any_time() -> None:
    table = table_of(bays())
    assert set(table.free) == {0.0, 1.0}
    assert set(table.capacity) == {1.0}
    field = build_field(table, np.zeros(len(table.at_s), dtype=bool), np.arange(len(table.names)), time_zone="UTC")
    assert not field.even
    trial = evaluate(table, SHORT, time_zone="UTC")
    for minutes in ("30", "60"):
        scores = trial.document["horizons"][minutes]
        assert scores["calibration_error"] < 0.06
        assert scores["skill_vs_best"] > -0.02
        assert scores["brier"] < 0.25  # who always says one half


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("p0,2026-01-05T00:00:00Z,-30,100", "give or take"),
        ("p0,2026-01-05T00:00:00Z,130,100", "give or take"),
        ("p0,2026-01-05T00:00:00Z,10,0", "capacity > 0"),
        ("p0,2026-01-05T00:00:00Z,,100", "a number of places"),
        ("p0,2026-01-05T00:00:00Z,nan,100", "a number of places"),
        ("p0,soon,10,100", "a date and time"),
        (",2026-01-05T00:00:00Z,10,100", "names no place"),
        ("p0,2026-01-05T00:00:00Z", "cells"),
        ("p0,2026-01-05T01:00:00Z,12,100", "a second row"),
    ],
)
def test_what_is_no_reading_is_refused_with_its_line(row: str, reason: str) -> None:
    table = table_of(["place_id,observed_at,free,capacity", "p0,2026-01-05T01:00:00Z,50,100", row])
    assert len(table.at_s) == 1
    assert table.refused == 1
    assert table.refusals[0].line == 3
    assert reason in table.refusals[0].reason


def test_a_count_that_drifted_past_its_end_is_at_its_end() -> None:
    rows = ["p0,2026-01-05T01:00:00Z,-8,100", "p0,2026-01-05T02:00:00Z,104,100"]
    table = table_of(["place_id,observed_at,occupied,capacity", *rows])
    assert table.free.tolist() == [100.0, 0.0]


def test_capacities_and_positions_come_from_the_file_of_places() -> None:
    sites = read_sites(numbered(["place_id;lon;lat;size", "a;2.5;48.8;10", "b;2.6;48.9;20"]), capacity_column="size")
    assert sites["b"] == Site(lon=2.6, lat=48.9, capacity=20)
    rows = ["place_id;observed_at;occupied", "a;2026-01-05 01:00;4", "b;2026-01-05 01:00;4", "c;2026-01-05 01:00;4"]
    table = table_of(rows, sites=sites)
    assert table.free.tolist() == [6.0, 16.0]
    assert "capacity" in table.refusals[0].reason
    guessed = table_of([rows[0], "a;2026-01-05 01:00;4", "a;2026-01-05 02:00;9"])
    assert guessed.capacity_guessed
    assert guessed.capacity.tolist() == [9.0, 9.0]


def test_columns_of_any_name_are_read_and_absent_ones_named() -> None:
    mapping = parse_mapping("place_id=cp,observed_at=t,free=left,capacity=n", KNOWN)
    assert table_of(["n,left,t,cp", "9,3,2026-01-05 01:00,x"], mapping=mapping).capacity.tolist() == [9.0]
    with pytest.raises(InputError, match="no column 'gone'"):
        table_of(["place_id,observed_at,free", "x,2026-01-05,3"], mapping=parse_mapping("capacity=gone", KNOWN))
    with pytest.raises(InputError, match="no column free and no column occupied"):
        table_of(["place_id,observed_at,level", "x,2026-01-05,3"])


def test_the_hour_that_comes_twice_is_read_in_order() -> None:
    first_s = int(datetime(2026, 10, 25, 1, 0, tzinfo=MADRID).timestamp())
    at_s = first_s + 600 * np.arange(24)  # four hours, of which 2:00 to 3:00 comes twice
    local = [datetime.fromtimestamp(int(each), MADRID).strftime("%Y-%m-%d %H:%M") for each in at_s]
    assert len(set(local)) == 18
    rows = [f"{place},{when},5" for when in local for place in ("a", "b")]
    table = table_of(["place_id,observed_at,free", *rows], time_zone="Europe/Madrid")
    assert table.refused == 0
    assert table.at_s[table.place_row == 1].tolist() == at_s.tolist()
    assert (local_s(at_s, "Europe/Madrid") - at_s).tolist() == [7200] * 12 + [3600] * 12


def test_feeds_that_stand_still_go_silent_or_never_speak_are_found_and_nothing_else() -> None:
    at_s, free, capacity = counts(places=6, days=28)
    lying = (at_s >= START_S + 10 * DAY_S) & (at_s < START_S + 11.5 * DAY_S)
    free[1, lying] = free[1, np.argmax(lying)]
    free[2] = capacity[2]
    lines = [line for line in lines_of(at_s, free, capacity) if not (line.startswith("p3,") and line > "p3,2026-01-25")]
    table = table_of(lines)
    dead, stretches = find_dead(table, time_zone="UTC")
    assert [(table.names[each.place_row], each.reason) for each in stretches] == [
        ("p1", "frozen"),
        ("p2", "never changes"),
        ("p3", "silent"),
    ]
    left_out = table.at_s[dead & (table.place_row == 1)]
    assert set(at_s[lying]) <= set(left_out)
    assert len(left_out) < lying.sum() + 12
    document = evaluate(table, BRIEF, time_zone="UTC").document
    assert [each["place_id"] for each in document["frozen"]] == ["p1", "p2", "p3"]
    assert document["frozen"][0]["from"] <= text(START_S + 10 * DAY_S)


def test_one_long_stay_in_a_bay_is_no_fault_but_a_week_is() -> None:
    lines = bays(places=4, days=40)
    whole = table_of(lines)
    assert find_dead(whole, time_zone="UTC")[1] == ()
    since, until = (text(START_S + days * DAY_S) for days in (10, 17))
    stuck = [line for line in lines if not (line.startswith("b1;") and since < line.split(";")[1] < until)]
    every_hour = [f"b1;{text(START_S + 10 * DAY_S + 3600 * hour)};occupied" for hour in range(1, 7 * 24)]
    _, stretches = find_dead(table_of(stuck + every_hour), time_zone="UTC")
    assert [(each.place_row, each.reason) for each in stretches] == [(1, "frozen")]


def test_what_is_learnt_validated_and_tested_lies_apart_in_time() -> None:
    field = field_of(lines_of(*counts(places=4, days=21)))
    moments = ask(field, ahead_s=3600, most=500, seed=0)
    learnt_s, validated_s = ends_of_parts(field)
    until = [-np.inf, learnt_s, validated_s, np.inf]
    for part in (LEARN, VALIDATE, TEST):
        mine = moments.part == part
        assert 400 < mine.sum() <= 500
        assert moments.asked_s[mine].min() >= until[part]
        assert moments.target_s[mine].max() < until[part + 1]


def test_nothing_that_comes_after_the_question_reaches_what_is_known() -> None:
    at_s, free, capacity = counts(places=4, days=21)
    asked_s = int(at_s[1300])
    lied = free.copy()
    lied[:, at_s > asked_s] = capacity[:, None] // 3
    told = []
    for each in (free, lied):
        table = table_of(lines_of(at_s, each, capacity))
        dead = np.zeros(len(table.at_s), dtype=bool)
        field = build_field(table, dead, np.arange(4), time_zone="UTC")
        moments = ask(field, ahead_s=1200, most=9000, seed=0)
        moments = moments.where((moments.asked_s == asked_s) & (moments.last >= 0))
        assert len(moments.last) == 4
        told.append((ask_seen(field, moments).features, ask_unseen(field, moments, np.arange(3)).features))
    for seen, lied_to in zip(*told, strict=True):
        assert np.array_equal(seen, lied_to, equal_nan=True)


def test_readings_of_a_place_held_out_never_reach_its_forecast() -> None:
    at_s, free, capacity = counts(places=5, days=21)
    lied = free.copy()
    lied[4] = np.random.default_rng(1).permutation(lied[4])
    told = []
    for each in (free, lied):
        field = field_of(lines_of(at_s, each, capacity))
        moments = ask(field, ahead_s=1800, most=9000, seed=0)
        moments = moments.where((moments.place_row == 4) & (moments.part == TEST))
        told.append(ask_unseen(field, moments, np.arange(4)).features)
    assert np.array_equal(*told, equal_nan=True)


def test_towns_that_are_too_small_get_reasons_instead_of_figures() -> None:
    trial = evaluate(table_of(lines_of(*counts(places=2, days=21))), BRIEF, time_zone="UTC")
    assert "to hold out whole places takes 4" in trial.why["unseen_places.15"]
    assert trial.document["unseen_places"]["15"]["n"] == 0
    assert trial.document["horizons"]["60"]["n"] > 0
    few = evaluate(table_of(lines_of(*counts(places=2, days=1))), BRIEF, time_zone="UTC")
    assert "too few readings" in few.why["horizons.15"]
    none = evaluate(table_of(["place_id,observed_at,free", "a,2026-01-05,3"]), SHORT, time_zone="UTC")
    assert "no place has" in none.why["horizons"]
    assert all(set(scores) == SCORES for scores in every_score(none))


def test_chances_that_hold_are_told_from_those_that_do_not() -> None:
    rng = np.random.default_rng(0)
    chance = rng.uniform(0, 1, 20_000)
    happened = rng.uniform(0, 1, 20_000) < chance
    assert calibration_error(chance, happened) < 0.015
    assert calibration_error(np.clip(chance + 0.1, 0, 1), happened) > 0.07


def test_what_makes_no_sense_is_refused() -> None:
    for nonsense in ({"folds": 2}, {"moments": 10}, {"places": 1}, {"rounds": 0}):
        with pytest.raises(ValueError, match="expected"):
            TrialOptions(**nonsense)


def test_the_car_parks_of_the_reference_data_beat_the_best_baseline(reference_data: Path) -> None:
    with open_lines(reference_data / "parking" / "malaga_2024.csv.gz") as lines:
        quarter = [line for line in lines if line.startswith("snapshot") or "2024-09-15" < line < "2024-12-05"]
    table = read_table(quarter, time_zone="Europe/Madrid")
    assert table.refused == 0
    trial = evaluate(table, replace(SHORT, moments=6000, rounds=80), time_zone="Europe/Madrid")
    for minutes in ("30", "60"):
        scores = trial.document["horizons"][minutes]
        assert scores["skill_vs_best"] > 0.03
        assert scores["calibration_error"] < 0.03
