-- name: stage#
CREATE TEMPORARY TABLE IF NOT EXISTS staged_reviewed_level (LIKE reviewed_level) ON COMMIT DELETE ROWS;

-- name: copy#
COPY staged_reviewed_level (
    commune_insee, device_id, place_id, measured_at, record_index, quality, reason, filtered_fraction, filtered_sd
) FROM STDIN (FORMAT binary);

-- name: take!
INSERT INTO reviewed_level SELECT * FROM staged_reviewed_level
ON CONFLICT (device_id, measured_at, record_index) DO UPDATE
SET place_id = excluded.place_id,
    quality = excluded.quality,
    reason = excluded.reason,
    filtered_fraction = excluded.filtered_fraction,
    filtered_sd = excluded.filtered_sd;

-- name: unstage#
TRUNCATE staged_reviewed_level;

-- name: forget_displaced!
-- A reading that was moved off its place (its device was elsewhere, as was told later) takes its verdict with it.
DELETE FROM reviewed_level
USING unnest(:device_ids::bigint[], :place_ids::text[], :since::timestamptz[]) AS due (device_id, place_id, since)
WHERE reviewed_level.device_id = due.device_id
    AND reviewed_level.place_id = due.place_id
    AND reviewed_level.measured_at >= due.since
    AND reviewed_level.measured_at >= :earliest
    AND NOT EXISTS (
        SELECT FROM fill_reading
        WHERE fill_reading.device_id = reviewed_level.device_id
            AND fill_reading.measured_at = reviewed_level.measured_at
            AND fill_reading.record_index = reviewed_level.record_index
            AND fill_reading.place_id = reviewed_level.place_id
    );

-- name: forget_bin_levels!
DELETE FROM bin_level
USING unnest(:device_ids::bigint[], :place_ids::text[]) AS gone (device_id, place_id)
WHERE bin_level.commune_insee = :commune_insee
    AND bin_level.place_id = gone.place_id
    AND bin_level.device_id = gone.device_id;

-- name: save_bin_level!
-- Of two devices that were on a bin one after the other, the later one tells the present.
INSERT INTO bin_level (
    commune_insee, place_id, device_id, measured_at, fill_fraction, battery_percent, filtered_fraction, filtered_sd,
    reviewed_until, newest_quality, newest_reason
)
VALUES (
    :commune_insee, :place_id, :device_id, :measured_at, :fill_fraction, :battery_percent, :filtered_fraction,
    :filtered_sd, :reviewed_until, :newest_quality, :newest_reason
)
ON CONFLICT (commune_insee, place_id) DO UPDATE
SET device_id = excluded.device_id,
    measured_at = excluded.measured_at,
    fill_fraction = excluded.fill_fraction,
    battery_percent = excluded.battery_percent,
    filtered_fraction = excluded.filtered_fraction,
    filtered_sd = excluded.filtered_sd,
    reviewed_until = excluded.reviewed_until,
    newest_quality = excluded.newest_quality,
    newest_reason = excluded.newest_reason
WHERE bin_level.device_id = excluded.device_id OR bin_level.reviewed_until < excluded.reviewed_until;

-- name: bin_levels
SELECT
    place_id, device_id, measured_at, fill_fraction, battery_percent, filtered_fraction, filtered_sd, reviewed_until,
    newest_quality, newest_reason
FROM bin_level
WHERE commune_insee = :commune_insee AND (:place_ids::text[] IS NULL OR place_id = ANY (:place_ids))
ORDER BY place_id;

-- name: trusted_places
-- The places that may have levels, numbered as `copy_trusted` does.
SELECT place_id FROM bin WHERE commune_insee = :commune_insee ORDER BY place_id;

-- name: copy_trusted#
-- A year of hourly levels is millions of rows: each comes as three numbers of a fixed width, its bin among them.
-- Without a review (no worker has run yet) intake's own judgement stands.
COPY (
    SELECT place.number, extract(epoch FROM reading.measured_at)::bigint, reading.fill_fraction
    FROM fill_reading AS reading
    JOIN (
        SELECT place_id, (row_number() OVER (ORDER BY place_id) - 1)::integer AS number
        FROM bin
        WHERE commune_insee = :commune_insee
    ) AS place ON place.place_id = reading.place_id
    LEFT JOIN reviewed_level AS reviewed
        ON reviewed.device_id = reading.device_id AND reviewed.measured_at = reading.measured_at
        AND reviewed.record_index = reading.record_index
        AND reviewed.measured_at >= :since AND reviewed.measured_at < :until
    WHERE reading.commune_insee = :commune_insee
        AND reading.fill_fraction IS NOT NULL
        AND reading.measured_at >= :since
        AND reading.measured_at < :until
        AND coalesce(reviewed.quality, 'ok') = 'ok'
    ORDER BY place.number, reading.measured_at, reading.record_index
) TO STDOUT (FORMAT binary);

