-- name: hold_registry
SELECT commune_insee, registry_version FROM hold_registry(:communes);

-- name: lock_registry^
SELECT commune_insee FROM commune WHERE commune_insee = :commune_insee FOR NO KEY UPDATE;

-- name: touch_registry^
SELECT touch_registry(:commune_insee);

-- name: register^
INSERT INTO device (commune_insee, eui, model, status, comment, changed_in)
VALUES (:commune_insee, :eui, :model, :status, :comment, coalesce(touch_registry(:commune_insee), 0))
ON CONFLICT (commune_insee, eui) DO UPDATE
SET model = excluded.model, status = excluded.status, comment = excluded.comment, changed_in = excluded.changed_in
RETURNING device_id;

-- name: mount!
INSERT INTO mounting (
    commune_insee, device_id, place_id, mounted_at, unmounted_at, empty_distance_mm, full_distance_mm, mounting_height_mm,
    full_height_mm, orientation, bin_shape, bottom_ratio
)
VALUES (
    :commune_insee, :device_id, :place_id, :mounted_at, :unmounted_at, :empty_distance_mm, :full_distance_mm,
    :mounting_height_mm, :full_height_mm, :orientation, :bin_shape, :bottom_ratio
)
ON CONFLICT (device_id, mounted_at) DO NOTHING;

-- name: unmount!
UPDATE mounting SET unmounted_at = :unmounted_at
WHERE commune_insee = :commune_insee AND device_id = :device_id AND unmounted_at IS NULL;

-- name: changed!
UPDATE device SET changed_in = touch_registry(:commune_insee)
WHERE commune_insee = :commune_insee AND device_id = ANY (:device_ids);

-- name: insert_device!
INSERT INTO device (commune_insee, eui, model, status, comment)
VALUES (:commune_insee, :eui, :model, :status, :comment);

-- name: update_device!
UPDATE device SET model = :model, status = :status, comment = :comment WHERE device_id = :device_id;

-- name: ids
SELECT eui, device_id FROM device WHERE commune_insee = :commune_insee AND eui = ANY (:euis);

-- name: forget_mounting!
DELETE FROM mounting WHERE device_id = :device_id AND mounted_at = :mounted_at;

-- name: save_mounting!
INSERT INTO mounting (
    commune_insee, device_id, place_id, mounted_at, unmounted_at, empty_distance_mm, full_distance_mm, mounting_height_mm,
    full_height_mm, orientation, bin_shape, bottom_ratio
)
VALUES (
    :commune_insee, :device_id, :place_id, :mounted_at, :unmounted_at, :empty_distance_mm, :full_distance_mm,
    :mounting_height_mm, :full_height_mm, :orientation, :bin_shape, :bottom_ratio
)
ON CONFLICT (device_id, mounted_at) DO UPDATE
SET place_id = excluded.place_id,
    unmounted_at = excluded.unmounted_at,
    empty_distance_mm = excluded.empty_distance_mm,
    full_distance_mm = excluded.full_distance_mm,
    mounting_height_mm = excluded.mounting_height_mm,
    full_height_mm = excluded.full_height_mm,
    orientation = excluded.orientation,
    bin_shape = excluded.bin_shape,
    bottom_ratio = excluded.bottom_ratio;

-- name: note!
INSERT INTO device_change (
    commune_insee, device_id, kind, happened_at, recorded_at, place_id, author, comment, detail
)
VALUES (
    :commune_insee, :device_id, :kind, :happened_at, :recorded_at, :place_id, :author, :comment, :detail
);

-- name: every
SELECT commune_insee, eui, model, device_id, status, comment FROM device ORDER BY device_id;

-- name: mountings
SELECT
    mounting.commune_insee, device_id, place_id, place.kind AS place_kind, mounted_at, unmounted_at, empty_distance_mm,
    full_distance_mm, mounting_height_mm, full_height_mm, orientation, bin_shape, bottom_ratio
FROM mounting JOIN place USING (commune_insee, place_id)
ORDER BY device_id, mounted_at DESC;

-- name: mountings_of
SELECT
    mounting.commune_insee, device_id, place_id, place.kind AS place_kind, mounted_at, unmounted_at, empty_distance_mm,
    full_distance_mm, mounting_height_mm, full_height_mm, orientation, bin_shape, bottom_ratio
FROM mounting JOIN place USING (commune_insee, place_id)
WHERE device_id = ANY (:device_ids)
ORDER BY device_id, mounted_at DESC;

-- name: of_commune
SELECT commune_insee, eui, model, device_id, status, comment
FROM device
WHERE commune_insee = :commune_insee
ORDER BY device_id;

