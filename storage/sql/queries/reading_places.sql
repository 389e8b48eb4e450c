-- Readings follow their device when it is told late where it was. Spans are [since, until), until null: for good.

-- name: displace_fill!
WITH gone AS (
    DELETE FROM fill_reading
    WHERE device_id = :device_id AND measured_at >= :since AND measured_at < coalesce(:until, 'infinity'::timestamptz)
    RETURNING *
)
INSERT INTO displaced_reading (commune_insee, device_id, kind, measured_at, record_index, reading, geometry)
SELECT commune_insee, device_id, 'fill', measured_at, record_index, to_jsonb(gone), :geometry::jsonb FROM gone
ON CONFLICT (device_id, measured_at, record_index, kind) DO NOTHING;

-- name: displace_occupancy!
WITH gone AS (
    DELETE FROM occupancy_reading
    WHERE device_id = :device_id AND measured_at >= :since AND measured_at < coalesce(:until, 'infinity'::timestamptz)
    RETURNING *
)
INSERT INTO displaced_reading (commune_insee, device_id, kind, measured_at, record_index, reading, geometry)
SELECT commune_insee, device_id, 'occupancy', measured_at, record_index, to_jsonb(gone), :geometry::jsonb FROM gone
ON CONFLICT (device_id, measured_at, record_index, kind) DO NOTHING;

-- name: restore_fill!
WITH back AS (
    DELETE FROM displaced_reading
    WHERE device_id = :device_id AND kind = 'fill'
        AND measured_at >= :since AND measured_at < coalesce(:until, 'infinity'::timestamptz)
    RETURNING reading
)
INSERT INTO fill_reading
SELECT row.*
FROM back
CROSS JOIN LATERAL jsonb_populate_record(
    NULL::fill_reading, back.reading || jsonb_build_object('place_id', :place_id::text)
) AS row
ON CONFLICT DO NOTHING;

-- name: restore_occupancy!
WITH back AS (
    DELETE FROM displaced_reading
    WHERE device_id = :device_id AND kind = 'occupancy'
        AND measured_at >= :since AND measured_at < coalesce(:until, 'infinity'::timestamptz)
    RETURNING reading
)
INSERT INTO occupancy_reading
SELECT row.*
FROM back
CROSS JOIN LATERAL jsonb_populate_record(
    NULL::occupancy_reading, back.reading || jsonb_build_object('place_id', :place_id::text)
) AS row
ON CONFLICT DO NOTHING;

-- name: move_fill!
UPDATE fill_reading SET place_id = :place_id
WHERE device_id = :device_id AND measured_at >= :since AND measured_at < coalesce(:until, 'infinity'::timestamptz)
    AND place_id <> :place_id;

-- name: move_occupancy!
UPDATE occupancy_reading SET place_id = :place_id
WHERE device_id = :device_id AND measured_at >= :since AND measured_at < coalesce(:until, 'infinity'::timestamptz)
    AND place_id <> :place_id;

-- name: judged_fill
SELECT measured_at, record_index, quality, fill_fraction, distance_mm, coalesce(tilted, false)
FROM fill_reading
WHERE device_id = :device_id AND measured_at >= :since AND measured_at < coalesce(:until, 'infinity'::timestamptz)
    AND distance_mm IS NOT NULL AND quality IN ('ok', 'implausible');

-- name: judge_fill!
UPDATE fill_reading SET quality = :quality, fill_fraction = :fill_fraction
WHERE device_id = :device_id AND measured_at = :measured_at AND record_index = :record_index;

-- name: judged_displaced
SELECT
    measured_at, record_index, reading ->> 'quality', (reading ->> 'fill_fraction')::real,
    (reading ->> 'distance_mm')::integer, coalesce((reading ->> 'tilted')::boolean, false), geometry
FROM displaced_reading
WHERE device_id = :device_id AND kind = 'fill'
    AND measured_at >= :since AND measured_at < coalesce(:until, 'infinity'::timestamptz)
    AND reading ->> 'distance_mm' IS NOT NULL AND reading ->> 'quality' IN ('ok', 'implausible');

-- name: judge_displaced!
UPDATE displaced_reading
SET reading = reading || jsonb_build_object('quality', :quality::text, 'fill_fraction', :fill_fraction::real)
WHERE device_id = :device_id AND kind = 'fill' AND measured_at = :measured_at AND record_index = :record_index;

-- name: forget_review!
DELETE FROM reviewed_level
WHERE device_id = :device_id AND measured_at >= :since AND measured_at < coalesce(:until, 'infinity'::timestamptz);

-- name: ask_for_review!
INSERT INTO review_due (commune_insee, kind, device_ids, place_ids, changed_since, networks)
VALUES (:commune_insee, :kind, :device_ids, :place_ids, :changed_since, array_fill(NULL::text, ARRAY[:length::integer]));
