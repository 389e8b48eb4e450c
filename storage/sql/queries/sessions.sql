-- name: lock^
-- One maker of a commune's sessions at a time, wherever its worker runs; who comes second has nothing to do.
SELECT pg_try_advisory_xact_lock(7237125, hashtext(:commune_insee));

-- name: wait_for_lock
SELECT pg_advisory_xact_lock(7237125, hashtext(:commune_insee));

-- name: ask!
INSERT INTO session_due (commune_insee, place_ids, changed_since) VALUES (:commune_insee, :place_ids, :changed_since);

-- name: take_due
WITH taken AS (
    DELETE FROM session_due WHERE commune_insee = :commune_insee RETURNING place_ids, changed_since
)
SELECT place_id, min(since) AS changed_since
FROM taken CROSS JOIN LATERAL unnest(place_ids, changed_since) AS one (place_id, since)
GROUP BY place_id
ORDER BY place_id;

-- name: reports
SELECT
    due.series - 1,
    (extract(epoch FROM reading.measured_at) * 1000000)::bigint,
    reading.record_index,
    reading.device_id,
    reading.occupied,
    coalesce(reading.frame_counter, -1),
    coalesce(octet_length(reading.payload), -1),
    device.model
FROM unnest(:place_ids::text[], :since::timestamptz[]) WITH ORDINALITY AS due (place_id, since, series)
JOIN occupancy_reading AS reading
    ON reading.commune_insee = :commune_insee AND reading.place_id = due.place_id AND reading.measured_at >= due.since
LEFT JOIN device ON device.device_id = reading.device_id
WHERE reading.measured_at >= :earliest
ORDER BY due.series, reading.measured_at;

-- name: forget_after!
DELETE FROM occupancy_session
USING unnest(:place_ids::text[], :after::timestamptz[]) AS due (place_id, after)
WHERE occupancy_session.commune_insee = :commune_insee
    AND occupancy_session.place_id = due.place_id
    AND occupancy_session.started_at > due.after
    AND occupancy_session.started_at > :earliest;

-- name: stage#
CREATE TEMPORARY TABLE IF NOT EXISTS staged_occupancy_session (LIKE occupancy_session) ON COMMIT DELETE ROWS;

-- name: copy#
COPY staged_occupancy_session (
    commune_insee, place_id, started_at, started_after, start_seen, last_seen_at, ended_at, ended_by, dwell_s, certainty,
    reports, device_id, overstay_s
) FROM STDIN (FORMAT binary);

-- name: take!
INSERT INTO occupancy_session SELECT * FROM staged_occupancy_session;

-- name: unstage#
TRUNCATE staged_occupancy_session;

-- name: save_present!
INSERT INTO occupancy_present (
    commune_insee, place_id, device_id, heard_at, measured_at, occupied, since, certainty
)
VALUES (:commune_insee, :place_id, :device_id, :heard_at, :measured_at, :occupied, :since, :certainty)
ON CONFLICT (commune_insee, place_id) DO UPDATE
SET device_id = excluded.device_id,
    heard_at = excluded.heard_at,
    measured_at = excluded.measured_at,
    occupied = excluded.occupied,
    since = excluded.since,
    certainty = excluded.certainty;

-- name: forget_present!
DELETE FROM occupancy_present WHERE commune_insee = :commune_insee AND place_id = ANY (:place_ids);

-- name: of_place
-- Sessions that touch [since, until), newest first.
SELECT
    place_id, started_at, started_after, start_seen, last_seen_at, ended_at, ended_by, dwell_s, certainty, reports, device_id,
    overstay_s
FROM occupancy_session
WHERE commune_insee = :commune_insee
    AND place_id = :place_id
    AND started_at < :until
    AND coalesce(ended_at, CASE WHEN ended_by = 'open' THEN 'infinity' ELSE last_seen_at END) >= :since
ORDER BY started_at DESC
LIMIT :limit;
