-- The occupancy forecast: models of how bays fill, what is usual at each, and the newest forecast of every bay and group.

-- Every model that was trained, also those that were refused. One at most is in service in a commune.
CREATE TABLE bay_model (
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
    -- Arrays in the form of optimise/occupancy/forecast/packing.py; nothing in it is run. Kept while the model serves.
    fitted          bytea,
    PRIMARY KEY (commune_insee, model_id),
    CHECK ((status = 'in_service') = (fitted IS NOT NULL))
);
CREATE UNIQUE INDEX bay_model_in_service ON bay_model (commune_insee) WHERE status = 'in_service';
CREATE INDEX bay_model_by_time ON bay_model (commune_insee, as_of DESC, made_at DESC);

-- How free each bay usually is in each half hour of the week that begins at `as_of`, as arrays; made anew every night.
CREATE TABLE bay_usual (
    commune_insee text PRIMARY KEY REFERENCES commune,
    as_of         timestamptz NOT NULL,
    content       bytea NOT NULL
);

-- The newest forecast of a commune. The moments ahead, minutes after `as_of`, are those of the arrays below.
CREATE TABLE bay_forecast_run (
    commune_insee text PRIMARY KEY REFERENCES commune,
    as_of         timestamptz NOT NULL,
    made_at       timestamptz NOT NULL,
    model_id      uuid,
    method        text NOT NULL,
    ahead_min     smallint[] NOT NULL,
    places        integer NOT NULL,
    sensed        integer NOT NULL,
    FOREIGN KEY (commune_insee, model_id) REFERENCES bay_model
);

-- Predicted, never measured: `occupied` only says from which state the forecast starts. Null arrays: nothing is known.
CREATE TABLE bay_forecast (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    use           text NOT NULL CHECK (use IN ('delivery', 'car', 'disabled')),
    evidence      text NOT NULL CHECK (evidence IN ('sensor', 'street', 'profile', 'nothing')),
    occupied      boolean,
    chance        real[],
    if_changed    real[],
    chance_low    real[],
    chance_high   real[],
    PRIMARY KEY (commune_insee, place_id),
    FOREIGN KEY (commune_insee, place_id) REFERENCES place ON DELETE CASCADE,
    CHECK ((evidence = 'nothing') = (chance IS NULL)),
    CHECK ((evidence = 'sensor') = (occupied IS NOT NULL)),
    CHECK ((if_changed IS NOT NULL) = (evidence = 'sensor'))
);

-- How many bays of a stretch, street, area or car park will be free and may be used.
CREATE TABLE bay_group_forecast (
    commune_insee text NOT NULL REFERENCES commune,
    group_id      text NOT NULL,
    scope         text NOT NULL CHECK (scope IN ('stretch', 'street', 'delivery_area', 'zone', 'street_face')),
    use           text NOT NULL CHECK (use IN ('delivery', 'car', 'disabled')),
    name          text,
    longitude_deg double precision NOT NULL,
    latitude_deg  double precision NOT NULL,
    place_ids     text[] NOT NULL,
    sensed        integer NOT NULL,
    known         smallint[] NOT NULL,
    expected      real[] NOT NULL,
    low           smallint[] NOT NULL,
    high          smallint[] NOT NULL,
    chance        real[] NOT NULL,
    PRIMARY KEY (commune_insee, group_id)
);
CREATE INDEX bay_group_forecast_near ON bay_group_forecast (commune_insee, scope, longitude_deg);
