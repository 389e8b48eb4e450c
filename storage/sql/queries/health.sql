-- name: stage_days#
CREATE TEMPORARY TABLE IF NOT EXISTS staged_device_day (LIKE device_day) ON COMMIT DELETE ROWS;

-- name: copy_days#
COPY staged_device_day (
    commune_insee, device_id, day, readings, frames, lost, median_gap_s, longest_gap_s, repeats, changes, noise_fraction,
    step_fraction, battery_percent, battery_v, rssi_dbm, snr_db
) FROM STDIN (FORMAT binary);

-- name: take_days!
INSERT INTO device_day SELECT * FROM staged_device_day
ON CONFLICT (device_id, day) DO UPDATE
SET readings = excluded.readings,
    frames = excluded.frames,
    lost = excluded.lost,
    median_gap_s = excluded.median_gap_s,
    longest_gap_s = excluded.longest_gap_s,
    repeats = excluded.repeats,
    changes = excluded.changes,
    noise_fraction = excluded.noise_fraction,
    step_fraction = excluded.step_fraction,
    battery_percent = excluded.battery_percent,
    battery_v = excluded.battery_v,
    rssi_dbm = excluded.rssi_dbm,
    snr_db = excluded.snr_db;

-- name: unstage_days#
TRUNCATE staged_device_day;

-- name: days
-- The last `most` days on which each device was heard.
SELECT
    device_id, (day - DATE '1970-01-01')::bigint, readings, frames, lost, repeats, changes, median_gap_s, longest_gap_s,
    noise_fraction, step_fraction, battery_percent, battery_v, rssi_dbm, snr_db
FROM unnest(:device_ids::bigint[]) AS wanted (wanted_id)
CROSS JOIN LATERAL (
    SELECT * FROM device_day WHERE device_day.device_id = wanted.wanted_id ORDER BY day DESC LIMIT :most
) AS last
ORDER BY device_id, day;

-- name: save!
INSERT INTO device_health (
    commune_insee, device_id, place_id, network, heard_at, heard_before_at, period_s, silent_after_s, excused_until,
    noise_fraction, step_fraction, repeat_share, battery_percent, battery_v, battery_empty_at, rssi_dbm, snr_db,
    loss_fraction
)
VALUES (
    :commune_insee, :device_id, :place_id, :network, :heard_at, :heard_before_at, :period_s, :silent_after_s,
    :excused_until, :noise_fraction, :step_fraction, :repeat_share, :battery_percent, :battery_v, :battery_empty_at,
    :rssi_dbm, :snr_db, :loss_fraction
)
ON CONFLICT (device_id) DO UPDATE
SET place_id = excluded.place_id,
    network = coalesce(excluded.network, device_health.network),
    heard_at = excluded.heard_at,
    heard_before_at = excluded.heard_before_at,
    period_s = excluded.period_s,
    silent_after_s = excluded.silent_after_s,
    noise_fraction = excluded.noise_fraction,
    step_fraction = excluded.step_fraction,
    repeat_share = excluded.repeat_share,
    battery_percent = excluded.battery_percent,
    battery_v = excluded.battery_v,
    battery_empty_at = excluded.battery_empty_at,
    rssi_dbm = excluded.rssi_dbm,
    snr_db = excluded.snr_db,
    loss_fraction = excluded.loss_fraction;

-- name: excuse!
UPDATE device_health SET excused_until = :excused_until
WHERE commune_insee = :commune_insee AND coalesce(network, '') = ANY (:networks);

-- name: of_commune
SELECT
    device_id, place_id, network, heard_at, heard_before_at, period_s, silent_after_s, excused_until, noise_fraction,
    step_fraction, repeat_share, battery_percent, battery_v, battery_empty_at, rssi_dbm, snr_db, loss_fraction
FROM device_health
WHERE commune_insee = :commune_insee
ORDER BY device_id;

-- name: watched
-- Every device that is on a place now and so should speak; one that never did is silent since it was mounted.
SELECT
    device.device_id, device.eui, device.model, mounting.place_id, place.kind AS place_kind, mounting.mounted_at,
    health.heard_at, health.heard_before_at, health.silent_after_s, health.excused_until, health.network,
    health.period_s, health.battery_percent, health.battery_v, health.battery_empty_at, health.rssi_dbm, health.snr_db,
    health.loss_fraction, coalesce(looked.checks_right, 0) AS checks_right, coalesce(looked.checks_wrong, 0) AS checks_wrong
FROM device
JOIN mounting ON mounting.device_id = device.device_id AND mounting.unmounted_at IS NULL
JOIN place ON place.commune_insee = mounting.commune_insee AND place.place_id = mounting.place_id
LEFT JOIN device_health AS health ON health.device_id = device.device_id
LEFT JOIN (
    SELECT
        device_id,
        count(*) FILTER (WHERE cause IN ('tolerated', 'booked', 'authorised')) AS checks_right,
        count(*) FILTER (WHERE cause = 'sensor_wrong') AS checks_wrong
    FROM kerb_check_event
    WHERE commune_insee = :commune_insee
        AND act = 'closed'
        AND device_id IS NOT NULL
        AND happened_at BETWEEN :now::timestamptz - INTERVAL '90 days' AND :now
    GROUP BY device_id
) AS looked ON looked.device_id = device.device_id
WHERE device.commune_insee = :commune_insee AND device.status <> 'retired' AND mounting.mounted_at <= :now
ORDER BY device.device_id;

-- name: models
SELECT device_id, model FROM device WHERE commune_insee = :commune_insee;
