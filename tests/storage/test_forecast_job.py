"""The forecast job on a real database: it stores what it computed, and sees nothing later than its moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest

from optimise.fill.forecast import PROBABILITIES, train
from optimise.fill.job import forecast_commune, load, model_version
from optimise.fill.options import FillOptions
from storage import bins, communes, forecasts, readings
from storage.database import Connection, connect
from storage.errors import NotFoundError
from storage.model import (
    Bin,
    Commune,
    FillReading,
    IntakeBatch,
    PlaceKind,
    Quality,
    ServiceEvent,
    ServiceEventKind,
)
from tests.storage.town import NOON, add_device

INSEE = "93051"
DAYS, BINS, SENSORED, HORIZON_H = 9, 36, 24, 24
HOUR = timedelta(hours=1)


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
    device_id = add_device(connection, eui=f"{uuid4().hex[:16]}", place_id=f"COR-{row:04d}", kind=PlaceKind.BIN)
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
    run = forecast_commune(
        town, INSEE, as_of=NOON, horizon_h=HORIZON_H, progress=lambda stage, _share: heard.append(stage)
    )
    town.commit()
    assert run == forecasts.latest_run(town, INSEE, at=NOON)
    assert (run.as_of, run.trained_until, run.trained_from) == (NOON, NOON, NOON - DAYS * 24 * HOUR)
    assert run.model_version == model_version()
    data = load(town, INSEE, as_of=NOON, options=FillOptions())
    valid_s = int(NOON.timestamp()) + 3600 * np.arange(1, HORIZON_H + 1)
    expected = train(data, seed=0).forecast(data, valid_s)
    found = stored(town, run.run_id)
    assert found[..., :5] == pytest.approx(expected.quantiles, abs=1e-5)
    assert found[..., 5] == pytest.approx(expected.probability_full, abs=1e-5)
    assert heard[0] == "fitting"
    assert heard[-1] == "saved"


def test_the_run_carries_honest_scores_and_counts(town: Connection):
    scores = forecast_commune(town, INSEE, as_of=NOON, horizon_h=HORIZON_H).scores
    assert (scores["bins"], scores["bins_with_sensor"]) == (BINS, SENSORED)
    assert scores["readings"] == SENSORED * DAYS * 24
    assert scores["looks_of_crews"] == scores["emptyings_declared"] == BINS * 5
    assert scores["unsensored"]["bins"] == SENSORED
    assert scores["mae"] == scores["unsensored"]["mae"] < scores["best_baseline_mae"]
    assert scores["best_baseline"] in scores["unsensored"]["baselines"]
    assert 0 <= scores["coverage_80"] <= 1


def test_nothing_after_the_moment_is_seen(town: Connection):
    before = forecast_commune(town, INSEE, as_of=NOON, horizon_h=HORIZON_H)
    first = stored(town, before.run_id)
    _measure(town, 30, [(hour, 0.9) for hour in range(24)], since=NOON)
    bins.declare(town, [_emptied(f"COR-{row:04d}", NOON + HOUR, 1.0) for row in range(BINS)])
    after = forecast_commune(town, INSEE, as_of=NOON, horizon_h=HORIZON_H)
    assert np.array_equal(stored(town, after.run_id), first)
    assert after.scores == before.scores


def test_a_commune_that_starts_today_gets_wide_forecasts(any_database_url: str):
    with connect(any_database_url) as connection:
        communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand"))
        bins.save(connection, [_bin(row, np.zeros(2)) for row in range(BINS)])
        run = forecast_commune(connection, INSEE, as_of=NOON, horizon_h=HORIZON_H)
        found = stored(connection, run.run_id)
        assert (run.scores["mae"], run.scores["coverage_80"], run.scores["best_baseline"]) == (None, None, None)
        assert (found[:, -1, 3] - found[:, -1, 1] > 0.5).all()


def test_nonsense_is_refused(town: Connection):
    with pytest.raises(NotFoundError):
        forecast_commune(town, "75056", as_of=NOON)
    with pytest.raises(ValueError, match="expected horizon_h >= 1, got 0"):
        forecast_commune(town, INSEE, as_of=NOON, horizon_h=0)
    with pytest.raises(ValueError, match="expected as_of with a time zone"):
        forecast_commune(town, INSEE, as_of=NOON.replace(tzinfo=None))
