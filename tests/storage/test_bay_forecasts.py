"""The occupancy forecast on real databases: trained, registered, refused when worse, and what it says of bays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from optimise.occupancy.forecast.job import SIMPLE, forecast_bays
from optimise.occupancy.forecast.learning import LearningOptions
from optimise.occupancy.forecast.packing import pack_model, unpack_model
from optimise.occupancy.forecast.registry import METHOD, TrainingOptions, serving, train_bays
from optimise.occupancy.forecast.watch import watch_bay_day
from optimise.occupancy.job import make_sessions
from storage import bay_forecasts, bay_models, bay_scores, communes
from storage.database import Connection, connect
from storage.errors import NotFoundError
from storage.kerb_now import WHOLE_WORLD
from storage.model import BayEvidence, BayScope, BayUse, Commune, ModelStatus
from tests.storage import bay_town
from tests.storage.bay_town import INSEE, NOW

BRIEF = TrainingOptions(learning=LearningOptions(questions=6000, rounds=40, rare=100))


@pytest.fixture
def town(any_database_url: str) -> Iterator[Connection]:
    with connect(any_database_url) as connection:
        bay_town.provision(connection)
        make_sessions(connection, INSEE)
        connection.commit()
        yield connection


def test_a_model_is_trained_served_and_never_replaced_by_a_worse_one(town: Connection):
    first = train_bays(town, INSEE, as_of=NOW, options=BRIEF)
    assert (first.status, first.method) == (ModelStatus.IN_SERVICE, METHOD)
    assert first.trained_until <= NOW - timedelta(days=2)
    assert first.saw["bays_with_sensor"] == bay_town.SENSED
    scores = first.scores["bays"]["all"]
    assert scores["brier"] < min(scores["brier_baselines"].values())
    record, model = serving(town, INSEE)
    assert record == first
    # The one in service is better than what comes: it stays.
    worse = replace(model, slope=-model.slope)
    town.execute("UPDATE bay_model SET fitted = %s WHERE status = 'in_service'", [pack_model(worse)])
    second = train_bays(town, INSEE, as_of=NOW, options=BRIEF)
    assert second.status is ModelStatus.IN_SERVICE
    assert second.compared is not None
    assert second.compared["worse"] < 0
    hasty = replace(BRIEF, learning=replace(BRIEF.learning, rounds=1))
    third = train_bays(town, INSEE, as_of=NOW, options=hasty)
    assert third.status is ModelStatus.REFUSED
    assert "worse than" in third.reason
    assert [one.status.value for one in bay_models.every(town, INSEE)].count("in_service") == 1
    assert bay_models.fitted(town, INSEE, third.model_id) is None


def test_what_is_packed_comes_back_to_the_last_bit(town: Connection):
    train_bays(town, INSEE, as_of=NOW, options=BRIEF)
    _, model = serving(town, INSEE)
    again = unpack_model(pack_model(model))
    assert model.trees is not None
    assert again.trees is not None
    asked = np.random.default_rng(0).normal(size=(50, 14)).astype(np.float32)
    assert np.array_equal(model.trees.logit(asked), again.trees.logit(asked))


def test_every_bay_and_group_is_foretold_and_unknown_is_never_free(town: Connection):
    train_bays(town, INSEE, as_of=NOW, options=BRIEF)
    run = forecast_bays(town, INSEE, as_of=NOW)
    assert run is not None
    assert (run.method, run.places) == (METHOD, bay_town.SENSED + bay_town.SILENT)
    assert bay_forecasts.latest_run(town, INSEE) == run
    ids = [f"STA-{number:04d}" for number in range(16)]
    told = {one.place_id: one for one in bay_forecasts.of_places(town, INSEE, ids)}
    assert set(told) == set(ids)
    sensed, silent = told["STA-0000"], told["STA-0007"]
    assert sensed.evidence is BayEvidence.SENSOR
    assert sensed.chance is not None
    assert sensed.if_changed is not None
    # Now is what the sensor says, and had it just turned, the contrary.
    assert sensed.chance[0] == float(not sensed.occupied)
    assert sensed.if_changed[0] == float(bool(sensed.occupied))
    assert silent.evidence is BayEvidence.STREET
    assert silent.occupied is None
    assert silent.chance is not None
    assert silent.chance_low is not None
    assert silent.chance_high is not None
    for low, chance, high in zip(silent.chance_low, silent.chance, silent.chance_high, strict=True):
        assert 0 <= low < chance < high <= 1
    (street,) = bay_forecasts.of_groups(
        town, INSEE, scope=BayScope.STREET, uses=[BayUse.CAR], bounds=(2.5, 48.839, 2.6, 48.841)
    )
    assert street.name == "Rue Haute"
    assert len(street.place_ids) == 8
    assert (street.sensed, street.known[0]) == (6, 8)
    members = [told[place_id].chance for place_id in street.place_ids]
    expected = np.array([each for each in members if each is not None]).sum(axis=0)
    # A number's mean is the sum of chances, however they hang together; the shift bends it a little.
    assert np.allclose(street.expected, expected, atol=0.25)
    for low, mean, high, chance in zip(street.low, street.expected, street.high, street.chance, strict=True):
        assert 0 <= low <= mean <= high + 1 <= 9
        assert chance >= max(each[4] for each in members if each is not None) - 0.5
    assert bay_forecasts.of_group(town, INSEE, street.group_id) == street
    with pytest.raises(NotFoundError):
        bay_forecasts.of_group(town, INSEE, "street:car:Nowhere")


def test_a_commune_without_history_is_foretold_simply_and_without_sensors_not_at_all(any_database_url: str):
    with connect(any_database_url) as town:
        bay_town.provision(town, days=1)
        make_sessions(town, INSEE)
        record = train_bays(town, INSEE, as_of=NOW, options=BRIEF)
        assert record.status is ModelStatus.REFUSED
        assert "too few" in record.reason
        run = forecast_bays(town, INSEE, as_of=NOW)
        assert run is not None
        assert (run.method, run.model_id) == (SIMPLE, None)
        town.execute("TRUNCATE occupancy_reading, occupancy_present, bay_usual")
        run = forecast_bays(town, INSEE, as_of=NOW)
        assert run is not None
        assert run.sensed == 0
        told = bay_forecasts.of_places(town, INSEE, ["STA-0000", "STA-0007"])
        assert [(one.evidence, one.chance) for one in told] == [(BayEvidence.NOTHING, None)] * 2
        groups = bay_forecasts.of_groups(town, INSEE, scope=BayScope.STRETCH, uses=list(BayUse), bounds=WHOLE_WORLD)
        assert groups
        assert all((one.known[0], one.expected[0], one.chance[0]) == (0, 0.0, 0.0) for one in groups)
        communes.save(town, Commune(commune_insee="75056", name="Paris"))
        assert forecast_bays(town, "75056", as_of=NOW) is None


def test_a_days_forecasts_are_judged_by_what_sensors_then_said(any_database_url: str):
    with connect(any_database_url) as connection:
        end = NOW.replace(hour=23, minute=0)  # midnight in Paris
        bay_town.provision(connection, until=end + timedelta(hours=2), days=4)
        make_sessions(connection, INSEE)
        # Made of what was known then; three within half an hour are one sample.
        for minutes in (0, 5, 25, 30, 47, 240):
            forecast_bays(connection, INSEE, as_of=end - timedelta(hours=10) + timedelta(minutes=minutes))
        day = NOW.date()
        samples = bay_scores.samples(connection, INSEE, since=end - timedelta(days=1), until=end)
        assert [(end - one.as_of).total_seconds() / 60 for one in samples] == [600, 570, 360]
        scores = {(one.ahead_min, one.bay_group): one for one in watch_bay_day(connection, INSEE, day=day)}
        stored = {(one.ahead_min, one.bay_group): one for one in bay_scores.of_latest_day(connection, INSEE)}
        assert set(stored) == set(scores)
        of_all = scores[30, "all"]
        # Who has no sensor is foretold, and nobody knows how it came.
        assert (of_all.answers, of_all.bays) == (3 * bay_town.SENSED, bay_town.SENSED)
        assert {group for _, group in scores} == {"all", "evidence:sensor", "use:car"}
        came = connection.execute(
            "SELECT DISTINCT ON (at, place_id) at, place_id, (NOT occupied)::int"
            " FROM occupancy_reading JOIN unnest(%s::timestamptz[]) AS at ON measured_at <= at"
            " ORDER BY at, place_id, measured_at DESC",
            [[one.as_of + timedelta(minutes=30) for one in samples]],
        ).fetchall()
        told = {
            (one.as_of + timedelta(minutes=30), place_id): chance
            for one in samples
            for place_id, chance in zip(one.place_id.tolist(), one.chance[1].tolist(), strict=True)
        }
        assert len(came) == of_all.answers
        expected = np.mean([(told[at, place_id] - free) ** 2 for at, place_id, free in came])
        assert of_all.brier == pytest.approx(expected, abs=1e-6)
        assert stored[30, "all"].brier == pytest.approx(expected, abs=1e-6)
        assert bay_scores.samples(connection, INSEE, since=end - timedelta(days=1), until=end) == []
        assert bay_scores.latest_day(connection, INSEE) == day
