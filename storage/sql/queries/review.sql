-- name: lock^
-- One review of a commune at a time, wherever its worker runs; who comes second has nothing to do.
SELECT pg_try_advisory_xact_lock(7237124, hashtext(:commune_insee));

-- name: wait_for_lock
SELECT pg_advisory_xact_lock(7237124, hashtext(:commune_insee));

-- name: ask!
INSERT INTO review_due (commune_insee, kind, device_ids, place_ids, changed_since, networks)
VALUES (:commune_insee, :kind, :device_ids, :place_ids, :changed_since, :networks);

-- name: is_due^
SELECT EXISTS (SELECT FROM review_due WHERE commune_insee = :commune_insee);

-- name: take_due
WITH taken AS (
    DELETE FROM review_due WHERE commune_insee = :commune_insee RETURNING kind, device_ids, place_ids, changed_since, networks
),
single AS (
    SELECT kind, device_id, place_id, since, network
    FROM taken
    CROSS JOIN LATERAL unnest(device_ids, place_ids, changed_since, networks)
        AS one (device_id, place_id, since, network)
    WHERE kind <> 'declared'
    UNION ALL
    -- A declaration is the business of every device that was on the place then, or since.
    SELECT 'fill', mounting.device_id, mounting.place_id, one.since, NULL
    FROM taken
    CROSS JOIN LATERAL unnest(place_ids, changed_since) AS one (place_id, since)
    JOIN mounting ON mounting.commune_insee = :commune_insee AND mounting.place_id = one.place_id
        AND (mounting.unmounted_at IS NULL OR mounting.unmounted_at > one.since)
    WHERE kind = 'declared'
)
SELECT
    kind,
    device_id,
    place_id,
    min(since) AS changed_since,
    (array_agg(network) FILTER (WHERE network IS NOT NULL))[1] AS network
FROM single
GROUP BY kind, device_id, place_id
ORDER BY kind, device_id, place_id;

-- name: fill_signals
-- Every column has a fixed width and is never null, so that the rows are read as one block of memory.
COPY (
    SELECT
        (due.series - 1)::bigint,
        reading.measured_at,
        reading.record_index::bigint,
        coalesce(reading.network_time, reading.measured_at),
        coalesce(array_position(:qualities::text[], reading.quality), 1)::bigint - 1,
        coalesce(reading.fill_fraction::float8, 'NaN'),
        coalesce(reading.distance_mm::float8, 'NaN'),
        coalesce(mounting.empty_distance_mm::float8, 'NaN'),
        coalesce(reading.temperature_c::float8, 'NaN'),
        coalesce(reading.battery_percent::float8, 'NaN'),
        coalesce(reading.battery_v::float8, 'NaN'),
        coalesce(reading.rssi_dbm::float8, 'NaN'),
        coalesce(reading.snr_db::float8, 'NaN'),
        coalesce(reading.frame_counter, -1)::bigint,
        coalesce(reading.tilted, false)::int::bigint,
        coalesce(reading.fire, false)::int::bigint,
        coalesce(reading.device_full, false)::int::bigint,
        coalesce(array_position(:qualities::text[], reviewed.quality), 0)::bigint - 1,
        coalesce(reviewed.filtered_fraction::float8, 'NaN')
    FROM unnest(:device_ids::bigint[], :place_ids::text[], :since::timestamptz[]) WITH ORDINALITY
        AS due (device_id, place_id, since, series)
    JOIN fill_reading AS reading
        ON reading.device_id = due.device_id AND reading.place_id = due.place_id AND reading.measured_at >= due.since
    LEFT JOIN mounting
        ON mounting.device_id = reading.device_id AND mounting.place_id = reading.place_id
        AND reading.measured_at >= mounting.mounted_at
        AND (mounting.unmounted_at IS NULL OR reading.measured_at < mounting.unmounted_at)
    LEFT JOIN reviewed_level AS reviewed
        ON reviewed.device_id = reading.device_id AND reviewed.measured_at = reading.measured_at
        AND reviewed.record_index = reading.record_index AND reviewed.place_id = reading.place_id
        AND reviewed.measured_at >= :earliest
    WHERE reading.commune_insee = :commune_insee AND reading.measured_at >= :earliest
    ORDER BY due.series, reading.measured_at, reading.record_index
) TO STDOUT (FORMAT binary);

-- name: occupancy_signals
COPY (
    SELECT
        (due.series - 1)::bigint,
        reading.measured_at,
        reading.record_index::bigint,
        coalesce(reading.network_time, reading.measured_at),
        coalesce(array_position(:qualities::text[], reading.quality), 1)::bigint - 1,
        'NaN'::float8,
        'NaN'::float8,
        'NaN'::float8,
        coalesce(reading.temperature_c::float8, 'NaN'),
        coalesce(reading.battery_percent::float8, 'NaN'),
        coalesce(reading.battery_v::float8, 'NaN'),
        coalesce(reading.rssi_dbm::float8, 'NaN'),
        coalesce(reading.snr_db::float8, 'NaN'),
        coalesce(reading.frame_counter, -1)::bigint,
        0::bigint,
        0::bigint,
        0::bigint,
        -1::bigint,
        'NaN'::float8
    FROM unnest(:device_ids::bigint[], :place_ids::text[], :since::timestamptz[]) WITH ORDINALITY
        AS due (device_id, place_id, since, series)
    JOIN occupancy_reading AS reading
        ON reading.device_id = due.device_id AND reading.place_id = due.place_id AND reading.measured_at >= due.since
    WHERE reading.commune_insee = :commune_insee AND reading.measured_at >= :earliest
    ORDER BY due.series, reading.measured_at, reading.record_index
) TO STDOUT (FORMAT binary);

-- name: declared
SELECT event_id, place_id, happened_at, found_fraction
FROM service_event
WHERE commune_insee = :commune_insee
    AND kind = 'emptied'
    AND place_id = ANY (:place_ids)
    AND happened_at >= :earliest
    AND NOT EXISTS (
        SELECT FROM service_withdrawal AS taken
        WHERE taken.commune_insee = service_event.commune_insee AND taken.event_id = service_event.event_id
    )
ORDER BY place_id, happened_at, event_id;
