-- Stays by the UTC hour in which they began, from the sessions that are there. `dwell_counts` are of told dwells below 5,
-- 10, 15, 20, 30, 45, 60, 90 minutes, 2, 4, 8, 24 hours, and longer.
CREATE VIEW occupancy_session_hours AS
SELECT
    commune_insee,
    place_id,
    hour,
    count(*) AS sessions,
    count(dwell_s) AS dwells,
    coalesce(sum(dwell_s), 0)::double precision AS dwell_s,
    ARRAY[
        count(*) FILTER (WHERE class = 0), count(*) FILTER (WHERE class = 1), count(*) FILTER (WHERE class = 2),
        count(*) FILTER (WHERE class = 3), count(*) FILTER (WHERE class = 4), count(*) FILTER (WHERE class = 5),
        count(*) FILTER (WHERE class = 6), count(*) FILTER (WHERE class = 7), count(*) FILTER (WHERE class = 8),
        count(*) FILTER (WHERE class = 9), count(*) FILTER (WHERE class = 10), count(*) FILTER (WHERE class = 11),
        count(*) FILTER (WHERE class = 12)
    ] AS dwell_counts,
    count(overstay_s) AS limited,
    count(*) FILTER (WHERE overstay_s > 0) AS overstays,
    coalesce(sum(overstay_s), 0)::double precision AS overstay_s
FROM (
    SELECT
        commune_insee,
        place_id,
        date_trunc('hour', started_at, 'UTC') AS hour,
        dwell_s,
        overstay_s,
        width_bucket(
            dwell_s,
            ARRAY[300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 14400, 28800, 86400]::double precision[]
        ) AS class
    FROM occupancy_session
) AS stay
GROUP BY commune_insee, place_id, hour;
