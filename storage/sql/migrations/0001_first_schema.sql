-- The first schema. Every table carries its commune, since one installation serves many.
-- Times are timestamptz, stored as UTC; units are in the columns' names.

CREATE TABLE commune (
    commune_insee text PRIMARY KEY CHECK (commune_insee ~ '^[0-9][0-9AB][0-9]{3}$'),
    name          text NOT NULL,
    time_zone     text NOT NULL DEFAULT 'Europe/Paris',
    school_zone   text CHECK (school_zone IN ('A', 'B', 'C'))
);

-- Only simulated communes have a row here. It carries their accelerated clock, so that every process reads the same one.
CREATE TABLE simulation (
    commune_insee    text PRIMARY KEY REFERENCES commune,
    seed             bigint NOT NULL,
    streets_source   text NOT NULL,
    started_at       timestamptz NOT NULL,
    history_until    timestamptz NOT NULL,
    wall_origin      timestamptz NOT NULL,
    simulated_origin timestamptz NOT NULL,
    rate             double precision NOT NULL CHECK (rate > 0),
    history_published boolean NOT NULL DEFAULT false,
    options          jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE place (
    commune_insee text NOT NULL REFERENCES commune,
    place_id      text NOT NULL CHECK (place_id <> ''),
    kind          text NOT NULL CHECK (kind IN ('bin', 'delivery_bay', 'parking_space', 'depot', 'disposal_site')),
    longitude_deg double precision NOT NULL CHECK (longitude_deg BETWEEN -180 AND 180),
    latitude_deg  double precision NOT NULL CHECK (latitude_deg BETWEEN -90 AND 90),
    street        text,
    PRIMARY KEY (commune_insee, place_id)
);

CREATE TABLE bin (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    bin_kind      text NOT NULL,
    volume_l      real NOT NULL CHECK (volume_l > 0),
    service_s     real NOT NULL CHECK (service_s >= 0),
    sector        text,
    surroundings  jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (commune_insee, place_id),
    FOREIGN KEY (commune_insee, place_id) REFERENCES place ON DELETE CASCADE
);

CREATE TABLE delivery_bay (
    commune_insee  text NOT NULL,
    place_id       text NOT NULL,
    length_cm      integer NOT NULL CHECK (length_cm > 0),
    max_stay_s     integer NOT NULL CHECK (max_stay_s > 0),
    grace_s        integer NOT NULL CHECK (grace_s >= 0),
    enforced_days  smallint[] NOT NULL CHECK (enforced_days <@ ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[]),
    enforced_from  time NOT NULL,
    enforced_until time NOT NULL,
    PRIMARY KEY (commune_insee, place_id),
    FOREIGN KEY (commune_insee, place_id) REFERENCES place ON DELETE CASCADE
);

CREATE TABLE parking_space (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    space_kind    text NOT NULL CHECK (space_kind IN ('standard', 'pmr', 'short_stay')),
    PRIMARY KEY (commune_insee, place_id),
    FOREIGN KEY (commune_insee, place_id) REFERENCES place ON DELETE CASCADE
);

CREATE TABLE disposal_site (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    unload_s      real NOT NULL CHECK (unload_s >= 0),
    PRIMARY KEY (commune_insee, place_id),
    FOREIGN KEY (commune_insee, place_id) REFERENCES place ON DELETE CASCADE
);

CREATE TABLE vehicle (
    commune_insee text NOT NULL,
    vehicle_id    text NOT NULL,
    name          text NOT NULL,
    capacity_l    real NOT NULL CHECK (capacity_l > 0),
    depot_id      text NOT NULL,
    shift_from    time NOT NULL,
    shift_until   time NOT NULL,
    break_s       real NOT NULL CHECK (break_s >= 0),
    break_from    time NOT NULL,
    break_until   time NOT NULL,
    PRIMARY KEY (commune_insee, vehicle_id),
    FOREIGN KEY (commune_insee, depot_id) REFERENCES place (commune_insee, place_id)
);

CREATE TABLE device (
    device_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    commune_insee text NOT NULL REFERENCES commune,
    eui           text NOT NULL CHECK (eui <> ''),
    model         text NOT NULL,
    status        text NOT NULL DEFAULT 'mounted' CHECK (status IN ('in_stock', 'mounted', 'retired')),
    UNIQUE (commune_insee, eui)
);

CREATE TABLE mounting (
    commune_insee     text NOT NULL,
    device_id         bigint NOT NULL REFERENCES device ON DELETE CASCADE,
    place_id          text NOT NULL,
    mounted_at        timestamptz NOT NULL,
    unmounted_at      timestamptz CHECK (unmounted_at > mounted_at),
    empty_distance_mm integer CHECK (empty_distance_mm > 0),
    full_distance_mm  integer CHECK (full_distance_mm >= 0 AND full_distance_mm < empty_distance_mm),
    PRIMARY KEY (device_id, mounted_at),
    FOREIGN KEY (commune_insee, place_id) REFERENCES place ON DELETE CASCADE
);
CREATE UNIQUE INDEX mounting_device_is_on_one_place ON mounting (device_id) WHERE unmounted_at IS NULL;
CREATE INDEX mounting_of_place ON mounting (commune_insee, place_id);

-- Readings. No foreign keys: the collector resolved device and place from the registry, and a check per row would
-- halve the rate of COPY. The key makes redelivery harmless: (device, event time, record index).
CREATE TABLE fill_reading (
    commune_insee   text NOT NULL,
    device_id       bigint NOT NULL,
    place_id        text NOT NULL,
    measured_at     timestamptz NOT NULL,
    record_index    smallint NOT NULL,
    received_at     timestamptz NOT NULL,
    quality         text NOT NULL,
    fill_fraction   real,
    distance_mm     integer,
    temperature_c   real,
    battery_percent real,
    tilted          boolean,
    frame_counter   bigint,
    payload         bytea,
    PRIMARY KEY (device_id, measured_at, record_index),
    CHECK (quality = 'ok' OR fill_fraction IS NULL)
);
CREATE INDEX fill_reading_of_place ON fill_reading (commune_insee, place_id, measured_at DESC);

CREATE TABLE occupancy_reading (
    commune_insee   text NOT NULL,
    device_id       bigint NOT NULL,
    place_id        text NOT NULL,
    measured_at     timestamptz NOT NULL,
    record_index    smallint NOT NULL,
    received_at     timestamptz NOT NULL,
    quality         text NOT NULL,
    occupied        boolean,
    temperature_c   real,
    battery_percent real,
    frame_counter   bigint,
    payload         bytea,
    PRIMARY KEY (device_id, measured_at, record_index),
    CHECK (quality = 'ok' OR occupied IS NULL)
);
CREATE INDEX occupancy_reading_of_place ON occupancy_reading (commune_insee, place_id, measured_at DESC);

CREATE TABLE device_event (
    commune_insee text NOT NULL,
    device_id     bigint NOT NULL,
    measured_at   timestamptz NOT NULL,
    received_at   timestamptz NOT NULL,
    kind          text NOT NULL,
    detail        jsonb NOT NULL,
    payload       bytea,
    PRIMARY KEY (device_id, measured_at, kind)
);

-- A message that could not be taken in, whole, with its reason: nothing is dropped without a trace.
CREATE TABLE refused_message (
    refused_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    commune_insee text NOT NULL,
    received_at   timestamptz NOT NULL,
    network       text NOT NULL,
    topic         text NOT NULL,
    payload       bytea NOT NULL,
    reason        text NOT NULL,
    detail        text NOT NULL,
    device_eui    text
);
CREATE INDEX refused_message_by_time ON refused_message (commune_insee, received_at DESC);

-- One row per commit of a collector, written in the same transaction: the ledger an operator proves things with.
CREATE TABLE intake_batch (
    batch_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    commune_insee text NOT NULL,
    collector     text NOT NULL,
    committed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    messages      integer NOT NULL,
    stored        integer NOT NULL,
    duplicates    integer NOT NULL,
    refused       integer NOT NULL
);
CREATE INDEX intake_batch_by_time ON intake_batch (commune_insee, committed_at DESC);

CREATE TABLE service_event (
    commune_insee  text NOT NULL,
    event_id       uuid NOT NULL,
    place_id       text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('emptied', 'blocked', 'overflowing', 'damaged')),
    happened_at    timestamptz NOT NULL,
    received_at    timestamptz NOT NULL DEFAULT now(),
    found_fraction real CHECK (found_fraction BETWEEN 0 AND 1.5),
    plan_id        uuid,
    comment        text,
    PRIMARY KEY (commune_insee, event_id),
    FOREIGN KEY (commune_insee, place_id) REFERENCES place
);
CREATE INDEX service_event_of_place ON service_event (commune_insee, place_id, happened_at DESC);

