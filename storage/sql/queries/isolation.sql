-- name: has_role^
SELECT 1 FROM pg_roles WHERE rolname = :role;

-- name: may_act^
-- PostgreSQL 16 tells membership that may be taken on from membership that only inherits.
SELECT pg_has_role(
    current_user, :role, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END
);

-- name: create_function#
-- The communes that this transaction acts for, as the one who opened it said; none where nobody said.
CREATE OR REPLACE FUNCTION voirie_communes() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT string_to_array(current_setting('voirie.communes', true), ',') $$;

-- Whether this transaction asks who somebody is.
CREATE OR REPLACE FUNCTION voirie_identity() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT current_setting('voirie.identity', true) = 'on' $$;

-- name: create_directory#
-- Which communes an installation serves is on its home page; this alone is seen beyond one's own commune.
CREATE OR REPLACE FUNCTION voirie_served_communes()
RETURNS TABLE (commune_insee text, name text, time_zone text, school_zone text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
AS $$ SELECT commune_insee, name, time_zone, school_zone FROM commune ORDER BY commune_insee $$;

-- name: create_schema#
CREATE SCHEMA IF NOT EXISTS commune_only;

-- name: grant_usage#
GRANT USAGE ON SCHEMA commune_only TO voirie_api;
GRANT USAGE ON SCHEMA public TO voirie_api;
GRANT SELECT ON voirie_schema_version, procrastinate_workers TO voirie_api;
-- The API may ask the worker for something, and not see what others asked for.
GRANT INSERT ON procrastinate_jobs, procrastinate_events TO voirie_api;
GRANT SELECT (id) ON procrastinate_jobs TO voirie_api;
GRANT USAGE ON SEQUENCE procrastinate_jobs_id_seq, procrastinate_events_id_seq TO voirie_api;

-- name: drop_notes_of_installation#
DROP POLICY IF EXISTS installation_notes ON audit_note;

-- name: let_notes_of_installation#
-- What concerns the installation as a whole (a log-in that was refused) may be noted by the API, and not read by it.
CREATE POLICY installation_notes ON audit_note FOR INSERT TO voirie_api WITH CHECK (commune_insee = '*');

-- name: relations
-- Tables and views that carry a commune; a continuous aggregate is a view too.
SELECT relation.relname::text, relation.relkind = 'r'
FROM pg_class AS relation
WHERE relation.relnamespace = current_schema()::regnamespace
    AND relation.relkind IN ('r', 'v')
    AND EXISTS (
        SELECT FROM pg_attribute AS attribute
        WHERE attribute.attrelid = relation.oid
            AND attribute.attname = 'commune_insee'
            AND NOT attribute.attisdropped
    )
ORDER BY relation.relname;

-- name: has_policy^
SELECT 1 FROM pg_policies WHERE schemaname = current_schema() AND tablename = :name AND policyname = 'commune_only';

-- name: act_for
-- All for this transaction only: whoever gets the connection next has to say it again.
SELECT
    set_config('voirie.communes', :communes, true),
    set_config('search_path', :search_path, true),
    set_config('role', :role, true);

-- name: identify
SELECT set_config('voirie.identity', 'on', true);

-- name: has_table^
SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname = :name;
