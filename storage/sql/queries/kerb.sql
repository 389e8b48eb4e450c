-- name: take_rule_set!
INSERT INTO rule_set (commune_insee, rule_set_id, rules) VALUES (:commune_insee, :rule_set_id, :rules)
ON CONFLICT DO NOTHING;

-- name: set_rules!
INSERT INTO kerb_place (commune_insee, place_id, rule_set_id) VALUES (:commune_insee, :place_id, :rule_set_id)
ON CONFLICT (commune_insee, place_id) DO UPDATE SET rule_set_id = excluded.rule_set_id;

-- name: upsert_place!
INSERT INTO kerb_place (
    commune_insee, place_id, name, part_of, geometry, capacity, valid_from, valid_until, rule_set_id, source, source_id,
    attributes
)
VALUES (
    :commune_insee, :place_id, :name, :part_of, :geometry, :capacity, :valid_from, :valid_until, :rule_set_id, :source,
    :source_id, :attributes
)
ON CONFLICT (commune_insee, place_id) DO UPDATE
SET name = excluded.name,
    part_of = excluded.part_of,
    geometry = excluded.geometry,
    capacity = excluded.capacity,
    valid_from = excluded.valid_from,
    valid_until = excluded.valid_until,
    rule_set_id = excluded.rule_set_id,
    source = excluded.source,
    source_id = excluded.source_id,
    attributes = excluded.attributes;

-- name: rule_sets
SELECT rule_set_id, rules FROM rule_set WHERE commune_insee = :commune_insee;

-- name: forget_unused_rule_sets!
DELETE FROM rule_set
WHERE commune_insee = :commune_insee
    AND NOT EXISTS (
        SELECT FROM kerb_place
        WHERE kerb_place.commune_insee = rule_set.commune_insee AND kerb_place.rule_set_id = rule_set.rule_set_id
    );

-- name: places
SELECT
    place.place_id, place.kind, place.longitude_deg, place.latitude_deg, place.street, kerb.name, kerb.part_of, kerb.geometry,
    kerb.capacity, bay.length_cm, space.space_kind, kerb.valid_from, kerb.valid_until, kerb.rule_set_id, kerb.source,
    kerb.source_id, kerb.attributes
FROM place
LEFT JOIN kerb_place AS kerb USING (commune_insee, place_id)
LEFT JOIN delivery_bay AS bay USING (commune_insee, place_id)
LEFT JOIN parking_space AS space USING (commune_insee, place_id)
WHERE place.commune_insee = :commune_insee
    AND place.kind = ANY (:kinds)
    AND (:place_ids::text[] IS NULL OR place.place_id = ANY (:place_ids))
    AND (:after::text IS NULL OR place.place_id > :after)
    AND (:day::date IS NULL OR (coalesce(kerb.valid_from, '-infinity') <= :day AND coalesce(kerb.valid_until, 'infinity') >= :day))
ORDER BY place.place_id
LIMIT :limit;

-- name: rules_of
SELECT place_id, rule_set_id, part_of
FROM kerb_place
WHERE commune_insee = :commune_insee AND place_id = ANY (:place_ids);

-- name: groups
-- What other places are part of, and whose rules hold for them where their own say nothing.
SELECT place.place_id, kerb.part_of, kerb.rule_set_id
FROM place JOIN kerb_place AS kerb USING (commune_insee, place_id)
WHERE place.commune_insee = :commune_insee AND place.kind IN ('delivery_area', 'zone', 'street_face');

-- name: parts
-- A place and all that is part of it, of whatever is part of that, and so on; a circle ends by itself.
WITH RECURSIVE part AS (
    SELECT :place_id::text AS place_id
    UNION
    SELECT kerb_place.place_id
    FROM part
    JOIN kerb_place ON kerb_place.commune_insee = :commune_insee AND kerb_place.part_of = part.place_id
)
SELECT place_id FROM part;

-- name: now
-- Places in their life on a local day, with the last word of their sensors as of the last time sessions were made.
SELECT
    place.place_id, place.kind, place.longitude_deg, place.latitude_deg, place.street, kerb.name, kerb.part_of, bay.length_cm,
    space.space_kind, kerb.rule_set_id, mounting.device_id IS NOT NULL, present.heard_at, present.measured_at,
    present.occupied, present.since, present.certainty, coalesce(health.silent_after_s, :silent_after_s)::float8
