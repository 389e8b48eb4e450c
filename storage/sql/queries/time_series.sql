-- name: license^
SELECT current_setting('timescaledb.license', true) FROM pg_extension WHERE extname = 'timescaledb';

-- name: create_extension#
-- A library that the server has not preloaded has no settings; which ones it preloaded only administrators may ask.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
        AND current_setting('timescaledb.max_background_workers', true) IS NOT NULL THEN
        CREATE EXTENSION IF NOT EXISTS timescaledb;
    END IF;
END
$$;

-- name: chunk_interval^
SELECT time_interval
FROM timescaledb_information.dimensions
WHERE hypertable_schema = current_schema() AND hypertable_name = :table_name AND dimension_number = 1;

-- name: create_hypertable
SELECT create_hypertable(
    :table_name::regclass, :time_column::name, chunk_time_interval => :chunk::interval, migrate_data => true
);

-- name: set_chunk_interval
SELECT set_chunk_time_interval(:table_name::regclass, :chunk::interval);

-- name: has_columnstore^
SELECT compression_enabled
FROM timescaledb_information.hypertables
WHERE hypertable_schema = current_schema() AND hypertable_name = :table_name
UNION ALL
SELECT compression_enabled
FROM timescaledb_information.continuous_aggregates
WHERE view_schema = current_schema() AND view_name = :table_name;

-- name: has_columnstore_policy^
SELECT (config ->> 'compress_after')::interval = :after::interval
FROM timescaledb_information.jobs
WHERE hypertable_schema = current_schema() AND hypertable_name = :table_name AND config ? 'compress_after';

-- name: remove_columnstore_policy#
CALL remove_columnstore_policy(:table_name::regclass, if_exists => true);

-- name: add_columnstore_policy#
CALL add_columnstore_policy(:table_name::regclass, after => :after::interval);

-- name: is_aggregate^
SELECT EXISTS (
    SELECT FROM timescaledb_information.continuous_aggregates
    WHERE view_schema = current_schema() AND view_name = :table_name
);

-- name: has_comment^
SELECT obj_description(:table_name::regclass) = :comment;

-- name: add_refresh_policy
-- All of time, since only what changed is made again; oldest first, so that what is made adjoins what is read live.
SELECT add_continuous_aggregate_policy(
    :table_name::regclass,
    start_offset => NULL::interval,
    end_offset => INTERVAL '1 hour',
    schedule_interval => INTERVAL '15 minutes',
    initial_start => now() + INTERVAL '15 minutes',
    refresh_newest_first => false
);

-- name: refresh#
-- Oldest first here too: what is not made yet is read live only where it is newer than what is. In the database's own order
-- a first refresh would hide the past until it has come to it.
CALL refresh_continuous_aggregate(
    :table_name::regclass, :since::timestamptz, :until::timestamptz, options => '{"refresh_newest_first": false}'
);
