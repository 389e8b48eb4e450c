-- A commune's occupancy in the hours [since, until), from the live parts: what happened between an hour's first and last
-- reading is in its part; a state lasts from a part's last reading to the next part's first. Two readings more than 30
-- hours apart (SENSOR_SILENT_AFTER) say nothing of the time between, nor does the last reading of all of what follows it.
CREATE OR REPLACE FUNCTION occupancy_hours(insee text, since timestamptz, until timestamptz)
RETURNS TABLE (
    commune_insee text,
    place_id text,
    hour timestamptz,
    readings bigint,
    measured bigint,
    known_s double precision,
    occupied_s double precision,
    arrivals bigint
)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
WITH part AS (
    SELECT *
    FROM occupancy_hourly_live
    WHERE occupancy_hourly_live.commune_insee = insee
        AND occupancy_hourly_live.hour > since - INTERVAL '32 hours'
        AND occupancy_hourly_live.hour < until + INTERVAL '32 hours'
),
linked AS (
    SELECT
        *,
        lead(first_at) OVER following AS next_at,
        lag(last_at) OVER following AS before_at,
        lag(last_occupied) OVER following AS before_occupied
    FROM part
    WHERE first_at IS NOT NULL
    WINDOW following AS (PARTITION BY part.commune_insee, part.place_id ORDER BY part.hour)
),
piece AS (
    SELECT part.commune_insee, part.place_id, part.hour, part.readings, part.measured, 0.0::double precision AS known_s,
        0.0::double precision AS occupied_s, 0::bigint AS arrivals
    FROM part
    UNION ALL
    SELECT linked.commune_insee, linked.place_id, linked.hour, 0, 0,
        extract(epoch FROM last_at - first_at)::double precision,
        inner_occupied_s,
        inner_arrivals
            + coalesce(first_occupied AND NOT before_occupied AND first_at - before_at <= INTERVAL '30 hours', false)::int
    FROM linked
    UNION ALL
    SELECT linked.commune_insee, linked.place_id, lasting.hour, 0, 0, lasting.seconds,
        CASE WHEN last_occupied THEN lasting.seconds ELSE 0 END, 0
    FROM linked
    CROSS JOIN LATERAL (
        SELECT
            crossed AS hour,
            extract(epoch FROM least(next_at, crossed + INTERVAL '1 hour') - greatest(last_at, crossed))::double precision
                AS seconds
        FROM generate_series(linked.hour, next_at, INTERVAL '1 hour') AS crossed
    ) AS lasting
    WHERE next_at - last_at <= INTERVAL '30 hours'
)
SELECT piece.commune_insee, piece.place_id, piece.hour, sum(piece.readings)::bigint, sum(piece.measured)::bigint,
    sum(piece.known_s), sum(piece.occupied_s), sum(piece.arrivals)::bigint
FROM piece
WHERE piece.hour >= since AND piece.hour < until
GROUP BY piece.commune_insee, piece.place_id, piece.hour
$$