-- name: of_bin
SELECT
    reading.measured_at,
    reading.fill_fraction,
    coalesce(reviewed.quality, reading.quality) AS quality,
    reviewed.reason,
    reviewed.filtered_fraction,
    reviewed.filtered_sd,
    reviewed.quality IS NOT NULL AS reviewed
FROM fill_reading AS reading
LEFT JOIN reviewed_level AS reviewed
    ON reviewed.device_id = reading.device_id AND reviewed.measured_at = reading.measured_at
    AND reviewed.record_index = reading.record_index
WHERE reading.commune_insee = :commune_insee
    AND reading.place_id = :place_id
    AND reading.measured_at >= :since
    AND reading.measured_at < :until
ORDER BY reading.measured_at, reading.record_index;

-- name: forget_emptyings!
DELETE FROM detected_emptying
USING unnest(:device_ids::bigint[], :place_ids::text[], :since::timestamptz[]) AS due (device_id, place_id, since)
WHERE detected_emptying.commune_insee = :commune_insee
    AND detected_emptying.device_id = due.device_id
    AND detected_emptying.place_id = due.place_id
    AND detected_emptying.emptied_before >= due.since;

-- name: save_emptying!
INSERT INTO detected_emptying (
    commune_insee, place_id, device_id, emptied_after, emptied_before, level_before, level_after, confidence, event_id,
    declared_after_s
)
VALUES (
    :commune_insee, :place_id, :device_id, :emptied_after, :emptied_before, :level_before, :level_after, :confidence,
    :event_id, :declared_after_s
)
ON CONFLICT (commune_insee, place_id, device_id, emptied_before) DO UPDATE
SET emptied_after = excluded.emptied_after,
    level_before = excluded.level_before,
    level_after = excluded.level_after,
    confidence = excluded.confidence,
    event_id = excluded.event_id,
    declared_after_s = excluded.declared_after_s;

-- name: save_check!
-- What one of two devices on the place saw, it saw.
INSERT INTO declared_check (
    commune_insee, event_id, place_id, device_id, happened_at, verdict, level_before, level_after
)
VALUES (
    :commune_insee, :event_id, :place_id, :device_id, :happened_at, :verdict, :level_before, :level_after
)
ON CONFLICT (commune_insee, event_id) DO UPDATE
SET device_id = excluded.device_id,
    verdict = excluded.verdict,
    level_before = excluded.level_before,
    level_after = excluded.level_after
WHERE declared_check.device_id = excluded.device_id OR declared_check.verdict = 'not_observable';

-- name: emptyings
SELECT
    place_id, device_id, emptied_after, emptied_before, level_before, level_after, confidence, event_id,
    declared_after_s
FROM detected_emptying
WHERE commune_insee = :commune_insee
    AND emptied_before >= :since
    AND emptied_before < :until
    AND (:place_id::text IS NULL OR place_id = :place_id)
ORDER BY place_id, emptied_before;

-- name: checks
SELECT event_id, place_id, device_id, happened_at, verdict, level_before, level_after
FROM declared_check
WHERE commune_insee = :commune_insee
    AND happened_at >= :since
    AND happened_at < :until
    AND (:place_id::text IS NULL OR place_id = :place_id)
    AND NOT EXISTS (
        SELECT FROM service_withdrawal AS taken
        WHERE taken.commune_insee = declared_check.commune_insee AND taken.event_id = declared_check.event_id
    )
ORDER BY place_id, happened_at;

-- name: leftovers
-- What the last emptyings before each span left, declared or surely seen: what a calibration is judged by.
SELECT (due.series - 1)::bigint AS series, extract(epoch FROM emptied_at)::float8 AS at_s, level_after::float8 AS level
FROM unnest(:device_ids::bigint[], :place_ids::text[], :since::timestamptz[]) WITH ORDINALITY
    AS due (device_id, place_id, since, series)
CROSS JOIN LATERAL (
    (
        SELECT happened_at AS emptied_at, level_after
        FROM declared_check
        WHERE commune_insee = :commune_insee
            AND declared_check.place_id = due.place_id
            AND declared_check.device_id = due.device_id
            AND happened_at < due.since
            AND level_after IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM service_withdrawal AS taken
                WHERE taken.commune_insee = declared_check.commune_insee AND taken.event_id = declared_check.event_id
            )
        ORDER BY happened_at DESC
        LIMIT 5
    )
    UNION ALL
    (
        SELECT emptied_before, level_after
        FROM detected_emptying
        WHERE commune_insee = :commune_insee
            AND detected_emptying.place_id = due.place_id
            AND detected_emptying.device_id = due.device_id
            AND emptied_before < due.since
            AND confidence >= 0.7
            AND event_id IS NULL
        ORDER BY emptied_before DESC
        LIMIT 5
    )
) AS last
ORDER BY series, at_s;
