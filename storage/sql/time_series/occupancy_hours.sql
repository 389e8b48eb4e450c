-- A commune's occupancy in the hours [since, until), from the live parts: what happened between an hour's first and last
-- reading is in its part; a state lasts from a part's last reading to the next part's first. Two readings
-- farther apart than the sensor is ever silent by its own habit, or than 30 hours (SENSOR_SILENT_AFTER), say nothing of the
-- time between, nor does the last reading of all of what follows it.
-- Parts are read once, and a condition on the place reaches them.
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
SELECT linked.commune_insee, linked.place_id, piece.hour, sum(piece.readings)::bigint, sum(piece.measured)::bigint,
    sum(piece.known_s), sum(piece.occupied_s), sum(piece.arrivals)::bigint
FROM (
    SELECT
        part.*,
        lead(part.first_at) OVER following AS next_at,
        lag(part.last_at) OVER following AS before_at,
        lag(part.last_occupied) OVER following AS before_occupied,
        coalesce(habit.patience, INTERVAL '30 hours') AS patience
    FROM occupancy_hourly_live AS part
    LEFT JOIN (
        SELECT health.place_id, least(INTERVAL '30 hours', max(health.silent_after_s) * INTERVAL '1 second') AS patience
        FROM device_health AS health
        WHERE health.commune_insee = insee
        GROUP BY health.place_id
    ) AS habit ON habit.place_id = part.place_id
    WHERE part.commune_insee = insee
        AND part.hour > since - INTERVAL '32 hours'
        AND part.hour < until + INTERVAL '32 hours'
    -- Hours in which nothing was measured stand aside: they neither begin nor end a state.
    WINDOW following AS (PARTITION BY part.commune_insee, part.place_id, part.first_at IS NULL ORDER BY part.hour)
) AS linked
CROSS JOIN LATERAL (
    SELECT
        linked.hour,
        linked.readings,
        linked.measured,
        coalesce(extract(epoch FROM linked.last_at - linked.first_at), 0)::double precision AS known_s,
        linked.inner_occupied_s AS occupied_s,
        linked.inner_arrivals
            + coalesce(
                linked.first_occupied AND NOT linked.before_occupied
                    AND linked.first_at - linked.before_at <= linked.patience,
                false
            )::int AS arrivals
    UNION ALL
    SELECT crossed.hour, 0, 0, crossed.seconds, CASE WHEN linked.last_occupied THEN crossed.seconds ELSE 0 END, 0
    FROM (
        SELECT
            hours AS hour,
            extract(
                epoch FROM least(linked.next_at, hours + INTERVAL '1 hour') - greatest(linked.last_at, hours)
            )::double precision AS seconds
        FROM generate_series(linked.hour, linked.next_at, INTERVAL '1 hour') AS hours
        WHERE linked.next_at - linked.last_at <= linked.patience
    ) AS crossed
) AS piece
WHERE piece.hour >= since AND piece.hour < until
GROUP BY linked.commune_insee, linked.place_id, piece.hour
$$
