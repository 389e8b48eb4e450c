-- Stays of vehicles, made of the readings of bays and spaces in the order of events (optimise/occupancy).

-- Places whose readings changed and whose sessions are not made anew yet; the arrays go together.
CREATE TABLE session_due (
    due_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    commune_insee text NOT NULL,
    place_ids     text[] NOT NULL,
    changed_since timestamptz[] NOT NULL
);
CREATE INDEX session_due_of_commune ON session_due (commune_insee);

-- Whoever changes readings asks for their review (collectors, corrections of where a device was): what is asked for bays
-- and spaces is due here as well, in the same transaction, whoever asks.
CREATE FUNCTION ask_for_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO session_due (commune_insee, place_ids, changed_since)
    VALUES (NEW.commune_insee, NEW.place_ids, NEW.changed_since);
    RETURN NULL;
END
$$;
CREATE TRIGGER review_due_asks_for_sessions AFTER INSERT ON review_due
FOR EACH ROW WHEN (NEW.kind = 'occupancy') EXECUTE FUNCTION ask_for_sessions();

-- One stay. `started_at` is the arrival when `start_seen`; otherwise the vehicle was found there then, and came after
-- `started_after`. `dwell_s` is null unless both ends were told.
CREATE TABLE occupancy_session (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    started_at    timestamptz NOT NULL,
    started_after timestamptz CHECK (started_after <= started_at),
    start_seen    boolean NOT NULL,
    last_seen_at  timestamptz NOT NULL CHECK (last_seen_at >= started_at),
    ended_at      timestamptz CHECK (ended_at >= last_seen_at),
    ended_by      text NOT NULL CHECK (ended_by IN ('freed', 'found_free', 'replaced', 'lost', 'open')),
    dwell_s       double precision CHECK (dwell_s >= 0),
    certainty     real NOT NULL CHECK (certainty BETWEEN 0 AND 1),
    reports       integer NOT NULL CHECK (reports > 0),
    device_id     bigint NOT NULL,
    PRIMARY KEY (commune_insee, place_id, started_at),
    CHECK ((ended_at IS NULL) = (ended_by IN ('lost', 'open')))
);

-- What each place's sensor last said, as of the last time its sessions were made. `certainty` is that of the session.
CREATE TABLE occupancy_present (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    device_id     bigint NOT NULL,
    heard_at      timestamptz NOT NULL,
    measured_at   timestamptz,
    occupied      boolean,
    since         timestamptz,
    certainty     real,
    PRIMARY KEY (commune_insee, place_id)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        PERFORM create_hypertable('occupancy_session', 'started_at', chunk_time_interval => INTERVAL '7 days');
    END IF;
END
$$;

-- Readings of an earlier version become sessions like any others.
INSERT INTO session_due (commune_insee, place_ids, changed_since)
SELECT commune_insee, array_agg(place_id), array_agg(since)
FROM (
    SELECT commune_insee, place_id, min(measured_at) AS since FROM occupancy_reading GROUP BY commune_insee, place_id
) AS known
GROUP BY commune_insee;
