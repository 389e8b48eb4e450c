-- What a review of the readings in the order of events found: reviewed levels, emptyings that sensors saw, the devices'
-- health, and alerts. Raw readings stay as they came; measured, filtered and declared never share a column.

-- What changed and is not reviewed yet: a collector (or a declaration) adds a row in its own transaction, the review takes
-- rows away in the transaction in which it writes its findings. Arrays, so that a commit adds one row however many
-- devices it heard. `device_ids` is empty for declarations, which name places alone.
CREATE TABLE review_due (
    due_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    commune_insee text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('fill', 'occupancy', 'declared')),
    device_ids    bigint[] NOT NULL,
    place_ids     text[] NOT NULL,
    changed_since timestamptz[] NOT NULL,
    networks      text[] NOT NULL
);
CREATE INDEX review_due_of_commune ON review_due (commune_insee);

-- One row for each reviewed row of fill_reading. `quality` is the verdict in the order of events; `filtered_fraction` the
-- level with the noise taken out, null where the reading is not trusted.
CREATE TABLE reviewed_level (
    commune_insee     text NOT NULL,
    device_id         bigint NOT NULL,
    place_id          text NOT NULL,
    measured_at       timestamptz NOT NULL,
    record_index      smallint NOT NULL,
    quality           text NOT NULL,
    reason            text,
    filtered_fraction real,
    filtered_sd       real,
    PRIMARY KEY (device_id, measured_at, record_index),
    CHECK (quality = 'ok' OR filtered_fraction IS NULL)
);
CREATE INDEX reviewed_level_of_place ON reviewed_level (commune_insee, place_id, measured_at DESC);

-- The last trusted level of each bin, and what its sensor said since.
CREATE TABLE bin_level (
    commune_insee     text NOT NULL,
    place_id          text NOT NULL,
    device_id         bigint NOT NULL,
    measured_at       timestamptz,
    fill_fraction     real,
    battery_percent   real,
    filtered_fraction real,
    filtered_sd       real,
    reviewed_until    timestamptz NOT NULL,
    newest_quality    text NOT NULL,
    newest_reason     text,
    PRIMARY KEY (commune_insee, place_id)
);

-- An emptying that a sensor saw between two readings. `event_id` is the crew's declaration of it, null when nobody declared
-- it; `declared_after_s` is the declared time minus the middle of the two readings.
CREATE TABLE detected_emptying (
    commune_insee    text NOT NULL,
    place_id         text NOT NULL,
    device_id        bigint NOT NULL,
    emptied_after    timestamptz NOT NULL,
    emptied_before   timestamptz NOT NULL CHECK (emptied_before >= emptied_after),
    level_before     real NOT NULL,
    level_after      real NOT NULL,
    confidence       real NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    event_id         uuid,
    declared_after_s real,
    PRIMARY KEY (commune_insee, place_id, device_id, emptied_before)
);

-- What the sensor says of a declared emptying.
CREATE TABLE declared_check (
    commune_insee text NOT NULL,
    event_id      uuid NOT NULL,
    place_id      text NOT NULL,
    device_id     bigint NOT NULL,
    happened_at   timestamptz NOT NULL,
    verdict       text NOT NULL CHECK (verdict IN ('seen', 'not_seen', 'not_observable')),
    level_before  real,
    level_after   real,
    PRIMARY KEY (commune_insee, event_id)
);
CREATE INDEX declared_check_of_place ON declared_check (commune_insee, place_id, happened_at DESC);

-- A device on a UTC day: what its habits and its health are learnt from.
CREATE TABLE device_day (
    commune_insee   text NOT NULL,
    device_id       bigint NOT NULL,
    day             date NOT NULL,
    readings        integer NOT NULL,
    frames          integer NOT NULL,
    lost            integer NOT NULL,
    median_gap_s    real,
    longest_gap_s   real,
    repeats         integer NOT NULL,
    changes         integer NOT NULL,
    noise_fraction  real,
    step_fraction   real,
    battery_percent real,
    battery_v       real,
    rssi_dbm        real,
    snr_db          real,
    PRIMARY KEY (device_id, day)
);

-- A device now. `silent_after_s` is how long it may say nothing, learnt from its own habit; `excused_until` is when the
-- last outage of its network ended.
CREATE TABLE device_health (
    commune_insee     text NOT NULL,
    device_id         bigint PRIMARY KEY,
    place_id          text,
    network           text,
    heard_at          timestamptz NOT NULL,
    heard_before_at   timestamptz,
    period_s          real,
    silent_after_s    real NOT NULL,
    excused_until     timestamptz,
    noise_fraction    real,
    step_fraction     real,
    repeat_share      real,
    battery_percent   real,
    battery_v         real,
    battery_empty_at  timestamptz,
    rssi_dbm          real,
    snr_db            real,
    loss_fraction     real
);
CREATE INDEX device_health_of_commune ON device_health (commune_insee);

-- What somebody should look at. Opens once (the index below, whoever looks), closes itself, and is kept. Times are the
-- events'; `noticed_at` is when we saw it. `subject` is what it is about: a place, a device or a network.
CREATE TABLE alert (
    alert_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    commune_insee text NOT NULL,
    kind          text NOT NULL,
    subject       text NOT NULL,
    severity      text NOT NULL CHECK (severity IN ('urgent', 'important', 'minor')),
    place_id      text,
    device_id     bigint,
    network       text,
    opened_at     timestamptz NOT NULL,
    noticed_at    timestamptz NOT NULL,
    closed_at     timestamptz CHECK (closed_at >= opened_at),
    closed_by     text CHECK ((closed_by IS NULL) = (closed_at IS NULL)),
    message       text NOT NULL,
    evidence      jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX alert_opens_once ON alert (commune_insee, kind, subject) WHERE closed_at IS NULL;
-- The same past is told once, however often it is reviewed.
CREATE UNIQUE INDEX alert_begins_once ON alert (commune_insee, kind, subject, opened_at);
CREATE INDEX alert_by_time ON alert (commune_insee, opened_at DESC);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        PERFORM create_hypertable('reviewed_level', 'measured_at', chunk_time_interval => INTERVAL '7 days');
    END IF;
END
$$;

-- Readings of an earlier version are reviewed like any others.
INSERT INTO review_due (commune_insee, kind, device_ids, place_ids, changed_since, networks)
SELECT commune_insee, kind, array_agg(device_id), array_agg(place_id), array_agg(since), array_agg(NULL::text)
FROM (
    SELECT commune_insee, 'fill' AS kind, device_id, place_id, min(measured_at) AS since
    FROM fill_reading
    GROUP BY commune_insee, device_id, place_id
    UNION ALL
    SELECT commune_insee, 'occupancy', device_id, place_id, min(measured_at)
    FROM occupancy_reading
    GROUP BY commune_insee, device_id, place_id
) AS known
GROUP BY commune_insee, kind;
