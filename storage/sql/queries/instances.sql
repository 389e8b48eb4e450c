-- name: claim^
SELECT pg_try_advisory_lock(hashtext('voirie instance ' || :name), :number);

-- Ends our own session of before, which the server has not missed yet.
-- name: end_session
SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
WHERE pid = :pid AND pid <> pg_backend_pid() AND usename = current_user AND application_name = :application
    AND datname = current_database();

-- name: answers
SELECT 1;
