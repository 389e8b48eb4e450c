-- name: jobs
SELECT * FROM voirie_jobs();

-- name: processes
SELECT * FROM voirie_processes();

-- name: disk
SELECT * FROM voirie_disk();

-- name: collectors
-- Who committed in the last days, by the server's clock.
SELECT
    collector,
    max(committed_at) AS last_committed_at,
    coalesce(sum(messages) FILTER (WHERE committed_at > now() - INTERVAL '1 hour'), 0)::bigint AS messages_last_hour
FROM intake_batch
WHERE commune_insee = :commune_insee AND committed_at > now() - INTERVAL '3 days'
GROUP BY collector
ORDER BY last_committed_at DESC, collector;

-- name: hours
-- The last day, an hour a row; hours without a commit are zero.
SELECT
    hour,
    coalesce(sum(stored), 0)::bigint AS stored,
    coalesce(sum(duplicates), 0)::bigint AS duplicates,
    coalesce(sum(refused), 0)::bigint AS refused
FROM generate_series(date_trunc('hour', now()) - INTERVAL '23 hours', date_trunc('hour', now()), INTERVAL '1 hour') AS hour
LEFT JOIN intake_batch
    ON commune_insee = :commune_insee AND committed_at >= hour AND committed_at < hour + INTERVAL '1 hour'
GROUP BY hour
ORDER BY hour;

-- name: networks
SELECT
    health.network,
    count(*) AS devices,
    max(health.heard_at) AS heard_at,
    count(*) FILTER (WHERE health.heard_at > :now::timestamptz - INTERVAL '1 day') AS heard_in_a_day,
    EXISTS (
        SELECT FROM alert
        WHERE alert.commune_insee = :commune_insee
            AND alert.kind = 'network_silent'
            AND alert.network IS NOT DISTINCT FROM health.network
            AND alert.closed_at IS NULL
    ) AS silent
FROM device_health AS health
WHERE health.commune_insee = :commune_insee
GROUP BY health.network
ORDER BY health.network NULLS LAST;

-- name: devices
-- Every device, with its open alarms; what each is told of is judged in storage/operation.py.
SELECT
    device.eui, device.model, device.status, mounting.place_id, health.network, health.heard_at,
    coalesce(:now::timestamptz - health.heard_at > make_interval(secs => health.silent_after_s), false) AS overdue,
    health.battery_percent, health.battery_v, health.rssi_dbm, health.loss_fraction, alarm.kinds AS alarms
FROM device
LEFT JOIN mounting ON mounting.device_id = device.device_id AND mounting.unmounted_at IS NULL
LEFT JOIN device_health AS health ON health.device_id = device.device_id
LEFT JOIN (
    SELECT device_id, array_agg(DISTINCT kind ORDER BY kind) AS kinds
    FROM alert
    WHERE commune_insee = :commune_insee AND closed_at IS NULL AND device_id IS NOT NULL
    GROUP BY device_id
) AS alarm ON alarm.device_id = device.device_id
WHERE device.commune_insee = :commune_insee
ORDER BY device.eui;

-- name: last_plan^
SELECT plan.plan_id, plan.service_date, plan.made_at, plan.engine, plan.solve_s, plan.travel_source, plan.distance_m,
    version.status, version.origin,
    (SELECT count(*) FROM planned_route AS route WHERE route.commune_insee = plan.commune_insee AND route.plan_id = plan.plan_id)
        AS routes
FROM plan
JOIN plan_version AS version USING (commune_insee, plan_id)
WHERE plan.commune_insee = :commune_insee
ORDER BY plan.made_at DESC, plan.plan_id
LIMIT 1;

-- name: forgotten
SELECT kind, nullif(forgotten_before, '-infinity') AS forgotten_before
FROM forgotten
WHERE commune_insee = :commune_insee;

-- name: versions^
SELECT
    (SELECT version_num FROM voirie_schema_version) AS schema_version,
    current_setting('server_version') AS postgresql,
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb,
    current_setting('timescaledb.license', true) AS timescaledb_license;

-- name: replays
-- Who asked for refused messages to be judged again, and what came of it.
SELECT
    asked.subject AS request_id, asked.actor AS asked_by, asked.recorded_at AS asked_at, asked.details AS selection,
    done.recorded_at AS done_at, done.details AS result
FROM audit_note AS asked
LEFT JOIN audit_note AS done
    ON done.commune_insee = asked.commune_insee AND done.act = 'intake.replayed' AND done.subject = asked.subject
WHERE asked.commune_insee = :commune_insee AND asked.act = 'intake.replay_asked'
    AND (:request_id::text IS NULL OR asked.subject = :request_id::text)
ORDER BY asked.recorded_at DESC
LIMIT :most;

-- name: asked^
-- What a replay that is not done yet was asked for.
SELECT asked.details
FROM audit_note AS asked
WHERE asked.commune_insee = :commune_insee AND asked.act = 'intake.replay_asked' AND asked.subject = :request_id
    AND NOT EXISTS (
        SELECT FROM audit_note AS done
        WHERE done.commune_insee = asked.commune_insee AND done.act = 'intake.replayed' AND done.subject = asked.subject
    );
