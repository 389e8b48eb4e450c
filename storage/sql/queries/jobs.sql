-- name: last_heartbeat^
SELECT max(last_heartbeat) FROM procrastinate_workers;
