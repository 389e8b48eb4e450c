-- name: declare!
INSERT INTO vehicle_event (commune_insee, event_id, vehicle_id, kind, happened_at, comment)
VALUES (:commune_insee, :event_id, :vehicle_id, :kind, :happened_at, :comment)
ON CONFLICT (commune_insee, event_id) DO NOTHING;

-- name: place!
-- What is told late does not overwrite what is newer. What was driven since the one before is summed; over more than two
-- minutes without a word the straight line is all that is known. After hours of silence a day begins anew.
INSERT INTO vehicle_position (
    commune_insee, vehicle_id, told_at, longitude_deg, latitude_deg, next_place_id, told_since
)
VALUES (:commune_insee, :vehicle_id, :told_at, :longitude_deg, :latitude_deg, :next_place_id, :told_at)
ON CONFLICT (commune_insee, vehicle_id) DO UPDATE
SET told_since = CASE
        WHEN excluded.told_at - vehicle_position.told_at < INTERVAL '6 hours'
            THEN coalesce(vehicle_position.told_since, vehicle_position.told_at)
        ELSE excluded.told_at
    END,
    driven_m = CASE
        WHEN excluded.told_at - vehicle_position.told_at < INTERVAL '6 hours'
            THEN vehicle_position.driven_m + driven_step_m(
                vehicle_position.longitude_deg, vehicle_position.latitude_deg,
                excluded.longitude_deg, excluded.latitude_deg,
                extract(EPOCH FROM excluded.told_at - vehicle_position.told_at)::double precision
            )
        ELSE 0
    END,
    bridged_m = CASE
        WHEN excluded.told_at - vehicle_position.told_at < INTERVAL '2 minutes' THEN vehicle_position.bridged_m
        WHEN excluded.told_at - vehicle_position.told_at < INTERVAL '6 hours'
            THEN vehicle_position.bridged_m + driven_step_m(
                vehicle_position.longitude_deg, vehicle_position.latitude_deg,
                excluded.longitude_deg, excluded.latitude_deg,
                extract(EPOCH FROM excluded.told_at - vehicle_position.told_at)::double precision
            )
        ELSE 0
    END,
    told_at = excluded.told_at,
    longitude_deg = excluded.longitude_deg,
    latitude_deg = excluded.latitude_deg,
    next_place_id = excluded.next_place_id
WHERE vehicle_position.told_at < excluded.told_at;

-- name: between
SELECT commune_insee, event_id, vehicle_id, kind, happened_at, comment
FROM vehicle_event
WHERE commune_insee = :commune_insee AND happened_at >= :since AND happened_at <= :until
ORDER BY happened_at, event_id;

-- name: positions
SELECT commune_insee, vehicle_id, told_at, longitude_deg, latitude_deg, next_place_id
FROM vehicle_position
WHERE commune_insee = :commune_insee
ORDER BY vehicle_id;

-- name: at_bins
SELECT commune_insee, event_id, place_id, kind, happened_at, found_fraction, plan_id, comment
FROM service_event
WHERE commune_insee = :commune_insee
    AND happened_at >= :since
    AND happened_at <= :until
    AND NOT EXISTS (
        SELECT FROM service_withdrawal AS taken
        WHERE taken.commune_insee = service_event.commune_insee AND taken.event_id = service_event.event_id
    )
ORDER BY happened_at, event_id;

-- name: weighed
SELECT jsonb_array_elements_text(weighed) FROM plan_version
WHERE commune_insee = :commune_insee AND plan_id = :plan_id;

-- name: note_weighed!
UPDATE plan_version SET weighed = :weighed WHERE commune_insee = :commune_insee AND plan_id = :plan_id;

-- name: forget_positions^
-- 45 minutes after the end of the shift in which each was told (with its overtime), by local hours; or after it was told,
-- where that is later or no shift is known. What was driven is kept by day; who told of one position alone told of no way.
WITH gone AS (
    DELETE FROM vehicle_position USING (
        SELECT p.vehicle_id, greatest(
            p.told_at,
            (
                (
                    l.told_at::date + v.shift_until
                    + CASE
                        WHEN v.shift_until <= v.shift_from AND l.told_at::time >= v.shift_from THEN INTERVAL '1 day'
                        ELSE INTERVAL '0'
                    END
                ) AT TIME ZONE c.time_zone
            ) + make_interval(secs => coalesce(r.overtime_s, 0)::double precision)
        ) AS over_at
        FROM vehicle_position AS p
        JOIN commune AS c USING (commune_insee)
        LEFT JOIN vehicle AS v USING (commune_insee, vehicle_id)
        LEFT JOIN vehicle_rule AS r USING (commune_insee, vehicle_id)
        CROSS JOIN LATERAL (SELECT p.told_at AT TIME ZONE c.time_zone AS told_at) AS l
        WHERE p.commune_insee = :commune_insee
    ) AS shift
    WHERE vehicle_position.commune_insee = :commune_insee
        AND vehicle_position.vehicle_id = shift.vehicle_id
        AND shift.over_at + INTERVAL '45 minutes' <= :now::timestamptz
    RETURNING vehicle_position.*
),
kept AS (
    INSERT INTO vehicle_day (commune_insee, vehicle_id, service_date, driven_m, bridged_m)
    SELECT
        gone.commune_insee, gone.vehicle_id, (gone.told_since AT TIME ZONE commune.time_zone)::date, gone.driven_m,
        gone.bridged_m
    FROM gone
    JOIN commune USING (commune_insee)
    WHERE gone.told_since < gone.told_at
    ON CONFLICT (commune_insee, vehicle_id, service_date) DO UPDATE
    SET driven_m = vehicle_day.driven_m + excluded.driven_m, bridged_m = vehicle_day.bridged_m + excluded.bridged_m
)
SELECT count(*) FROM gone;
