-- Fill models apart from the forecasts that are made with them, and what a forecast says beyond its hours: the days' rounds
-- and the date of full.

-- Every model that was trained, also those that were refused. One at most is in service in a commune.
CREATE TABLE fill_model (
    commune_insee   text NOT NULL REFERENCES commune,
    model_id        uuid NOT NULL,
    method          text NOT NULL,
    libraries       jsonb NOT NULL,
    seed            bigint NOT NULL,
    as_of           timestamptz NOT NULL,
    made_at         timestamptz NOT NULL,
    trained_from    timestamptz NOT NULL,
    trained_until   timestamptz NOT NULL CHECK (trained_until <= as_of),
    training_s      double precision NOT NULL,
    saw             jsonb NOT NULL,
    scores          jsonb NOT NULL,
    data_quality    jsonb NOT NULL,
    compared        jsonb,
    status          text NOT NULL CHECK (status IN ('in_service', 'refused', 'retired')),
    reason          text NOT NULL,
    status_since    timestamptz NOT NULL,
    -- Arrays and numbers in the form of optimise/fill/packing.py; nothing in it is run. Kept while the model serves.
    fitted          bytea,
    PRIMARY KEY (commune_insee, model_id),
    CHECK ((status = 'in_service') = (fitted IS NOT NULL))
);
CREATE UNIQUE INDEX fill_model_in_service ON fill_model (commune_insee) WHERE status = 'in_service';
CREATE INDEX fill_model_by_time ON fill_model (commune_insee, as_of DESC, made_at DESC);

-- Runs of earlier versions trained their own model and kept it nowhere: they name none.
ALTER TABLE forecast_run ADD COLUMN model_id uuid;
-- Whether hours of the run were let go: true once newer runs have replaced it.
ALTER TABLE forecast_run ADD COLUMN thinned boolean NOT NULL DEFAULT false;
ALTER TABLE forecast_run ADD FOREIGN KEY (commune_insee, model_id) REFERENCES fill_model;

-- What a run says of a bin by the usual hour of each day's rounds, if nobody empties it before.
CREATE TABLE fill_by_rounds (
    commune_insee        text NOT NULL,
    run_id               uuid NOT NULL,
    place_id             text NOT NULL,
    service_date         date NOT NULL,
    rounds_at            timestamptz NOT NULL,
    p10                  real NOT NULL,
    p50                  real NOT NULL,
    p90                  real NOT NULL,
    probability_full     real NOT NULL CHECK (probability_full BETWEEN 0 AND 1),
    probability_overflow real NOT NULL CHECK (probability_overflow BETWEEN 0 AND probability_full),
    PRIMARY KEY (commune_insee, run_id, place_id, service_date),
    FOREIGN KEY (commune_insee, run_id) REFERENCES forecast_run ON DELETE CASCADE,
    CHECK (p10 <= p50 AND p50 <= p90)
);

-- When a bin will be full if nobody empties it: null where that lies beyond the run's last hour, `reaches_until`.
CREATE TABLE fill_full_date (
    commune_insee text NOT NULL,
    run_id        uuid NOT NULL,
    place_id      text NOT NULL,
    evidence      text NOT NULL CHECK (evidence IN ('sensor', 'emptying', 'nothing')),
    full_early_at timestamptz,
    full_at       timestamptz CHECK (full_at >= full_early_at),
    full_late_at  timestamptz CHECK (full_late_at >= full_at),
    reaches_until timestamptz NOT NULL,
    PRIMARY KEY (commune_insee, run_id, place_id),
    FOREIGN KEY (commune_insee, run_id) REFERENCES forecast_run ON DELETE CASCADE
);
