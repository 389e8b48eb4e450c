-- name: accounts
SELECT a.account_id, a.name, a.display_name, a.disabled_at, a.password_hash IS NOT NULL AS has_password,
    EXISTS (
        SELECT FROM second_factor AS f WHERE f.account_id = a.account_id AND f.enrolled_at IS NOT NULL
    ) AS has_second_factor,
    (SELECT i.email FROM account_identity AS i WHERE i.account_id = a.account_id ORDER BY i.seen_at DESC LIMIT 1) AS email,
    EXISTS (SELECT FROM account_identity AS i WHERE i.account_id = a.account_id) AS of_provider,
    EXISTS (SELECT FROM territory_grant AS t WHERE t.account_id = a.account_id) AS of_territory,
    (
        SELECT count(*)
        FROM login_session AS s
        WHERE s.account_id = a.account_id AND s.ends_at > :now AND s.seen_at + make_interval(secs => s.idle_s) > :now
    )::integer AS open_sessions,
    (
        SELECT coalesce(
            jsonb_agg(
                jsonb_build_object('commune_insee', g.commune_insee, 'role', g.role, 'granted_by', g.granted_by)
                ORDER BY g.commune_insee, g.role, g.granted_by
            ),
            '[]'
        )
        FROM account_grant AS g
        WHERE g.account_id = a.account_id
    ) AS grants
FROM account AS a
WHERE a.account_id = coalesce(:account_id, a.account_id)
ORDER BY a.display_name, a.name;
