-- name: tell!
UPDATE login_session SET device_key = :device_key, proved_at = :challenged_at, bound_at = :now
WHERE session_id = :session_id AND proof_s IS NOT NULL AND device_key IS NULL;

-- name: answer!
UPDATE login_session SET proved_at = :challenged_at
WHERE session_id = :session_id AND device_key IS NOT NULL AND proved_at < :challenged_at;
