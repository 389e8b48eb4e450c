-- name: tell
INSERT INTO broker_line (
    commune_insee, collector, broker, connected, subscribed, since, told_at, waiting, lag_s
)
SELECT
    commune_insee, :collector, :broker, :connected, :subscribed, now() - make_interval(secs => :held_s), now(), :waiting,
    :lag_s
FROM commune
WHERE commune_insee = ANY (:communes)
ON CONFLICT (commune_insee, collector) DO UPDATE SET
    broker = excluded.broker,
    connected = excluded.connected,
    subscribed = excluded.subscribed,
    since = excluded.since,
    told_at = excluded.told_at,
    waiting = excluded.waiting,
    lag_s = excluded.lag_s;

-- name: forget
-- A collector that has another name since, or is gone for good.
DELETE FROM broker_line WHERE commune_insee = ANY (:communes) AND told_at < now() - INTERVAL '3 days';

-- name: lines
SELECT
    collector, broker, connected, subscribed, since, told_at, waiting, lag_s,
    coalesce(
        (
            SELECT sum(messages) / 5.0
            FROM intake_batch AS batch
            WHERE batch.commune_insee = line.commune_insee
                AND batch.collector = line.collector
                AND batch.committed_at > now() - INTERVAL '5 minutes'
        ),
        0
    )::float8 AS messages_per_min
FROM broker_line AS line
WHERE commune_insee = :commune_insee
ORDER BY collector;