-- name: changed_since
SELECT device.commune_insee, eui, model, device_id, status, comment
FROM device
JOIN unnest(:communes::text[], :versions::bigint[]) AS known (commune_insee, version)
    ON device.commune_insee = known.commune_insee AND device.changed_in > known.version
ORDER BY device_id;

-- name: some
SELECT commune_insee, eui, model, device_id, status, comment
FROM device
WHERE commune_insee = :commune_insee
    AND (
        eui = ANY (:euis)
        OR device_id IN (
            SELECT device_id FROM mounting WHERE commune_insee = :commune_insee AND place_id = ANY (:place_ids)
        )
    )
ORDER BY device_id;

-- name: now
-- The last two dozen frames are enough to find the battery: many devices do not tell it with every one.
SELECT
    device.eui,
    device.model,
    CASE
        WHEN device.status = 'retired' THEN 'retired'
        WHEN present.place_id IS NULL THEN 'in_stock'
        ELSE 'mounted'
    END AS status,
    device.comment,
    present.place_id,
    place.kind AS place_kind,
    present.mounted_at,
    jsonb_strip_nulls(jsonb_build_object(
        'empty_distance_mm', present.empty_distance_mm,
        'full_distance_mm', present.full_distance_mm,
        'mounting_height_mm', present.mounting_height_mm,
        'full_height_mm', present.full_height_mm,
        'orientation', present.orientation,
        'bin_shape', present.bin_shape,
        'bottom_ratio', present.bottom_ratio
    )) AS geometry,
    greatest(level.last_seen_at, state.last_seen_at, said.last_seen_at) AS last_seen_at,
    coalesce(level.battery_percent, state.battery_percent) AS battery_percent,
    coalesce(level.battery_v, state.battery_v) AS battery_v
FROM device
LEFT JOIN mounting AS present ON present.device_id = device.device_id AND present.unmounted_at IS NULL
LEFT JOIN place ON place.commune_insee = present.commune_insee AND place.place_id = present.place_id
CROSS JOIN LATERAL (
    SELECT
        max(measured_at) AS last_seen_at,
        (array_agg(battery_percent ORDER BY measured_at DESC) FILTER (WHERE battery_percent IS NOT NULL))[1]
            AS battery_percent,
        (array_agg(battery_v ORDER BY measured_at DESC) FILTER (WHERE battery_v IS NOT NULL))[1] AS battery_v
    FROM (
        SELECT measured_at, battery_percent, battery_v
        FROM fill_reading
        WHERE fill_reading.device_id = device.device_id
        ORDER BY measured_at DESC
        LIMIT 24
    ) AS newest
) AS level
CROSS JOIN LATERAL (
    SELECT
        max(measured_at) AS last_seen_at,
        (array_agg(battery_percent ORDER BY measured_at DESC) FILTER (WHERE battery_percent IS NOT NULL))[1]
            AS battery_percent,
        (array_agg(battery_v ORDER BY measured_at DESC) FILTER (WHERE battery_v IS NOT NULL))[1] AS battery_v
    FROM (
        SELECT measured_at, battery_percent, battery_v
        FROM occupancy_reading
        WHERE occupancy_reading.device_id = device.device_id
        ORDER BY measured_at DESC
        LIMIT 24
    ) AS newest
) AS state
CROSS JOIN LATERAL (
    SELECT max(measured_at) AS last_seen_at FROM device_event WHERE device_event.device_id = device.device_id
) AS said
WHERE device.commune_insee = :commune_insee
    AND (:eui::text IS NULL OR device.eui = :eui)
    AND (:model::text IS NULL OR device.model = :model)
    AND (:place_id::text IS NULL OR present.place_id = :place_id)
    AND (
        :status::text IS NULL
        OR :status = CASE
            WHEN device.status = 'retired' THEN 'retired'
            WHEN present.place_id IS NULL THEN 'in_stock'
            ELSE 'mounted'
        END
    )
    AND (:after::text IS NULL OR device.eui COLLATE "C" > :after)
ORDER BY device.eui COLLATE "C"
LIMIT :limit;

-- name: counts
SELECT
    CASE
        WHEN device.status = 'retired' THEN 'retired'
        WHEN present.device_id IS NULL THEN 'in_stock'
        ELSE 'mounted'
    END AS status,
    count(*)
FROM device LEFT JOIN mounting AS present ON present.device_id = device.device_id AND present.unmounted_at IS NULL
WHERE device.commune_insee = :commune_insee
GROUP BY 1;

-- name: changes
SELECT kind, happened_at, recorded_at, place_id, author, comment, detail
FROM device_change
WHERE device_id = :device_id
ORDER BY change_id;
