-- name: seen^
UPDATE account_identity SET seen_at = :now, email = :email
WHERE issuer = :issuer AND subject = :subject
RETURNING account_id;

-- name: link!
INSERT INTO account_identity (issuer, subject, account_id, email, linked_at, seen_at)
VALUES (:issuer, :subject, :account_id, :email, :now, :now);

-- name: add_account^
-- Two first log-ins at once: the second waits here for the first, and gets nothing.
INSERT INTO account (name, display_name) VALUES (:name, :display_name)
ON CONFLICT (name) DO NOTHING
RETURNING account_id;

-- name: rename^
UPDATE account SET display_name = :display_name WHERE account_id = :account_id
RETURNING disabled_at IS NOT NULL AS disabled;

-- name: withdraw_claims
DELETE FROM account_grant AS g
WHERE g.account_id = :account_id
    AND g.granted_by = 'claims'
    AND NOT EXISTS (
        SELECT FROM unnest((:communes)::text[], (:roles)::text[]) AS told (commune_insee, role)
        WHERE told.commune_insee = g.commune_insee AND told.role = g.role
    )
RETURNING g.commune_insee, g.role;

-- name: grant_claims
-- What claims grant in a commune that this installation does not serve is nothing.
INSERT INTO account_grant (account_id, commune_insee, role, granted_by)
SELECT :account_id, told.commune_insee, told.role, 'claims'
FROM unnest((:communes)::text[], (:roles)::text[]) AS told (commune_insee, role)
JOIN voirie_served_communes() AS served USING (commune_insee)
ON CONFLICT DO NOTHING
RETURNING commune_insee, role;

-- name: of
SELECT account_id, issuer, email, seen_at FROM account_identity ORDER BY account_id, issuer;

-- name: id_token^
SELECT id_token FROM login_session WHERE session_id = :session_id AND account_id = :account_id;
