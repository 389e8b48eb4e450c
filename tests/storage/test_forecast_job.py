"""The forecast job on a real database: it stores what it computed, and sees nothing later than its moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest

from optimise.fill.forecast import PROBABILITIES, train
from optimise.fill.job import JobOptions, forecast_commune
from optimise.fill.loading import load
from optimise.fill.options import FillOptions
from optimise.fill.registry import model_version, train_commune
from optimise.fill.trial import HELD_OUT_H
from storage import bins, communes, fill_models, forecasts, readings
from storage.database import Connection, connect
from storage.errors import NotFoundError
from storage.model import (
    Bin,
    Commune,
    Evidence,
    FillReading,
    IntakeBatch,
    ModelStatus,
    PlaceKind,
    Quality,
    ServiceEvent,
    ServiceEventKind,
)
from tests.storage.town import NOON, add_device

INSEE = "93051"
DAYS, BINS, SENSORED, HORIZON_H = 9, 36, 24, 48
HOUR = timedelta(hours=1)
JOB = JobOptions(horizon_h=HORIZON_H)
CUT = NOON - HELD_OUT_H * HOUR


@pytest.fixture
def town(any_database_url: str) -> Iterator[Connection]:
    """Bins emptied every other day, two thirds of them with a sensor, nine days up to NOON."""
    random = np.random.default_rng(5)
    with connect(any_database_url) as connection:
        communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand"))
        bins.save(connection, [_bin(row, where) for row, where in enumerate(random.uniform(-0.005, 0.005, (BINS, 2)))])
        for row, rate in enumerate(random.lognormal(np.log(0.012), 0.4, BINS)):
            place_id = f"COR-{row:04d}"
            if row < SENSORED:
                _measure(connection, row, [(h, rate * ((h - 7) % 48)) for h in range(DAYS * 24)])
            events = [
                _emptied(place_id, NOON - DAYS * 24 * HOUR + h * HOUR, rate * 48) for h in range(7, DAYS * 24, 48)
            ]
            bins.declare(connection, events)
        connection.commit()
        yield connection


def _bin(row: int, where: np.ndarray) -> Bin:
    return Bin(
        commune_insee=INSEE,
        place_id=f"COR-{row:04d}",
        longitude_deg=2.55 + float(where[0]),
        latitude_deg=48.84 + float(where[1]),
        street=None,
        bin_kind="street",
        volume_l=100.0,
        surroundings={"shops_75m": float(row % 5)},
    )


def _measure(
    connection: Connection, row: int, levels: list[tuple[int, float]], *, since: datetime | None = None
) -> None:
    since = since or NOON - DAYS * 24 * HOUR
    place_id = f"COR-{row:04d}"
    found = connection.execute("SELECT device_id FROM mounting WHERE place_id = %s", [place_id]).fetchone()
    device_id = (
        found[0] if found else add_device(connection, eui=uuid4().hex[:16], place_id=place_id, kind=PlaceKind.BIN)
    )
    taken = tuple(
        FillReading(
            commune_insee=INSEE,
            device_id=device_id,
            place_id=f"COR-{row:04d}",
            measured_at=since + hour * HOUR,
            record_index=0,
            received_at=since + hour * HOUR,
            quality=Quality.OK,
            fill_fraction=float(fill),
        )
        for hour, fill in levels
    )
    batch = IntakeBatch(commune_insee=INSEE, collector="test", messages=len(taken), fill_readings=taken)
    readings.take_in(connection, batch)


def _emptied(place_id: str, at: datetime, found: float) -> ServiceEvent:
    return ServiceEvent(
        commune_insee=INSEE,
        event_id=uuid4(),
        place_id=place_id,
        kind=ServiceEventKind.EMPTIED,
        happened_at=at,
        found_fraction=min(round(found * 4) / 4, 1.0),
    )


def stored(connection: Connection, run_id: object) -> np.ndarray:
    """Return (bins, hours, 6) what is stored of a run: quantiles and the probability of full."""
    run = forecasts.latest_run(connection, INSEE, at=NOON + 9 * 24 * HOUR)
    assert run is not None
    assert run.run_id == run_id
    found = forecasts.of_run(connection, INSEE, run.run_id, since=NOON, until=NOON + 99 * HOUR)
    assert [f.valid_at for f in found[:HORIZON_H]] == [NOON + hour * HOUR for hour in range(1, HORIZON_H + 1)]
    columns = [(f.p05, f.p10, f.p50, f.p90, f.p95, f.probability_full) for f in found]
    return np.array(columns).reshape(BINS, HORIZON_H, len(PROBABILITIES) + 1)


def test_the_job_stores_what_it_computed(town: Connection):
    heard: list[str] = []
    run = forecast_commune(town, INSEE, as_of=NOON, job=JOB, progress=lambda stage, _share: heard.append(stage))
    town.commit()
    assert run == forecasts.latest_run(town, INSEE, at=NOON)
    assert (run.as_of, run.trained_until, run.trained_from) == (NOON, CUT, NOON - DAYS * 24 * HOUR)
    serving = fill_models.serving(town, INSEE)
    assert serving is not None
    assert (run.model_id, run.model_version) == (serving.model_id, model_version(serving))
    data = load(town, INSEE, as_of=NOON, options=FillOptions())
    valid_s = int(NOON.timestamp()) + 3600 * np.arange(1, HORIZON_H + 1)
    # What serves was stored and read again: it forecasts as what was trained, to the last bit of a float4.
    expected = train(data.at(int(CUT.timestamp())), seed=0).forecast(data, valid_s)
    found = stored(town, run.run_id)
    assert found[..., :5] == pytest.approx(expected.quantiles, abs=1e-5)
    assert found[..., 5] == pytest.approx(expected.probability_full, abs=1e-5)
    assert heard[:2] == ["loaded", "fitting"]
    assert heard[-3:] == ["compared", "forecast", "saved"]


def test_days_rounds_and_dates_of_full_follow_from_the_hours(town: Connection):
    run = forecast_commune(town, INSEE, as_of=NOON + 0.3 * HOUR, job=JOB)
    hours = forecasts.of_run(town, INSEE, run.run_id, since=NOON, until=NOON + 99 * HOUR, place_id="COR-0003")
    assert [f.valid_at for f in hours] == [NOON + hour * HOUR for hour in range(1, HORIZON_H + 1)]
    days = forecasts.by_rounds(town, INSEE, run.run_id, place_ids=["COR-0003"])
    # No vehicle: 9 o'clock in Paris, in the two days that are within reach.
    assert [day.rounds_at for day in days] == [NOON + 20 * HOUR, NOON + 44 * HOUR]
    for day, hour in zip(days, (hours[19], hours[43]), strict=True):
        assert day.rounds_at == hour.valid_at
        assert (day.p10, day.p50, day.p90) == pytest.approx((hour.p10, hour.p50, hour.p90), abs=1e-5)
        assert day.probability_overflow <= day.probability_full == pytest.approx(hour.probability_full, abs=1e-5)
    dates = forecasts.full_dates(town, INSEE, run.run_id)
    assert [date.place_id for date in dates] == [f"COR-{row:04d}" for row in range(BINS)]
    every = forecasts.of_run(town, INSEE, run.run_id, since=NOON, until=NOON + 99 * HOUR)
    reached = {f.place_id for f in every if f.probability_full >= 0.5}
    assert {date.place_id for date in dates if date.full_at is not None} == reached
    assert {date.reaches_until for date in dates} == {NOON + HORIZON_H * HOUR}
    evidence = [Evidence.SENSOR] * SENSORED + [Evidence.EMPTYING] * (BINS - SENSORED)
    assert [date.evidence for date in dates] == evidence


def test_replaced_runs_keep_the_hours_that_judge_them(town: Connection):
    runs = [forecast_commune(town, INSEE, as_of=NOON + hour * HOUR, job=JOB) for hour in range(4)]
    kept = [
        len(forecasts.of_run(town, INSEE, run.run_id, since=NOON, until=NOON + 99 * HOUR, place_id="COR-0001"))
        for run in runs
    ]
    judged_by = sum(ahead_h <= HORIZON_H for ahead_h in forecasts.KEPT_AHEAD_H)
    assert kept == [judged_by, judged_by, HORIZON_H, HORIZON_H]
    assert len(forecasts.by_rounds(town, INSEE, runs[0].run_id)) == 2 * BINS
    assert len({run.model_id for run in runs}) == 1


def test_a_model_is_trained_anew_when_bins_came(town: Connection):
    before = forecast_commune(town, INSEE, as_of=NOON, job=JOB)
    bins.save(town, [_bin(BINS, np.zeros(2))])
    after = forecast_commune(town, INSEE, as_of=NOON, job=JOB)
    assert len(forecasts.full_dates(town, INSEE, after.run_id)) == BINS + 1
    old, new = (fill_models.one(town, INSEE, run.model_id) for run in (before, after) if run.model_id)
    assert (old.status, new.status) == (ModelStatus.RETIRED, ModelStatus.IN_SERVICE)
    assert "1 came or went" in new.reason
    assert fill_models.fitted(town, INSEE, old.model_id) is None


def test_a_model_of_another_version_is_replaced(town: Connection):
    before = train_commune(town, INSEE, as_of=NOON)
    town.execute("UPDATE fill_model SET fitted = 'nonsense'")
    run = forecast_commune(town, INSEE, as_of=NOON, job=JOB)
    assert run.model_id != before.model_id
    serving = fill_models.serving(town, INSEE)
    assert serving is not None
    assert "stored by another version" in serving.reason


def test_the_registry_tells_what_a_model_saw_and_what_was_wrong(town: Connection):
    record = train_commune(town, INSEE, as_of=NOON)
    assert record == fill_models.serving(town, INSEE)
    assert (record.status, record.reason) == (ModelStatus.IN_SERVICE, "the first model of the commune")
    assert record.saw["readings"] == SENSORED * (DAYS - 1) * 24 + SENSORED
    assert record.scores["unsensored"]["baselines"]
    quality = record.data_quality
    assert (quality["bins_ever_measured"], quality["sensors_silent"], quality["sensors_frozen"]) == (SENSORED, 0, 0)
    assert quality["emptyings_declared"] == BINS * 5
    assert quality["emptyings_declared_and_detected"] > SENSORED * 3
    # Two thirds of the sensors fall silent for two days: the next report names them.
    later = train_commune(town, INSEE, as_of=NOON + 48 * HOUR)
    assert later.data_quality["sensors_silent"] == SENSORED
    assert later.data_quality["sensors_silent_bins"][0] == "COR-0000"


def test_a_worse_model_is_refused_and_the_old_one_stays(town: Connection):
    good = train_commune(town, INSEE, as_of=NOON)
    # A day passes as the days before it did.
    random = np.random.default_rng(5)
    random.uniform(-0.005, 0.005, (BINS, 2))
    for row, rate in enumerate(random.lognormal(np.log(0.012), 0.4, BINS)):
        if row < SENSORED:
            _measure(town, row, [(h, rate * ((DAYS * 24 + h - 7) % 48)) for h in range(24)], since=NOON)
    # A model that was taught levels of a tenth of the true ones, and is tried on true ones.
    data = load(town, INSEE, as_of=NOON + 24 * HOUR, options=FillOptions())
    level, gained = data.hourly.level.copy(), data.hourly.gained.copy()
    level[:, : -HELD_OUT_H - 1] *= 0.1
    gained[:, :-HELD_OUT_H] *= 0.1
    early = data.readings.at_s < NOON.timestamp()
    taught = replace(
        data,
        hourly=replace(data.hourly, level=level, gained=gained),
        readings=replace(data.readings, fill=np.where(early, 0.1, 1.0) * data.readings.fill),
        declared=replace(data.declared, found=np.full_like(data.declared.found, np.nan)),
    )
    refused = train_commune(town, INSEE, as_of=NOON + 24 * HOUR, data=taught)
    assert refused.status is ModelStatus.REFUSED, refused.reason
    assert refused.compared is not None
    assert refused.compared["is_worse"]
    assert str(good.model_id) in refused.reason
    assert fill_models.serving(town, INSEE) == good
    assert forecast_commune(town, INSEE, as_of=NOON + 24 * HOUR, job=JOB).model_id == good.model_id
    # The same method on the same town is no worse, and replaces it.
    again = train_commune(town, INSEE, as_of=NOON + 24 * HOUR)
    assert again.status is ModelStatus.IN_SERVICE, again.reason
    assert again.compared is not None
    assert not again.compared["is_worse"]
    assert [model.status for model in fill_models.every(town, INSEE)] == [
        ModelStatus.IN_SERVICE,
        ModelStatus.REFUSED,
        ModelStatus.RETIRED,
    ]


def test_the_run_carries_honest_scores_and_counts(town: Connection):
    scores = forecast_commune(town, INSEE, as_of=NOON, job=JOB).scores
    assert (scores["bins"], scores["bins_with_sensor"]) == (BINS, SENSORED)
    assert scores["readings"] == SENSORED * DAYS * 24
    assert scores["looks_of_crews"] == scores["emptyings_declared"] == BINS * 5
    assert scores["unsensored"]["bins"] == SENSORED
    assert scores["mae"] == scores["unsensored"]["mae"] < scores["best_baseline_mae"]
    assert scores["best_baseline"] in scores["unsensored"]["baselines"]
    assert 0 <= scores["coverage_80"] <= 1


def test_nothing_after_the_moment_is_seen(town: Connection):
    before = forecast_commune(town, INSEE, as_of=NOON, job=JOB)
    first = stored(town, before.run_id)
    _measure(town, 30, [(hour, 0.9) for hour in range(24)], since=NOON)
    bins.declare(town, [_emptied(f"COR-{row:04d}", NOON + HOUR, 1.0) for row in range(BINS)])
    after = forecast_commune(town, INSEE, as_of=NOON, job=JOB)
    assert np.array_equal(stored(town, after.run_id), first)
    assert after.scores == before.scores


def test_a_commune_that_starts_today_gets_wide_forecasts(any_database_url: str):
    with connect(any_database_url) as connection:
        communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand"))
        bins.save(connection, [_bin(row, np.zeros(2)) for row in range(BINS)])
        run = forecast_commune(connection, INSEE, as_of=NOON, job=JOB)
        found = stored(connection, run.run_id)
        assert (run.scores["mae"], run.scores["coverage_80"], run.scores["best_baseline"]) == (None, None, None)
        assert (found[:, -1, 3] - found[:, -1, 1] > 0.5).all()


def test_nonsense_is_refused(town: Connection):
    with pytest.raises(NotFoundError):
        forecast_commune(town, "75056", as_of=NOON)
    with pytest.raises(ValueError, match="expected 1 <= horizon_h <= 168, got 0"):
        JobOptions(horizon_h=0)
    with pytest.raises(ValueError, match="expected as_of with a time zone"):
        forecast_commune(town, INSEE, as_of=NOON.replace(tzinfo=None))
