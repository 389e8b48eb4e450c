-- Runs once, when the database's volume is empty: Voirie's own role, which owns its database and nothing else, and the web
-- server's, which owns nothing at all.
-- TimescaleDB is in the template database already, so creating the extension needs no superuser afterwards.
\set ON_ERROR_STOP on
\set password `cat "${DATABASE_PASSWORD_FILE:-/run/secrets/database_password}"`
\set web_password `cat "${DATABASE_WEB_PASSWORD_FILE:-/run/secrets/database_web_password}"`
CREATE ROLE voirie LOGIN PASSWORD :'password';
-- What the API works as: it owns nothing, and sees only the communes that a transaction names.
SELECT 'CREATE ROLE voirie_api NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'voirie_api') \gexec
GRANT voirie_api TO voirie;
CREATE ROLE voirie_web LOGIN PASSWORD :'web_password' IN ROLE voirie_api;
CREATE DATABASE voirie OWNER voirie;
REVOKE CONNECT, TEMPORARY ON DATABASE voirie FROM PUBLIC;
GRANT CONNECT ON DATABASE voirie TO voirie_web;
