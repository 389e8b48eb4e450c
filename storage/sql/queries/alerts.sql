-- name: open_one<!
-- Opens once, whoever looks: the unique indexes refuse a second open one, and the same past told again.
INSERT INTO alert (
    commune_insee, kind, subject, severity, place_id, device_id, network, opened_at, noticed_at, closed_at, closed_by,
    message, evidence
)
VALUES (
    :commune_insee, :kind, :subject, :severity, :place_id, :device_id, :network, :opened_at, :noticed_at, :closed_at,
    :closed_by, :message, :evidence
)
ON CONFLICT DO NOTHING
RETURNING alert_id;

-- name: close_one!
UPDATE alert SET closed_at = greatest(opened_at, :closed_at), closed_by = :closed_by
WHERE commune_insee = :commune_insee AND alert_id = :alert_id AND closed_at IS NULL;

-- name: open_now
SELECT
    alert_id, kind, subject, severity, place_id, device_id, network, opened_at, noticed_at, closed_at, closed_by,
    message, evidence
FROM alert
WHERE commune_insee = :commune_insee AND closed_at IS NULL
ORDER BY opened_at, alert_id;

-- name: between
-- Those that were open at any time since; all of them are kept.
SELECT
    alert_id, kind, subject, severity, place_id, device_id, network, opened_at, noticed_at, closed_at, closed_by,
    message, evidence
FROM alert
WHERE commune_insee = :commune_insee
    AND (closed_at IS NULL OR closed_at >= :since)
    AND (:place_id::text IS NULL OR place_id = :place_id)
    AND (:kinds::text[] IS NULL OR kind = ANY (:kinds))
ORDER BY closed_at IS NOT NULL, opened_at DESC, alert_id DESC
LIMIT :most;

-- name: notify
SELECT pg_notify('voirie_live', :message);
