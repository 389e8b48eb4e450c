-- name: make_text_comparable#
-- Rows are compared as text between servers: the same text whatever their settings are.
SELECT set_config('datestyle', 'ISO, YMD', false), set_config('intervalstyle', 'postgres', false),
    set_config('bytea_output', 'hex', false), set_config('extra_float_digits', '1', false),
    set_config('timezone', 'UTC', false);

-- name: tables
-- Tables (hypertables by their own names, without their chunks), and views that hold nothing of their own.
SELECT current_schema() AS schema_name, relname AS table_name, relkind = 'v' AS is_view
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace
    AND (relkind IN ('r', 'p') OR (relkind = 'v' AND relname = ANY (:live_views)))
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
ORDER BY 2;

-- name: materialized
-- What continuous aggregates hold.
SELECT materialization_hypertable_schema, materialization_hypertable_name, false
FROM timescaledb_information.continuous_aggregates
WHERE view_schema = current_schema()
ORDER BY 2;

-- name: strangers
-- What somebody put into the database already: nothing of the system's, and nothing of an extension's.
SELECT namespace.nspname || '.' || relation.relname
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND namespace.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    AND NOT pg_is_other_temp_schema(namespace.oid)
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = relation.oid AND deptype = 'e')
ORDER BY 1
LIMIT 3;

-- name: owners
SELECT DISTINCT pg_get_userbyid(relowner)
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
ORDER BY 1;

-- name: roles_that_are_missing
SELECT name FROM unnest(:names::text[]) AS name WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name);

-- name: is_superuser^
SELECT rolsuper FROM pg_roles WHERE rolname = current_user;

-- name: timescaledb^
SELECT extversion, current_setting('timescaledb.license', true) FROM pg_extension WHERE extname = 'timescaledb';

-- name: timescaledb_versions
SELECT version FROM pg_available_extension_versions WHERE name = 'timescaledb';

-- name: license^
-- The server's, whether or not this database has the extension yet; null where the library is not loaded.
SELECT current_setting('timescaledb.license', true);

-- name: begin_restore
SELECT timescaledb_pre_restore();

-- name: end_restore
SELECT timescaledb_post_restore();

-- name: export_snapshot^
SELECT pg_export_snapshot();
