-- name: fill_hours
SELECT place_id, hour, readings, measured, mean_fraction, min_fraction, max_fraction, last_fraction
FROM fill_hourly
WHERE commune_insee = :commune_insee
    AND hour >= :since
    AND hour < :until
    AND (:place_id::text IS NULL OR place_id = :place_id)
ORDER BY place_id, hour;

-- name: occupancy_kept_before^
SELECT coalesce(max(nullif(kept_before, '-infinity')), :since)
FROM forgotten
WHERE commune_insee = :commune_insee AND kind = 'occupancy_reading';

-- name: occupancy_hours
-- What the view `occupancy_hourly` says, but the live hours are bounded before they are put together.
SELECT place_id, hour, readings, measured, known_s, occupied_s, arrivals
FROM occupancy_hourly_kept
WHERE commune_insee = :commune_insee
    AND hour >= :since
    AND hour < :until
    AND (:place_id::text IS NULL OR place_id = :place_id)
UNION ALL
SELECT place_id, hour, readings, measured, known_s, occupied_s, arrivals
FROM occupancy_hours(:commune_insee, greatest(:kept_before, :since), :until)
WHERE :place_id::text IS NULL OR place_id = :place_id
ORDER BY place_id, hour;

-- name: keep_fill_reading!
INSERT INTO fill_hourly_kept (
    commune_insee, place_id, hour, readings, measured, mean_fraction, min_fraction, max_fraction, last_fraction
)
SELECT commune_insee, place_id, hour, readings, measured, mean_fraction, min_fraction, max_fraction, last_fraction
FROM fill_hourly_live
WHERE commune_insee = :commune_insee
    AND (:since::timestamptz IS NULL OR hour >= :since)
    AND hour < :until;

-- name: keep_occupancy_reading!
INSERT INTO occupancy_hourly_kept (
    commune_insee, place_id, hour, readings, measured, known_s, occupied_s, arrivals
)
SELECT commune_insee, place_id, hour, readings, measured, known_s, occupied_s, arrivals
FROM occupancy_hours(:commune_insee, coalesce(:since::timestamptz, '-infinity'), :until);

-- name: keep_occupancy_session!
INSERT INTO session_hourly_kept (
    commune_insee, place_id, hour, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s
)
SELECT commune_insee, place_id, hour, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s
FROM occupancy_session_hours
WHERE commune_insee = :commune_insee
    AND (:since::timestamptz IS NULL OR hour >= :since)
    AND hour < :until;
