-- name: add^
INSERT INTO account (name, display_name, password_hash)
VALUES (:name, :display_name, :password_hash)
ON CONFLICT (name) DO NOTHING
RETURNING account_id, name, display_name, created_at, disabled_at, password_hash IS NOT NULL AS has_password;

-- name: by_name^
SELECT account_id, name, display_name, created_at, disabled_at, password_hash IS NOT NULL AS has_password
FROM account
WHERE name = :name;

-- name: one^
SELECT account_id, name, display_name, created_at, disabled_at, password_hash IS NOT NULL AS has_password
FROM account
WHERE account_id = :account_id;

-- name: every
SELECT account_id, name, display_name, created_at, disabled_at, password_hash IS NOT NULL AS has_password
FROM account
ORDER BY name;

-- name: secret^
SELECT account_id, password_hash FROM account WHERE name = :name AND disabled_at IS NULL;

-- name: set_password!
UPDATE account SET password_hash = :password_hash WHERE account_id = :account_id;

-- name: disable!
UPDATE account SET disabled_at = CASE WHEN :disabled THEN coalesce(disabled_at, now()) END WHERE account_id = :account_id;

-- name: remove!
WITH failures AS (DELETE FROM login_failure WHERE subject_hash = :subject)
DELETE FROM account WHERE account_id = :account_id;

-- name: grants
SELECT DISTINCT commune_insee, role FROM account_grant WHERE account_id = :account_id ORDER BY commune_insee, role;

-- name: held
-- What an account may do: what it was granted in a commune, and what follows from a territory.
SELECT commune_insee, role FROM account_grant WHERE account_id = :account_id
UNION
SELECT c.commune_insee, 'territory_reader'
FROM territory_grant AS g
JOIN territory_commune AS c USING (code)
WHERE g.account_id = :account_id
ORDER BY commune_insee, role;

-- name: grant!
INSERT INTO account_grant (account_id, commune_insee, role)
VALUES (:account_id, :commune_insee, :role)
ON CONFLICT DO NOTHING;

-- name: withdraw!
DELETE FROM account_grant WHERE account_id = :account_id AND commune_insee = :commune_insee AND role = :role;

-- name: open_session^
INSERT INTO login_session (
    token_hash, account_id, opened_at, seen_at, ends_at, idle_s, user_agent, id_token, device, proof_s, proof_key
)
VALUES (
    :token_hash, :account_id, :now, :now, :ends_at, :idle_s, :user_agent, :id_token, :device, :proof_s, :proof_key
)
RETURNING session_id, account_id, opened_at, seen_at, ends_at, idle_s, user_agent, device;

-- name: session_of^
SELECT s.session_id, s.account_id, s.opened_at, s.seen_at, s.ends_at, s.idle_s, s.user_agent, s.device, a.name, a.display_name,
    a.password_hash IS NOT NULL AS has_password, s.proof_s, s.proof_key, s.device_key, s.bound_at,
    EXISTS (
        SELECT FROM second_factor AS f WHERE f.account_id = s.account_id AND f.enrolled_at IS NOT NULL
    ) AS has_second_factor,
    -- As in `held`.
    ARRAY(
        SELECT ARRAY[g.commune_insee, g.role] FROM account_grant AS g WHERE g.account_id = s.account_id
        UNION
        SELECT ARRAY[c.commune_insee, 'territory_reader']
        FROM territory_grant AS g
        JOIN territory_commune AS c USING (code)
        WHERE g.account_id = s.account_id
    ) AS held
FROM login_session AS s
JOIN account AS a USING (account_id)
WHERE s.token_hash = :token_hash
    AND a.disabled_at IS NULL
    AND s.ends_at > :now
    AND s.seen_at + make_interval(secs => s.idle_s) > :now;

-- name: seen!
UPDATE login_session SET seen_at = :now WHERE session_id = :session_id;

-- name: sessions
SELECT session_id, account_id, opened_at, seen_at, ends_at, idle_s, user_agent, device
FROM login_session
WHERE account_id = :account_id AND ends_at > :now AND seen_at + make_interval(secs => idle_s) > :now
ORDER BY opened_at DESC;

-- name: end_session!
DELETE FROM login_session WHERE session_id = :session_id AND account_id = :account_id;

-- name: end_token!
DELETE FROM login_session WHERE token_hash = :token_hash;

-- name: name_device!
UPDATE login_session SET device = :device WHERE session_id = :session_id AND account_id = :account_id;

-- name: end_sessions!
DELETE FROM login_session WHERE account_id = :account_id;

-- name: forget_sessions!
DELETE FROM login_session WHERE ends_at <= :now OR seen_at + make_interval(secs => idle_s) <= :now;

-- name: failures
SELECT subject_hash, failures, failed_at FROM login_failure WHERE subject_hash = ANY (:subjects);

-- name: fail!
INSERT INTO login_failure (subject_hash, failures, failed_at)
VALUES (:subject, 1, :now)
ON CONFLICT (subject_hash) DO UPDATE
SET failures = CASE WHEN login_failure.failed_at < :forgotten THEN 1 ELSE login_failure.failures + 1 END, failed_at = :now;

-- name: succeed!
DELETE FROM login_failure WHERE subject_hash = ANY (:subjects) OR failed_at < :forgotten;

-- name: add_key^
INSERT INTO api_key (prefix, key_hash, name, commune_insee, roles, expires_at)
VALUES (:prefix, :key_hash, :name, :commune_insee, :roles, :expires_at)
RETURNING key_id, prefix, name, commune_insee, roles, created_at, expires_at, last_used_at, revoked_at;

-- name: key_of^
SELECT key_id, prefix, name, commune_insee, roles, created_at, expires_at, last_used_at, revoked_at
FROM api_key
WHERE key_hash = :key_hash AND revoked_at IS NULL AND expires_at > :now;

-- name: key_used!
UPDATE api_key SET last_used_at = :now WHERE key_id = :key_id;

-- name: keys
SELECT key_id, prefix, name, commune_insee, roles, created_at, expires_at, last_used_at, revoked_at
FROM api_key
WHERE commune_insee = coalesce(:commune_insee, commune_insee)
ORDER BY created_at DESC;

-- name: revoke_key^
UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE prefix = :prefix
RETURNING key_id, prefix, name, commune_insee, roles, created_at, expires_at, last_used_at, revoked_at;
