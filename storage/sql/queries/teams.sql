-- name: sessions
-- Of who only drives or checks: sessions of who does more are nobody's business but their own and an administrator's.
SELECT s.session_id, s.account_id, a.display_name, s.device, s.user_agent, s.opened_at, s.seen_at, s.ends_at,
    s.device_key IS NOT NULL AS is_bound,
    (
        SELECT array_agg(DISTINCT g.role ORDER BY g.role)
        FROM account_grant AS g
        WHERE g.account_id = s.account_id AND g.commune_insee = :commune_insee
    ) AS roles
FROM login_session AS s
JOIN account AS a USING (account_id)
WHERE s.ends_at > :now
    AND s.seen_at + make_interval(secs => s.idle_s) > :now
    AND a.disabled_at IS NULL
    AND EXISTS (
        SELECT FROM account_grant AS g
        WHERE g.account_id = s.account_id AND g.commune_insee = :commune_insee AND g.role = ANY (:roles)
    )
    AND NOT EXISTS (
        SELECT FROM account_grant AS g WHERE g.account_id = s.account_id AND g.role NOT IN ('driver', 'officer')
    )
    AND NOT EXISTS (SELECT FROM territory_grant AS t WHERE t.account_id = s.account_id)
ORDER BY s.device NULLS LAST, a.display_name, s.opened_at;

-- name: end^
DELETE FROM login_session AS s
WHERE s.session_id = :session_id
    AND EXISTS (
        SELECT FROM account_grant AS g
        WHERE g.account_id = s.account_id AND g.commune_insee = :commune_insee AND g.role = ANY (:roles)
    )
    AND NOT EXISTS (
        SELECT FROM account_grant AS g WHERE g.account_id = s.account_id AND g.role NOT IN ('driver', 'officer')
    )
    AND NOT EXISTS (SELECT FROM territory_grant AS t WHERE t.account_id = s.account_id)
RETURNING s.account_id;

-- name: every
SELECT s.session_id, a.name, a.display_name, s.device, s.user_agent, s.opened_at, s.seen_at, s.ends_at
FROM login_session AS s
JOIN account AS a USING (account_id)
WHERE s.ends_at > :now
    AND s.seen_at + make_interval(secs => s.idle_s) > :now
    AND a.disabled_at IS NULL
    AND (
        (:commune_insee)::text IS NULL
        OR EXISTS (
            SELECT FROM account_grant AS g WHERE g.account_id = s.account_id AND g.commune_insee = :commune_insee
        )
    )
ORDER BY a.name, s.opened_at;

-- name: end_any^
DELETE FROM login_session AS s USING account AS a
WHERE s.session_id = :session_id AND a.account_id = s.account_id
RETURNING s.account_id, a.name;