CREATE TABLE forecast_run (
    commune_insee text NOT NULL REFERENCES commune,
    run_id        uuid NOT NULL,
    model_version text NOT NULL,
    as_of         timestamptz NOT NULL,
    made_at       timestamptz NOT NULL,
    trained_from  timestamptz NOT NULL,
    trained_until timestamptz NOT NULL,
    scores        jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (commune_insee, run_id)
);
CREATE INDEX forecast_run_latest ON forecast_run (commune_insee, as_of DESC, made_at DESC);

CREATE TABLE fill_forecast (
    commune_insee    text NOT NULL,
    run_id           uuid NOT NULL,
    place_id         text NOT NULL,
    valid_at         timestamptz NOT NULL,
    p05              real NOT NULL,
    p10              real NOT NULL,
    p50              real NOT NULL,
    p90              real NOT NULL,
    p95              real NOT NULL,
    probability_full real NOT NULL CHECK (probability_full BETWEEN 0 AND 1),
    PRIMARY KEY (commune_insee, run_id, place_id, valid_at),
    FOREIGN KEY (commune_insee, run_id) REFERENCES forecast_run ON DELETE CASCADE,
    CHECK (p05 <= p10 AND p10 <= p50 AND p50 <= p90 AND p90 <= p95)
);

CREATE TABLE plan (
    commune_insee   text NOT NULL REFERENCES commune,
    plan_id         uuid NOT NULL,
    service_date    date NOT NULL,
    made_at         timestamptz NOT NULL,
    as_of           timestamptz NOT NULL,
    engine          text NOT NULL,
    seed            bigint NOT NULL,
    solve_s         real NOT NULL,
    travel_source   text NOT NULL,
    forecast_run_id uuid,
    distance_m      double precision NOT NULL,
    duration_s      double precision NOT NULL,
    checker         jsonb NOT NULL CHECK (checker @> '{"accepted": true}'),
    inputs          jsonb NOT NULL,
    PRIMARY KEY (commune_insee, plan_id)
);
CREATE INDEX plan_latest ON plan (commune_insee, service_date DESC, made_at DESC);

