-- name: note!
INSERT INTO audit_note (commune_insee, actor, act, subject, details)
VALUES (:commune_insee, :actor, :act, :subject, :details);

-- name: communes
SELECT DISTINCT commune_insee FROM audit_entry ORDER BY commune_insee;

-- name: head^
SELECT sequence, digest FROM audit_entry WHERE commune_insee = :commune_insee ORDER BY sequence DESC LIMIT 1;

-- name: last_details^
SELECT details FROM audit_note
WHERE commune_insee = :commune_insee AND act = :act AND subject = :subject
ORDER BY note_id DESC LIMIT 1;

-- name: links
-- Each entry with its salt and the text of its row as it is now; null where either is gone.
SELECT
    e.sequence, e.chained_at, e.told_at, e.act, e.source, e.source_key, e.seal, e.previous, e.digest, s.salt,
    voirie_audit_text(e.source, coalesce(to_jsonb(n), to_jsonb(p), to_jsonb(k), to_jsonb(d))) AS content
FROM audit_entry AS e
LEFT JOIN audit_salt AS s USING (commune_insee, sequence)
LEFT JOIN audit_note AS n
    ON n.note_id = CASE WHEN e.source = 'audit_note' THEN e.source_key::bigint END
LEFT JOIN plan_audit AS p
    ON p.audit_id = CASE WHEN e.source = 'plan_audit' THEN e.source_key::bigint END
LEFT JOIN kerb_check_event AS k
    ON k.commune_insee = e.commune_insee
    AND k.event_id = CASE WHEN e.source = 'kerb_check_event' THEN e.source_key::uuid END
LEFT JOIN device_change AS d
    ON d.change_id = CASE WHEN e.source = 'device_change' THEN e.source_key::bigint END
WHERE e.commune_insee = :commune_insee AND e.sequence > :after
ORDER BY e.sequence
LIMIT :at_most;

-- name: unchained
-- Rows without an entry: what a cut tail of the chain leaves behind.
SELECT source, source_key
FROM (
    SELECT 'audit_note' AS source, note_id::text AS source_key FROM audit_note WHERE commune_insee = :commune_insee
    UNION ALL
    SELECT 'plan_audit', audit_id::text FROM plan_audit WHERE commune_insee = :commune_insee
    UNION ALL
    SELECT 'kerb_check_event', event_id::text FROM kerb_check_event WHERE commune_insee = :commune_insee
    UNION ALL
    SELECT 'device_change', change_id::text FROM device_change WHERE commune_insee = :commune_insee
) AS told
WHERE NOT EXISTS (
    SELECT FROM audit_entry AS e
    WHERE e.commune_insee = :commune_insee AND e.source = told.source AND e.source_key = told.source_key
)
ORDER BY source, source_key
LIMIT 20;
