-- name: hold#
-- Numbers follow each other: two who issue wait for each other, and readers wait for nobody.
LOCK TABLE broker_credential IN SHARE ROW EXCLUSIVE MODE;

-- name: issue^
WITH issued AS (
    INSERT INTO broker_credential (commune_insee, device_id, network, topics, user_name)
    SELECT
        :commune_insee, :device_id::bigint, :network::text, :topics::text[],
        :holder || '.' || (
            SELECT coalesce(max(substring(user_name from '[0-9]+$')::int), 0) + 1
            FROM broker_credential
            WHERE commune_insee = :commune_insee AND starts_with(user_name, :holder || '.')
                AND device_id IS NOT DISTINCT FROM :device_id::bigint AND network IS NOT DISTINCT FROM :network::text
        )
    RETURNING *
), kept AS (
    INSERT INTO broker_secret (credential_id, salt, iterations, digest)
    SELECT credential_id, :salt, :iterations, :digest FROM issued
)
SELECT
    credential_id, commune_insee, (SELECT eui FROM device WHERE device_id = :device_id::bigint) AS eui, network, topics,
    user_name, issued_at, expires_at, revoked_at
FROM issued;

-- name: of_commune
SELECT
    credential_id, broker_credential.commune_insee, device.eui, network, topics, user_name, issued_at, expires_at, revoked_at
FROM broker_credential LEFT JOIN device USING (device_id)
WHERE broker_credential.commune_insee = :commune_insee
    AND (:every OR (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())))
ORDER BY broker_credential.credential_id;

-- name: expire!
-- Those that are already to go sooner stay as they are.
UPDATE broker_credential SET expires_at = now() + :overlap_s * interval '1 second'
WHERE commune_insee = :commune_insee AND device_id IS NOT DISTINCT FROM :device_id::bigint
    AND network IS NOT DISTINCT FROM :network::text AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > now() + :overlap_s * interval '1 second');

-- name: revoke
UPDATE broker_credential SET revoked_at = now()
WHERE commune_insee = :commune_insee AND user_name = :user_name AND revoked_at IS NULL
RETURNING user_name;

-- name: logins
-- What the broker's files hold: who may come in now, by what proof, and what each may publish.
SELECT user_name, salt, iterations, digest, rules.topics
FROM broker_credential
    JOIN broker_secret USING (credential_id)
    CROSS JOIN LATERAL (
        SELECT array_agg(topic ORDER BY topic) AS topics FROM voirie_broker_rules(broker_credential.user_name)
    ) AS rules
WHERE rules.topics IS NOT NULL
ORDER BY user_name;
