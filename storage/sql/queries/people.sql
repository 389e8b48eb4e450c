-- name: erasing^
-- Lets the owner of append-only tables change names in them, until the transaction ends.
SELECT set_config('voirie.erasing', 'yes', true);

-- name: entries_of
-- The entries of the audit's chain that seal a row, with the row's text as it is now.
SELECT
    e.commune_insee, e.sequence,
    voirie_audit_text(e.source, coalesce(to_jsonb(n), to_jsonb(p), to_jsonb(k), to_jsonb(d))) AS content
FROM audit_entry AS e
LEFT JOIN audit_note AS n
    ON n.note_id = CASE WHEN e.source = 'audit_note' THEN e.source_key::bigint END
LEFT JOIN plan_audit AS p
    ON p.audit_id = CASE WHEN e.source = 'plan_audit' THEN e.source_key::bigint END
LEFT JOIN kerb_check_event AS k
    ON k.commune_insee = e.commune_insee
    AND k.event_id = CASE WHEN e.source = 'kerb_check_event' THEN e.source_key::uuid END
LEFT JOIN device_change AS d
    ON d.change_id = CASE WHEN e.source = 'device_change' THEN e.source_key::bigint END
WHERE e.source = :source AND e.source_key = :source_key;

-- name: salt_anew!
UPDATE audit_salt SET salt = :salt WHERE commune_insee = :commune_insee AND sequence = :sequence;
