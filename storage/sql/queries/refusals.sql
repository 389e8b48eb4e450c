-- name: keep
-- What the table has already is the same message again. A row that the statement inserted has no earlier version, hence
-- no transaction that ended one (xmax).
INSERT INTO refused_message (
    commune_insee, digest, reason, received_at, last_received_at, network, topic, payload, detail, device_eui, deliveries,
    judged_in
)
SELECT :commune_insee, refused.*, coalesce(
    (SELECT registry_version FROM commune WHERE commune.commune_insee = :commune_insee), 0
)
FROM unnest(
    :digest::bytea[], :reason::text[], :received_at::timestamptz[], :last_received_at::timestamptz[], :network::text[],
    :topic::text[], :payload::bytea[], :detail::text[], :device_eui::text[], :deliveries::integer[]
) AS refused
ON CONFLICT (commune_insee, digest, reason) DO UPDATE
SET deliveries = refused_message.deliveries + excluded.deliveries,
    last_received_at = greatest(refused_message.last_received_at, excluded.last_received_at),
    detail = excluded.detail,
    device_eui = excluded.device_eui,
    judged_in = excluded.judged_in,
    judged_at = clock_timestamp(),
    resolved_at = NULL,
    stored = NULL
RETURNING xmax = 0;

-- name: pick
-- What another replay is looking at is left to it.
SELECT refused_id, octet_length(payload)
FROM refused_message
WHERE commune_insee = :commune_insee
    AND resolved_at IS NULL
    AND refused_id > :after
    AND refused_id <= :last
    AND (:reasons::text[] IS NULL OR reason = ANY (:reasons))
    AND (:device_eui::text IS NULL OR device_eui = :device_eui)
    AND (:network::text IS NULL OR network = :network)
    AND (:since::timestamptz IS NULL OR last_received_at >= :since)
    AND (:until::timestamptz IS NULL OR received_at < :until)
    AND (
        NOT :due
        OR reason = ANY (:worth)
        AND EXISTS (
            SELECT FROM device
            WHERE device.commune_insee = refused_message.commune_insee
                AND device.eui = refused_message.device_eui
                AND device.changed_in > refused_message.judged_in
        )
    )
ORDER BY refused_id
LIMIT :limit
FOR UPDATE SKIP LOCKED;

-- name: last_id^
SELECT coalesce(max(refused_id), 0) FROM refused_message WHERE commune_insee = :commune_insee;

-- name: any_due^
SELECT EXISTS (
    SELECT FROM refused_message
    JOIN device ON device.commune_insee = refused_message.commune_insee AND device.eui = refused_message.device_eui
    WHERE refused_message.commune_insee = :commune_insee
        AND resolved_at IS NULL
        AND reason = ANY (:worth)
        AND device.changed_in > refused_message.judged_in
);

-- name: whole
-- The picked rows with those of the same messages that tell other reasons, so that a message is judged once.
SELECT
    refused_id, digest, reason, detail, received_at, network, topic, payload, device_eui, resolved_at IS NULL AS is_open,
    refused_id = ANY (:picked) AS is_picked
FROM refused_message
WHERE commune_insee = :commune_insee
    AND digest IN (SELECT digest FROM refused_message WHERE refused_id = ANY (:picked))
ORDER BY refused_id
FOR UPDATE;

-- name: still_refused!
UPDATE refused_message
SET reason = :reason,
    detail = :detail,
    device_eui = :device_eui,
    judged_in = :judged_in,
    judged_at = clock_timestamp(),
    resolved_at = NULL,
    stored = NULL
WHERE refused_id = :refused_id;

-- name: resolved!
UPDATE refused_message
SET judged_in = :judged_in, judged_at = clock_timestamp(), resolved_at = clock_timestamp(), stored = :stored
WHERE refused_id = :refused_id;

-- name: counts
SELECT device_eui, count(*) AS messages, max(last_received_at) AS last_received_at
FROM refused_message
WHERE commune_insee = :commune_insee AND resolved_at IS NULL AND device_eui = ANY (:euis)
GROUP BY device_eui;

-- name: kinds
-- Those that are refused now, by reason and network.
SELECT
    reason, network, count(*) AS messages, sum(deliveries)::bigint AS deliveries, min(received_at) AS first_received_at,
    max(last_received_at) AS last_received_at, count(DISTINCT device_eui) AS devices
FROM refused_message
WHERE commune_insee = :commune_insee AND resolved_at IS NULL
GROUP BY reason, network
ORDER BY messages DESC, reason, network;

-- name: page
-- Those that are refused now, the newest first, from one row on.
SELECT
    refused_id, reason, detail, received_at, last_received_at, deliveries, network, topic, device_eui,
    octet_length(payload) AS payload_bytes, substring(payload FOR :most_bytes) AS payload,
    EXISTS (
        SELECT FROM device
        WHERE device.commune_insee = refused_message.commune_insee AND device.eui = refused_message.device_eui
    ) AS is_registered
FROM refused_message
WHERE commune_insee = :commune_insee
    AND resolved_at IS NULL
    AND (:before::bigint IS NULL OR refused_id < :before)
    AND (:reason::text IS NULL OR reason = :reason)
    AND (:device_eui::text IS NULL OR device_eui = :device_eui)
    AND (:network::text IS NULL OR network = :network)
ORDER BY refused_id DESC
LIMIT :limit;
