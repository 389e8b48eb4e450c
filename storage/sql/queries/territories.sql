-- name: save!
INSERT INTO territory (code, name) VALUES (:code, :name)
ON CONFLICT (code) DO UPDATE SET name = excluded.name;

-- name: drop_communes!
DELETE FROM territory_commune WHERE code = :code AND commune_insee <> ALL (:communes);

-- name: add_communes!
INSERT INTO territory_commune (code, commune_insee)
SELECT :code, unnest((:communes)::text[])
ON CONFLICT DO NOTHING;

-- name: every
SELECT t.code, t.name,
    coalesce((SELECT array_agg(c.commune_insee ORDER BY c.commune_insee) FROM territory_commune AS c WHERE c.code = t.code), '{}')
        AS communes,
    coalesce(
        (
            SELECT array_agg(a.name ORDER BY a.name)
            FROM territory_grant AS g
            JOIN account AS a USING (account_id)
            WHERE g.code = t.code
        ),
        '{}'
    ) AS accounts
FROM territory AS t
WHERE t.code = coalesce(:code, t.code)
ORDER BY t.code;

-- name: grant!
INSERT INTO territory_grant (account_id, code) VALUES (:account_id, :code) ON CONFLICT DO NOTHING;

-- name: withdraw!
DELETE FROM territory_grant WHERE account_id = :account_id AND code = :code;