FROM place
LEFT JOIN kerb_place AS kerb USING (commune_insee, place_id)
LEFT JOIN delivery_bay AS bay USING (commune_insee, place_id)
LEFT JOIN parking_space AS space USING (commune_insee, place_id)
LEFT JOIN occupancy_present AS present USING (commune_insee, place_id)
LEFT JOIN mounting
    ON mounting.commune_insee = place.commune_insee AND mounting.place_id = place.place_id AND mounting.unmounted_at IS NULL
LEFT JOIN device_health AS health ON health.device_id = mounting.device_id
WHERE place.commune_insee = :commune_insee
    AND place.kind = ANY (:kinds)
    AND (:place_ids::text[] IS NULL OR place.place_id = ANY (:place_ids))
    AND place.longitude_deg BETWEEN :west AND :east
    AND place.latitude_deg BETWEEN :south AND :north
    AND coalesce(kerb.valid_from, '-infinity') <= :day
    AND coalesce(kerb.valid_until, 'infinity') >= :day
ORDER BY place.place_id;

-- name: version^
-- What changes whenever a transaction that changed places or rules becomes visible; and whether that is this one, which may
-- change them again.
SELECT
    count(*),
    coalesce(max(transaction_id), 0),
    coalesce(bool_or(transaction_id = pg_current_xact_id_if_assigned()::text::bigint), false)
FROM kerb_change
WHERE commune_insee = :commune_insee;

-- name: known
-- Bays and spaces as they are, whatever stands there.
SELECT
    place.place_id, place.kind, place.longitude_deg, place.latitude_deg, kerb.part_of, kerb.rule_set_id, place.street, kerb.name,
    kerb.valid_from, kerb.valid_until
FROM place
LEFT JOIN kerb_place AS kerb USING (commune_insee, place_id)
WHERE place.commune_insee = :commune_insee AND place.kind IN ('delivery_bay', 'parking_space');

-- name: said
-- What the sensors of bays and spaces last said, as of the last time sessions were made.
SELECT
    present.place_id, present.measured_at, present.occupied, present.since, present.certainty,
    coalesce(health.silent_after_s, :silent_after_s)::float8
FROM occupancy_present AS present
LEFT JOIN device_health AS health ON health.device_id = present.device_id
WHERE present.commune_insee = :commune_insee;

-- name: newest_word^
-- When any sensor of a bay or space last said anything, as of the last time sessions were made.
SELECT max(heard_at) FROM occupancy_present WHERE commune_insee = :commune_insee;

-- name: unmade
-- Places with readings of which no sessions are made yet: some seconds' worth.
SELECT DISTINCT place_id
FROM session_due CROSS JOIN LATERAL unnest(place_ids) AS place_id
WHERE commune_insee = :commune_insee;

-- name: last_words
-- What sensors last said, straight from the readings.
SELECT
    due.place_id,
    heard.measured_at,
    latest.measured_at,
    latest.occupied,
    since.measured_at,
    health.silent_after_s::float8
FROM unnest(:place_ids::text[]) AS due (place_id)
LEFT JOIN mounting
    ON mounting.commune_insee = :commune_insee AND mounting.place_id = due.place_id AND mounting.unmounted_at IS NULL
LEFT JOIN device_health AS health ON health.device_id = mounting.device_id
LEFT JOIN LATERAL (
    SELECT measured_at
    FROM occupancy_reading
    WHERE commune_insee = :commune_insee AND occupancy_reading.place_id = due.place_id
    ORDER BY measured_at DESC, record_index DESC
    LIMIT 1
) AS heard ON true
LEFT JOIN LATERAL (
    SELECT measured_at, occupied
    FROM occupancy_reading
    WHERE commune_insee = :commune_insee AND occupancy_reading.place_id = due.place_id AND occupied IS NOT NULL
    ORDER BY measured_at DESC, record_index DESC
    LIMIT 1
) AS latest ON true
LEFT JOIN LATERAL (
    SELECT measured_at
    FROM occupancy_reading
    WHERE commune_insee = :commune_insee AND occupancy_reading.place_id = due.place_id AND occupied = NOT latest.occupied
    ORDER BY measured_at DESC, record_index DESC
    LIMIT 1
) AS other ON true
LEFT JOIN LATERAL (
    SELECT measured_at
    FROM occupancy_reading
    WHERE commune_insee = :commune_insee
        AND occupancy_reading.place_id = due.place_id
        AND occupied = latest.occupied
        AND measured_at > coalesce(other.measured_at, '-infinity')
    ORDER BY measured_at, record_index
    LIMIT 1
) AS since ON true;
