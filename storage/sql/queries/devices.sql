-- name: register^
INSERT INTO device (commune_insee, eui, model, status)
VALUES (:commune_insee, :eui, :model, :status)
ON CONFLICT (commune_insee, eui) DO UPDATE SET model = excluded.model, status = excluded.status
RETURNING device_id;

-- name: mount!
INSERT INTO mounting (commune_insee, device_id, place_id, mounted_at, empty_distance_mm, full_distance_mm)
VALUES (:commune_insee, :device_id, :place_id, :mounted_at, :empty_distance_mm, :full_distance_mm)
ON CONFLICT (device_id, mounted_at) DO NOTHING;

-- name: unmount!
UPDATE mounting SET unmounted_at = :unmounted_at
WHERE commune_insee = :commune_insee AND device_id = :device_id AND unmounted_at IS NULL;

-- name: every
SELECT commune_insee, eui, model, device_id, status FROM device ORDER BY device_id;

-- name: mountings
SELECT
    mounting.commune_insee, device_id, place_id, place.kind AS place_kind, mounted_at, unmounted_at, empty_distance_mm,
    full_distance_mm
FROM mounting JOIN place USING (commune_insee, place_id)
ORDER BY device_id, mounted_at DESC;
