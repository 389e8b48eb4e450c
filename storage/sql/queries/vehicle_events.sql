-- name: declare!
INSERT INTO vehicle_event (commune_insee, event_id, vehicle_id, kind, happened_at, comment)
VALUES (:commune_insee, :event_id, :vehicle_id, :kind, :happened_at, :comment)
ON CONFLICT (commune_insee, event_id) DO NOTHING;

-- name: place!
-- What is told late does not overwrite what is newer.
INSERT INTO vehicle_position (commune_insee, vehicle_id, told_at, longitude_deg, latitude_deg, next_place_id)
VALUES (:commune_insee, :vehicle_id, :told_at, :longitude_deg, :latitude_deg, :next_place_id)
ON CONFLICT (commune_insee, vehicle_id) DO UPDATE
SET told_at = excluded.told_at,
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
WHERE commune_insee = :commune_insee AND happened_at >= :since AND happened_at <= :until
ORDER BY happened_at, event_id;

-- name: weighed
SELECT jsonb_array_elements_text(weighed) FROM plan_version
WHERE commune_insee = :commune_insee AND plan_id = :plan_id;

-- name: note_weighed!
UPDATE plan_version SET weighed = :weighed WHERE commune_insee = :commune_insee AND plan_id = :plan_id;
