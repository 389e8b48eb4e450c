-- name: hold_day!
-- One at a time decides what is published of a day.
SELECT pg_advisory_xact_lock(hashtextextended('plan ' || :commune_insee || ' ' || :service_date::date, 0));

-- name: add!
INSERT INTO plan_version (
    commune_insee, plan_id, service_date, status, origin, based_on, made_by, made_at, edits, difference
)
VALUES (
    :commune_insee, :plan_id, :service_date, 'draft', :origin, :based_on, :made_by, :made_at, :edits, :difference
);

-- name: one^
SELECT
    commune_insee, plan_id, service_date, status, version, origin, based_on, made_by, made_at, published_by,
    published_at, edits, difference
FROM plan_version
WHERE commune_insee = :commune_insee AND plan_id = :plan_id;

-- name: published^
SELECT
    commune_insee, plan_id, service_date, status, version, origin, based_on, made_by, made_at, published_by,
    published_at, edits, difference
FROM plan_version
WHERE commune_insee = :commune_insee AND service_date = :service_date AND status = 'published';

-- name: of_day
SELECT
    commune_insee, plan_id, service_date, status, version, origin, based_on, made_by, made_at, published_by,
    published_at, edits, difference
FROM plan_version
WHERE commune_insee = :commune_insee AND service_date = :service_date
ORDER BY version NULLS LAST, made_at, plan_id;

-- name: supersede
UPDATE plan_version SET status = 'superseded'
WHERE commune_insee = :commune_insee AND service_date = :service_date AND status = 'published'
RETURNING plan_id;

-- name: publish!
UPDATE plan_version
SET
    status = 'published',
    published_by = :by,
    published_at = :at,
    version = 1 + coalesce(
        (
            SELECT max(others.version)
            FROM plan_version AS others
            WHERE others.commune_insee = :commune_insee AND others.service_date = plan_version.service_date
        ), 0
    )
WHERE commune_insee = :commune_insee AND plan_id = :plan_id AND status = 'draft';

-- name: discard!
UPDATE plan_version SET status = 'discarded'
WHERE commune_insee = :commune_insee AND plan_id = :plan_id AND status = 'draft';

-- name: note!
INSERT INTO plan_audit (commune_insee, plan_id, service_date, happened_at, done_by, action, detail)
VALUES (:commune_insee, :plan_id, :service_date, :at, :by, :action, :detail);

-- name: audit
SELECT plan_id, happened_at, done_by, action, detail
FROM plan_audit
WHERE commune_insee = :commune_insee AND service_date = :service_date
ORDER BY audit_id;

-- name: visits
-- The bins and the disposal sites that the rounds of a plan visit, in order.
SELECT r.vehicle_id, r.start_at, s.kind, s.place_id
FROM planned_route AS r
JOIN planned_stop AS s USING (commune_insee, plan_id, route_index)
WHERE r.commune_insee = :commune_insee AND r.plan_id = :plan_id AND s.kind IN ('bin', 'disposal')
ORDER BY r.route_index, s.stop_index;

-- name: unreachable
SELECT place_id FROM plan_left_out
WHERE commune_insee = :commune_insee AND plan_id = :plan_id AND reason ->> 'code' = 'unreachable';
