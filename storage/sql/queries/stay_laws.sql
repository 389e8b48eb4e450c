-- name: is_due^
SELECT NOT EXISTS (
    SELECT FROM stay_law WHERE commune_insee = :commune_insee AND as_of > :stale
) AND EXISTS (
    SELECT FROM occupancy_session
    WHERE commune_insee = :commune_insee AND started_at >= :since AND dwell_s IS NOT NULL
);

-- name: learn!
-- By the classes of the view occupancy_session_hours.
WITH told AS (
    SELECT
        place.kind,
        width_bucket(
            dwell_s,
            ARRAY[300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 14400, 28800, 86400]::double precision[]
        ) AS class,
        count(*) AS stays
    FROM occupancy_session AS stay
    JOIN place ON place.commune_insee = stay.commune_insee AND place.place_id = stay.place_id
    WHERE stay.commune_insee = :commune_insee AND started_at >= :since AND dwell_s IS NOT NULL
    GROUP BY place.kind, class
)
INSERT INTO stay_law (commune_insee, kind, as_of, dwell_counts)
SELECT
    :commune_insee,
    kind,
    :now,
    ARRAY(
        SELECT coalesce(stays, 0)::bigint
        FROM generate_series(0, 12) AS each (class) LEFT JOIN told AS ours ON ours.class = each.class AND ours.kind = known.kind
        ORDER BY each.class
    )
FROM (SELECT DISTINCT kind FROM told) AS known
ON CONFLICT (commune_insee, kind) DO UPDATE SET as_of = excluded.as_of, dwell_counts = excluded.dwell_counts;

-- name: of_commune
SELECT kind, dwell_counts FROM stay_law WHERE commune_insee = :commune_insee;
