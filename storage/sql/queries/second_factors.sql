-- name: begin<!
INSERT INTO second_factor (account_id, secret, begun_at)
VALUES (:account_id, :secret, :now)
ON CONFLICT (account_id) DO UPDATE
SET secret = excluded.secret, begun_at = excluded.begun_at
WHERE second_factor.enrolled_at IS NULL
RETURNING account_id;

-- name: locked^
SELECT secret, last_step, enrolled_at, recovery_hashes, begun_at
FROM second_factor
WHERE account_id = :account_id
FOR UPDATE;

-- name: state^
SELECT enrolled_at, cardinality(recovery_hashes) AS recovery_codes
FROM second_factor
WHERE account_id = :account_id AND enrolled_at IS NOT NULL;

-- name: enrol!
UPDATE second_factor
SET enrolled_at = :now, last_step = :step, recovery_hashes = :recovery_hashes
WHERE account_id = :account_id;

-- name: use_step!
UPDATE second_factor SET last_step = :step WHERE account_id = :account_id;

-- name: use_recovery!
UPDATE second_factor
SET recovery_hashes = array_remove(recovery_hashes, :recovery_hash)
WHERE account_id = :account_id;

-- name: remove!
DELETE FROM second_factor WHERE account_id = :account_id;

-- name: forget_halves!
DELETE FROM login_half WHERE ends_at <= :now;

-- name: open_half!
INSERT INTO login_half (token_hash, account_id, ends_at) VALUES (:token_hash, :account_id, :ends_at);

-- name: half_of^
SELECT h.account_id, a.name
FROM login_half AS h
JOIN account AS a USING (account_id)
WHERE h.token_hash = :token_hash AND h.ends_at > :now AND a.disabled_at IS NULL;

-- name: end_halves!
DELETE FROM login_half WHERE account_id = :account_id;

-- name: end_other_sessions!
DELETE FROM login_session WHERE account_id = :account_id AND session_id <> :session_id;
