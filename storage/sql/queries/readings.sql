-- name: stage_fill#
CREATE TEMPORARY TABLE IF NOT EXISTS staged_fill_reading (LIKE fill_reading, network text) ON COMMIT DELETE ROWS;

-- name: stage_occupancy#
CREATE TEMPORARY TABLE IF NOT EXISTS staged_occupancy_reading (LIKE occupancy_reading, network text) ON COMMIT DELETE ROWS;

-- name: copy_fill#
COPY staged_fill_reading (
    commune_insee, device_id, place_id, measured_at, record_index, received_at, quality, fill_fraction, distance_mm,
    temperature_c, battery_percent, tilted, frame_counter, payload, network_time, battery_v, fire, device_full,
    rssi_dbm, snr_db, network
) FROM STDIN (FORMAT binary);

-- name: copy_occupancy#
COPY staged_occupancy_reading (
    commune_insee, device_id, place_id, measured_at, record_index, received_at, quality, occupied, temperature_c,
    battery_percent, frame_counter, payload, network_time, battery_v, rssi_dbm, snr_db, network
) FROM STDIN (FORMAT binary);

-- name: take_fill!
INSERT INTO fill_reading (
    commune_insee, device_id, place_id, measured_at, record_index, received_at, quality, fill_fraction, distance_mm,
    temperature_c, battery_percent, tilted, frame_counter, payload, network_time, battery_v, fire, device_full,
    rssi_dbm, snr_db
)
SELECT
    commune_insee, device_id, place_id, measured_at, record_index, received_at, quality, fill_fraction, distance_mm,
    temperature_c, battery_percent, tilted, frame_counter, payload, network_time, battery_v, fire, device_full,
    rssi_dbm, snr_db
FROM staged_fill_reading
ON CONFLICT DO NOTHING;

-- name: take_occupancy!
INSERT INTO occupancy_reading (
    commune_insee, device_id, place_id, measured_at, record_index, received_at, quality, occupied, temperature_c,
    battery_percent, frame_counter, payload, network_time, battery_v, rssi_dbm, snr_db
)
SELECT
    commune_insee, device_id, place_id, measured_at, record_index, received_at, quality, occupied, temperature_c,
    battery_percent, frame_counter, payload, network_time, battery_v, rssi_dbm, snr_db
FROM staged_occupancy_reading
ON CONFLICT DO NOTHING;

-- Has what the batch changed reviewed, from each device's earliest reading on: one row, made where the readings are,
-- since arrays of hundreds of values took the collector as long as the readings themselves.
-- name: review_fill!
INSERT INTO review_due (commune_insee, kind, device_ids, place_ids, changed_since, networks)
SELECT :commune_insee, 'fill', array_agg(device_id), array_agg(place_id), array_agg(measured_at), array_agg(network)
FROM (
    SELECT DISTINCT ON (device_id, place_id) device_id, place_id, measured_at, network
    FROM staged_fill_reading
    WHERE commune_insee = :commune_insee
    ORDER BY device_id, place_id, measured_at
) AS earliest
HAVING count(*) > 0;

-- name: review_occupancy!
INSERT INTO review_due (commune_insee, kind, device_ids, place_ids, changed_since, networks)
SELECT :commune_insee, 'occupancy', array_agg(device_id), array_agg(place_id), array_agg(measured_at), array_agg(network)
FROM (
    SELECT DISTINCT ON (device_id, place_id) device_id, place_id, measured_at, network
    FROM staged_occupancy_reading
    WHERE commune_insee = :commune_insee
    ORDER BY device_id, place_id, measured_at
) AS earliest
HAVING count(*) > 0;

-- name: take_event!
INSERT INTO device_event (commune_insee, device_id, measured_at, received_at, kind, detail, payload)
VALUES (:commune_insee, :device_id, :measured_at, :received_at, :kind, :detail, :payload)
ON CONFLICT DO NOTHING;

-- name: tally_batch!
INSERT INTO intake_batch (commune_insee, collector, messages, stored, duplicates, refused)
VALUES (:commune_insee, :collector, :messages, :stored, :duplicates, :refused);

-- name: notify
SELECT pg_notify('voirie_live', :message);

-- name: tally^
SELECT
    coalesce(sum(messages), 0)::bigint AS messages,
    coalesce(sum(stored), 0)::bigint AS stored,
    coalesce(sum(duplicates), 0)::bigint AS duplicates,
    coalesce(sum(refused), 0)::bigint AS refused,
    max(committed_at) AS last_committed_at
FROM intake_batch
WHERE commune_insee = :commune_insee;

-- name: levels
SELECT place_id, extract(epoch FROM measured_at)::bigint, fill_fraction
FROM fill_reading
WHERE commune_insee = :commune_insee AND fill_fraction IS NOT NULL AND measured_at >= :since AND measured_at < :until
ORDER BY place_id, measured_at, record_index;

-- name: last_measured_at^
SELECT greatest(
    (SELECT max(measured_at) FROM fill_reading WHERE commune_insee = :commune_insee),
    (SELECT max(measured_at) FROM occupancy_reading WHERE commune_insee = :commune_insee)
);

-- name: history_of_bin
SELECT measured_at, fill_fraction, quality, distance_mm, temperature_c, battery_percent
FROM fill_reading
WHERE commune_insee = :commune_insee AND place_id = :place_id AND measured_at >= :since AND measured_at < :until
ORDER BY measured_at, record_index;

-- name: refusals_by_reason
SELECT reason, count(*) AS messages, max(last_received_at) AS last_received_at
FROM refused_message
WHERE commune_insee = :commune_insee AND resolved_at IS NULL
GROUP BY reason
ORDER BY messages DESC, reason;

-- name: reading_keys
SELECT eui, extract(epoch FROM measured_at)::float8 AS measured_at_s
FROM fill_reading JOIN device USING (device_id)
WHERE fill_reading.commune_insee = :commune_insee
UNION ALL
SELECT eui, extract(epoch FROM measured_at)::float8
FROM occupancy_reading JOIN device USING (device_id)
WHERE occupancy_reading.commune_insee = :commune_insee
UNION ALL
SELECT eui, extract(epoch FROM measured_at)::float8
FROM displaced_reading JOIN device USING (device_id)
WHERE displaced_reading.commune_insee = :commune_insee
UNION ALL
SELECT eui, extract(epoch FROM measured_at)::float8
FROM device_event JOIN device USING (device_id)
WHERE device_event.commune_insee = :commune_insee;

-- name: reading_records
SELECT eui, (extract(epoch FROM measured_at) * 1000000)::bigint, record_index
FROM fill_reading JOIN device USING (device_id)
WHERE fill_reading.commune_insee = :commune_insee
UNION ALL
SELECT eui, (extract(epoch FROM measured_at) * 1000000)::bigint, record_index
FROM occupancy_reading JOIN device USING (device_id)
WHERE occupancy_reading.commune_insee = :commune_insee;

-- name: refused_digests
SELECT encode(sha256(convert_to(topic, 'UTF8') || payload), 'hex') AS digest, max(deliveries)
FROM refused_message
WHERE commune_insee = :commune_insee
GROUP BY 1;
