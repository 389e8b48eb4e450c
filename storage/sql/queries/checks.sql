-- name: told^
SELECT event_id, place_id, act, cause, comment, told_by, happened_at, told_at
FROM kerb_check_event
WHERE commune_insee = :commune_insee AND event_id = :event_id;

-- name: lock_place^
-- One officer at a time about a place, also about one of which nothing is kept yet.
SELECT pg_advisory_xact_lock(7237126, hashtext(:commune_insee || '/' || :place_id));

-- name: is_sensed^
SELECT EXISTS (
    SELECT FROM place
    WHERE commune_insee = :commune_insee AND place_id = :place_id AND kind IN ('delivery_bay', 'parking_space')
);

-- name: tell!
INSERT INTO kerb_check_event (
    commune_insee, event_id, place_id, act, cause, comment, told_by, device_id, happened_at
)
SELECT
    :commune_insee, :event_id, :place_id, :act, :cause, :comment, :told_by,
    (
        SELECT device_id FROM mounting
        WHERE commune_insee = :commune_insee
            AND place_id = :place_id
            AND mounted_at <= :happened_at
            AND coalesce(unmounted_at, 'infinity') > :happened_at
        LIMIT 1
    ),
    :happened_at;

-- name: holder
SELECT place_id, holder_id, taken_by, taken_at, expires_at
FROM kerb_check
WHERE commune_insee = :commune_insee AND place_id = :place_id AND expires_at > :now;

-- name: on_their_way
-- The places that somebody goes to, with where they are.
SELECT
    at_it.place_id, at_it.holder_id, at_it.taken_by, at_it.taken_at, at_it.expires_at, place.kind, place.longitude_deg,
    place.latitude_deg, place.street, kerb.name
FROM kerb_check AS at_it
JOIN place USING (commune_insee, place_id)
LEFT JOIN kerb_place AS kerb USING (commune_insee, place_id)
WHERE at_it.commune_insee = :commune_insee AND at_it.expires_at > :now
ORDER BY at_it.taken_at, at_it.place_id;

-- name: take!
INSERT INTO kerb_check (commune_insee, place_id, holder_id, taken_by, taken_at, expires_at)
VALUES (:commune_insee, :place_id, :holder_id, :taken_by, :taken_at, :expires_at)
ON CONFLICT (commune_insee, place_id) DO UPDATE
SET holder_id = excluded.holder_id,
    taken_by = excluded.taken_by,
    taken_at = CASE
        WHEN kerb_check.holder_id = excluded.holder_id AND kerb_check.expires_at > excluded.taken_at THEN kerb_check.taken_at
        ELSE excluded.taken_at
    END,
    expires_at = excluded.expires_at;

-- name: let_go!
UPDATE kerb_check SET holder_id = NULL, taken_by = NULL, taken_at = NULL, expires_at = NULL
WHERE commune_insee = :commune_insee AND place_id = :place_id AND holder_id = :holder_id;

-- name: close!
-- One that is told late changes nothing that is newer. The take ends with it, unless that began later.
INSERT INTO kerb_check (commune_insee, place_id, closed_at, cause)
VALUES (:commune_insee, :place_id, :closed_at, :cause)
ON CONFLICT (commune_insee, place_id) DO UPDATE
SET closed_at = greatest(kerb_check.closed_at, excluded.closed_at),
    cause = CASE WHEN kerb_check.closed_at > excluded.closed_at THEN kerb_check.cause ELSE excluded.cause END,
    holder_id = CASE WHEN kerb_check.taken_at > excluded.closed_at THEN kerb_check.holder_id END,
    taken_by = CASE WHEN kerb_check.taken_at > excluded.closed_at THEN kerb_check.taken_by END,
    taken_at = CASE WHEN kerb_check.taken_at > excluded.closed_at THEN kerb_check.taken_at END,
    expires_at = CASE WHEN kerb_check.taken_at > excluded.closed_at THEN kerb_check.expires_at END;

-- name: log
SELECT event_id, place_id, act, cause, comment, told_by, happened_at, told_at, place.street
FROM kerb_check_event
LEFT JOIN place USING (commune_insee, place_id)
WHERE commune_insee = :commune_insee
    AND happened_at >= :since
    AND (:place_id::text IS NULL OR place_id = :place_id)
ORDER BY happened_at DESC, told_at DESC, event_id
LIMIT :limit;

-- name: closings
-- How often each cause was told.
SELECT cause, count(*) FROM kerb_check_event
WHERE commune_insee = :commune_insee AND act = 'closed'
GROUP BY cause;

-- name: held_now^
SELECT count(*) FROM kerb_check WHERE commune_insee = :commune_insee AND expires_at > :now;

-- name: doubted
-- Sensors that officers found wrong since, with how often they were found right.
SELECT
    device_id,
    count(*) FILTER (WHERE cause IN ('tolerated', 'booked', 'authorised')),
    count(*) FILTER (WHERE cause = 'sensor_wrong')
FROM kerb_check_event
WHERE commune_insee = :commune_insee AND act = 'closed' AND device_id IS NOT NULL AND happened_at >= :since
GROUP BY device_id
HAVING count(*) FILTER (WHERE cause = 'sensor_wrong') > 0;

-- name: notify
SELECT pg_notify('voirie_live', :message);

-- name: occupied
-- Where sensors say that somebody stands, as of the last time sessions were made, and how the check there stands.
SELECT
    present.place_id, present.device_id, present.measured_at, present.occupied, present.since, present.certainty,
    coalesce(health.silent_after_s, :silent_after_s)::float8, at_it.holder_id, at_it.taken_by, at_it.taken_at,
    at_it.expires_at, at_it.closed_at
FROM occupancy_present AS present
LEFT JOIN device_health AS health ON health.device_id = present.device_id
LEFT JOIN kerb_check AS at_it ON at_it.commune_insee = present.commune_insee AND at_it.place_id = present.place_id
WHERE present.commune_insee = :commune_insee AND present.occupied;

-- name: at_places
-- The same of places whose sensors have said more since, without what they said.
SELECT
    asked.place_id, mounting.device_id, null::timestamptz, null::boolean, null::timestamptz, null::real, :silent_after_s::float8,
    at_it.holder_id, at_it.taken_by, at_it.taken_at, at_it.expires_at, at_it.closed_at
FROM unnest(:place_ids::text[]) AS asked (place_id)
LEFT JOIN mounting
    ON mounting.commune_insee = :commune_insee
    AND mounting.place_id = asked.place_id
    AND mounting.unmounted_at IS NULL
LEFT JOIN kerb_check AS at_it ON at_it.commune_insee = :commune_insee AND at_it.place_id = asked.place_id;
