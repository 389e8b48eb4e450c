-- name: marks
SELECT
    kind,
    nullif(forgotten_before, '-infinity') AS forgotten_before,
    nullif(kept_before, '-infinity') AS kept_before
FROM forgotten
WHERE commune_insee = :commune_insee;

-- name: mark_forgotten!
INSERT INTO forgotten (commune_insee, kind, forgotten_before)
VALUES (:commune_insee, :kind, :before)
ON CONFLICT (commune_insee, kind) DO UPDATE SET forgotten_before = excluded.forgotten_before;

-- name: mark_kept!
INSERT INTO forgotten (commune_insee, kind, kept_before)
VALUES (:commune_insee, :kind, :before)
ON CONFLICT (commune_insee, kind) DO UPDATE SET kept_before = excluded.kept_before;

-- name: drop_chunks^
-- Whole chunks, in which no commune has anything that it still keeps.
SELECT count(*)
FROM timescaledb_information.hypertables
CROSS JOIN LATERAL drop_chunks(quote_ident(hypertable_name)::regclass, older_than => :before::timestamptz)
WHERE hypertable_schema = current_schema() AND hypertable_name = :table_name;

-- name: forget_fill_reading!
DELETE FROM fill_reading WHERE commune_insee = :commune_insee AND measured_at < :before;

-- name: forget_reviewed_level!
DELETE FROM reviewed_level WHERE commune_insee = :commune_insee AND measured_at < :before;

-- name: forget_displaced_fill!
DELETE FROM displaced_reading WHERE commune_insee = :commune_insee AND kind = 'fill' AND measured_at < :before;

-- name: forget_occupancy_reading!
DELETE FROM occupancy_reading WHERE commune_insee = :commune_insee AND measured_at < :before;

-- name: forget_displaced_occupancy!
DELETE FROM displaced_reading WHERE commune_insee = :commune_insee AND kind = 'occupancy' AND measured_at < :before;

-- name: forget_occupancy_session!
-- By its beginning, as chunks go. A stay that is still open keeps its beginning in `occupancy_present`.
DELETE FROM occupancy_session WHERE commune_insee = :commune_insee AND started_at < :before;

-- name: forget_device_event!
DELETE FROM device_event WHERE commune_insee = :commune_insee AND measured_at < :before;

-- name: forget_device_day!
DELETE FROM device_day WHERE commune_insee = :commune_insee AND day < (:before::timestamptz AT TIME ZONE 'UTC')::date;

-- name: forget_refused_message!
DELETE FROM refused_message WHERE commune_insee = :commune_insee AND last_received_at < :before;

-- name: forget_alert!
-- An open one is not over, however old.
DELETE FROM alert WHERE commune_insee = :commune_insee AND closed_at < :before;

-- name: forget_forecast_run!
DELETE FROM forecast_run WHERE commune_insee = :commune_insee AND as_of < :before;

-- name: forget_detected_emptying!
DELETE FROM detected_emptying WHERE commune_insee = :commune_insee AND emptied_before < :before;

-- name: forget_declared_check!
DELETE FROM declared_check WHERE commune_insee = :commune_insee AND happened_at < :before;

-- name: forget_fill_hourly_kept!
DELETE FROM fill_hourly_kept WHERE commune_insee = :commune_insee AND hour < :before;

-- name: forget_occupancy_hourly_kept!
DELETE FROM occupancy_hourly_kept WHERE commune_insee = :commune_insee AND hour < :before;

-- name: forget_session_hourly_kept!
DELETE FROM session_hourly_kept WHERE commune_insee = :commune_insee AND hour < :before;

-- name: forget_intake_batch!
-- The ledger's sums never change: a day's commits become one row for each collector.
WITH single AS (
    DELETE FROM intake_batch
    WHERE commune_insee = :commune_insee
        AND committed_at < :before
        AND (:since::timestamptz IS NULL OR committed_at >= :since)
    RETURNING *
)
INSERT INTO intake_batch (commune_insee, collector, committed_at, messages, stored, duplicates, refused)
SELECT commune_insee, collector, max(committed_at), sum(messages), sum(stored), sum(duplicates), sum(refused)
FROM single
GROUP BY commune_insee, collector, date_trunc('day', committed_at, 'UTC');

-- name: forget_forecast_score!
DELETE FROM forecast_score WHERE commune_insee = :commune_insee AND day < (:before::timestamptz AT TIME ZONE 'UTC')::date;

-- name: forget_bay_forecast_score!
DELETE FROM bay_forecast_score
WHERE commune_insee = :commune_insee AND day < (:before::timestamptz AT TIME ZONE 'UTC')::date;

-- name: forget_kerb_check_event!
-- With the salts of their entries in the audit's chain: what is sealed there says nothing without them.
WITH salts AS (
    DELETE FROM audit_salt USING audit_entry AS e
    WHERE e.commune_insee = :commune_insee AND e.source = 'kerb_check_event' AND e.told_at < :before
        AND audit_salt.commune_insee = e.commune_insee AND audit_salt.sequence = e.sequence
)
DELETE FROM kerb_check_event WHERE commune_insee = :commune_insee AND told_at < :before;

-- name: forget_kerb_day!
DELETE FROM kerb_day WHERE commune_insee = :commune_insee AND day < (:before::timestamptz AT TIME ZONE 'UTC')::date;

-- name: forget_kerb_month!
-- A month goes when its last day does.
DELETE FROM kerb_month
WHERE commune_insee = :commune_insee AND month < date_trunc('month', :before::timestamptz AT TIME ZONE 'UTC')::date;

-- name: forget_kerb_street_day!
DELETE FROM kerb_street_day
WHERE commune_insee = :commune_insee AND day < (:before::timestamptz AT TIME ZONE 'UTC')::date;

-- name: forget_kerb_street_month!
DELETE FROM kerb_street_month
WHERE commune_insee = :commune_insee AND month < date_trunc('month', :before::timestamptz AT TIME ZONE 'UTC')::date;

-- name: forget_kerb_hour!
DELETE FROM kerb_hour
WHERE commune_insee = :commune_insee AND month < date_trunc('month', :before::timestamptz AT TIME ZONE 'UTC')::date;

-- name: forget_kerb_place_span!
-- A span goes with its first day: what is left of it is told by its days and months.
DELETE FROM kerb_place_span
WHERE commune_insee = :commune_insee
    AND (
        span = 'part' AND first < (:before::timestamptz AT TIME ZONE 'UTC')::date
        OR span = 'season' AND first < date_trunc('month', :before::timestamptz AT TIME ZONE 'UTC')::date
    );

-- name: forget_kerb_hour_span!
DELETE FROM kerb_hour_span
WHERE commune_insee = :commune_insee AND first < date_trunc('month', :before::timestamptz AT TIME ZONE 'UTC')::date;

-- name: forget_audit_note!
-- What the chain needs to explain itself stays: erasures, and what was forgotten of audited tables.
WITH gone AS (
    SELECT note_id
    FROM audit_note
    WHERE commune_insee = :commune_insee
        AND recorded_at < :before
        AND act <> 'person.erased'
        AND NOT (act = 'data.forgotten' AND subject IN ('kerb_check_event', 'audit_note'))
),
salts AS (
    DELETE FROM audit_salt USING audit_entry AS e, gone
    WHERE e.commune_insee = :commune_insee AND e.source = 'audit_note' AND e.source_key = gone.note_id::text
        AND audit_salt.commune_insee = e.commune_insee AND audit_salt.sequence = e.sequence
)
DELETE FROM audit_note USING gone WHERE audit_note.note_id = gone.note_id;
