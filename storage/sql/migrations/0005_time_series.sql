-- What time series need in every edition: hourly figures that outlive their readings, the event logic of occupancy, and how
-- far each kind of data is forgotten. What only some editions offer is applied by storage/time_series.py at each migration.

-- The present state asks for the newest reading of a place; without the record's index the index did not answer alone.
DROP INDEX fill_reading_of_place;
CREATE INDEX fill_reading_of_place ON fill_reading (commune_insee, place_id, measured_at DESC, record_index DESC);
DROP INDEX occupancy_reading_of_place;
CREATE INDEX occupancy_reading_of_place ON occupancy_reading (commune_insee, place_id, measured_at DESC, record_index DESC);

-- Hourly figures of hours whose readings were forgotten, or will be within two days.
CREATE TABLE fill_hourly_kept (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    hour          timestamptz NOT NULL,
    readings      bigint NOT NULL,
    measured      bigint NOT NULL,
    mean_fraction double precision,
    min_fraction  real,
    max_fraction  real,
    last_fraction real,
    PRIMARY KEY (commune_insee, place_id, hour)
);

CREATE TABLE occupancy_hourly_kept (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    hour          timestamptz NOT NULL,
    readings      bigint NOT NULL,
    measured      bigint NOT NULL,
    known_s       double precision NOT NULL,
    occupied_s    double precision NOT NULL,
    arrivals      bigint NOT NULL,
    PRIMARY KEY (commune_insee, place_id, hour)
);

-- How far a commune's data of one kind are gone. Hourly figures before `kept_before` come from the tables above.
CREATE TABLE forgotten (
    commune_insee    text NOT NULL REFERENCES commune ON DELETE CASCADE,
    kind             text NOT NULL,
    forgotten_before timestamptz NOT NULL DEFAULT '-infinity',
    kept_before      timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (commune_insee, kind)
);

-- Two aggregates over one place's readings in their order, `(measured_at, occupied ORDER BY measured_at, record_index)`:
-- the seconds between the first and the last during which it was occupied, and how often it turned from free to occupied.
-- The state is {last time, last occupied, occupied time, arrivals}, in whole microseconds so that sums are exact.
CREATE FUNCTION occupancy_step(state bigint[], measured_at timestamptz, occupied boolean) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    at_us bigint := (extract(epoch FROM measured_at) * 1000000)::bigint;
BEGIN
    IF occupied IS NULL THEN
        RETURN state;
    ELSIF state IS NULL THEN
        RETURN ARRAY[at_us, occupied::int, 0, 0];
    ELSIF state[2] = 1 THEN
        state[3] := state[3] + at_us - state[1];
    ELSIF occupied THEN
        state[4] := state[4] + 1;
    END IF;
    state[1] := at_us;
    state[2] := occupied::int;
    RETURN state;
END
$$;

CREATE FUNCTION occupancy_seconds(state bigint[]) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce(state[3], 0) / 1e6::double precision $$;

CREATE FUNCTION occupancy_arrivals(state bigint[]) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce(state[4], 0) $$;

CREATE AGGREGATE seconds_occupied(timestamptz, boolean) (
    SFUNC = occupancy_step, STYPE = bigint[], FINALFUNC = occupancy_seconds, PARALLEL = SAFE
);
CREATE AGGREGATE count_arrivals(timestamptz, boolean) (
    SFUNC = occupancy_step, STYPE = bigint[], FINALFUNC = occupancy_arrivals, PARALLEL = SAFE
);