CREATE TABLE planned_route (
    commune_insee text NOT NULL,
    plan_id       uuid NOT NULL,
    route_index   smallint NOT NULL,
    vehicle_id    text NOT NULL,
    start_at      timestamptz NOT NULL,
    end_at        timestamptz NOT NULL,
    distance_m    double precision NOT NULL,
    duration_s    double precision NOT NULL,
    geometry      jsonb NOT NULL,
    PRIMARY KEY (commune_insee, plan_id, route_index),
    FOREIGN KEY (commune_insee, plan_id) REFERENCES plan ON DELETE CASCADE
);

CREATE TABLE planned_stop (
    commune_insee text NOT NULL,
    plan_id       uuid NOT NULL,
    route_index   smallint NOT NULL,
    stop_index    smallint NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('depot', 'bin', 'disposal', 'break')),
    place_id      text,
    longitude_deg double precision,
    latitude_deg  double precision,
    arrive_at     timestamptz NOT NULL,
    depart_at     timestamptz NOT NULL CHECK (depart_at >= arrive_at),
    load_l        real NOT NULL,
    distance_m    double precision NOT NULL,
    reason        jsonb,
    PRIMARY KEY (commune_insee, plan_id, route_index, stop_index),
    FOREIGN KEY (commune_insee, plan_id, route_index) REFERENCES planned_route ON DELETE CASCADE,
    CHECK (kind <> 'bin' OR reason IS NOT NULL)
);

CREATE TABLE plan_left_out (
    commune_insee text NOT NULL,
    plan_id       uuid NOT NULL,
    place_id      text NOT NULL,
    reason        jsonb NOT NULL,
    PRIMARY KEY (commune_insee, plan_id, place_id),
    FOREIGN KEY (commune_insee, plan_id) REFERENCES plan ON DELETE CASCADE
);

-- Hypertables where TimescaleDB is there. One week a chunk: a commune of 1,000 bins writes 170,000 rows a week.
-- A library that the server has not preloaded has no settings; which ones it preloaded only administrators may ask.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
        AND current_setting('timescaledb.max_background_workers', true) IS NOT NULL THEN
        CREATE EXTENSION IF NOT EXISTS timescaledb;
        PERFORM create_hypertable('fill_reading', 'measured_at', chunk_time_interval => INTERVAL '7 days');
        PERFORM create_hypertable('occupancy_reading', 'measured_at', chunk_time_interval => INTERVAL '7 days');
    END IF;
END
$$;
