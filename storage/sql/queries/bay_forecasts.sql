-- name: lock^
-- One maker of a commune's forecast at a time; who comes second has nothing to do.
SELECT pg_try_advisory_xact_lock(7237126, hashtext(:commune_insee));

-- name: history
-- What sensors told of places, by place and event time: changes, and once an hour what did not change.
SELECT told.row - 1, extract(epoch FROM told.measured_at)::bigint, told.occupied
FROM (
    SELECT
        asked.row,
        reading.measured_at,
        reading.record_index,
        reading.occupied,
        lag(reading.occupied) OVER following AS before,
        lag(date_trunc('hour', reading.measured_at)) OVER following AS before_hour
    FROM unnest(:place_ids::text[]) WITH ORDINALITY AS asked (place_id, row)
    JOIN occupancy_reading AS reading
        ON reading.commune_insee = :commune_insee AND reading.place_id = asked.place_id
    WHERE reading.measured_at >= :since AND reading.measured_at < :until AND reading.occupied IS NOT NULL
    WINDOW following AS (PARTITION BY asked.row ORDER BY reading.measured_at, reading.record_index)
) AS told
WHERE told.before IS DISTINCT FROM told.occupied OR told.before_hour <> date_trunc('hour', told.measured_at)
ORDER BY told.row, told.measured_at, told.record_index;

-- name: groups
-- What bays may be part of.
SELECT place.place_id, place.kind, kerb.name, kerb.part_of
FROM place LEFT JOIN kerb_place AS kerb USING (commune_insee, place_id)
WHERE place.commune_insee = :commune_insee AND place.kind IN ('delivery_area', 'zone', 'street_face');

-- name: save_usual!
INSERT INTO bay_usual (commune_insee, as_of, content) VALUES (:commune_insee, :as_of, :content)
ON CONFLICT (commune_insee) DO UPDATE SET as_of = excluded.as_of, content = excluded.content;

-- name: usual^
SELECT content FROM bay_usual WHERE commune_insee = :commune_insee;

-- name: save_run!
INSERT INTO bay_forecast_run (commune_insee, as_of, made_at, model_id, method, ahead_min, places, sensed)
VALUES (:commune_insee, :as_of, :made_at, :model_id, :method, :ahead_min, :places, :sensed)
ON CONFLICT (commune_insee) DO UPDATE
SET as_of = excluded.as_of,
    made_at = excluded.made_at,
    model_id = excluded.model_id,
    method = excluded.method,
    ahead_min = excluded.ahead_min,
    places = excluded.places,
    sensed = excluded.sensed;

-- name: run^
SELECT as_of, made_at, model_id, method, ahead_min, places, sensed
FROM bay_forecast_run
WHERE commune_insee = :commune_insee;

-- name: stage_bays#
CREATE TEMPORARY TABLE IF NOT EXISTS staged_bay_forecast (LIKE bay_forecast) ON COMMIT DELETE ROWS;

-- name: copy_bays#
COPY staged_bay_forecast (
    commune_insee, place_id, use, evidence, occupied, chance, if_changed, chance_low, chance_high
) FROM STDIN (FORMAT binary);

-- name: take_bays!
INSERT INTO bay_forecast SELECT * FROM staged_bay_forecast
ON CONFLICT (commune_insee, place_id) DO UPDATE
SET use = excluded.use,
    evidence = excluded.evidence,
    occupied = excluded.occupied,
    chance = excluded.chance,
    if_changed = excluded.if_changed,
    chance_low = excluded.chance_low,
    chance_high = excluded.chance_high;

-- name: forget_other_bays!
DELETE FROM bay_forecast
WHERE commune_insee = :commune_insee
    AND NOT EXISTS (SELECT FROM staged_bay_forecast AS staged WHERE staged.place_id = bay_forecast.place_id);

-- name: unstage_bays#
TRUNCATE staged_bay_forecast;

-- name: forget_groups!
DELETE FROM bay_group_forecast WHERE commune_insee = :commune_insee;

-- name: copy_groups#
COPY bay_group_forecast (
    commune_insee, group_id, scope, use, name, longitude_deg, latitude_deg, place_ids, sensed, known, expected, low, high,
    chance
) FROM STDIN (FORMAT binary);

-- name: bays
SELECT place_id, use, evidence, occupied, chance, if_changed, chance_low, chance_high
FROM bay_forecast
WHERE commune_insee = :commune_insee AND place_id = ANY (:place_ids)
ORDER BY place_id;

-- name: bays_at
-- What is foretold of bays at one moment, `share` of the way from the step `before` to the one after it.
SELECT
    place_id,
    occupied,
    (1 - :share::float8) * chance[:before::int] + :share::float8 * chance[:before::int + 1],
    (1 - :share::float8) * if_changed[:before::int] + :share::float8 * if_changed[:before::int + 1]
FROM bay_forecast
WHERE commune_insee = :commune_insee AND place_id = ANY (:place_ids);

-- name: groups_of
-- Groups of a scope, in all of the commune or within bounds, by id.
SELECT
    group_id, scope, use, name, longitude_deg, latitude_deg, place_ids, sensed, known, expected, low, high, chance
FROM bay_group_forecast
WHERE commune_insee = :commune_insee
    AND scope = :scope
    AND use = ANY (:uses)
    AND longitude_deg BETWEEN :west AND :east
    AND latitude_deg BETWEEN :south AND :north
ORDER BY group_id;

-- name: one_group^
SELECT
    group_id, scope, use, name, longitude_deg, latitude_deg, place_ids, sensed, known, expected, low, high, chance
FROM bay_group_forecast
WHERE commune_insee = :commune_insee AND group_id = :group_id;
