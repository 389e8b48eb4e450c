-- A bin now: what was last measured (by event time, so a late message never overwrites a newer one), when it was last
-- declared emptied, and whether a sensor is mounted on it.
CREATE VIEW bin_state AS
SELECT
    place.commune_insee,
    place.place_id,
    place.longitude_deg,
    place.latitude_deg,
    place.street,
    bin.bin_kind,
    bin.volume_l,
    bin.service_s,
    bin.sector,
    EXISTS (
        SELECT FROM mounting
        WHERE mounting.commune_insee = place.commune_insee
            AND mounting.place_id = place.place_id
            AND mounting.unmounted_at IS NULL
    ) AS has_sensor,
    latest.measured_at,
    latest.fill_fraction AS measured_fill_fraction,
    latest.quality,
    latest.battery_percent,
    emptied.happened_at AS last_emptied_at
FROM place
JOIN bin USING (commune_insee, place_id)
LEFT JOIN LATERAL (
    SELECT measured_at, fill_fraction, quality, battery_percent
    FROM fill_reading
    WHERE fill_reading.commune_insee = place.commune_insee AND fill_reading.place_id = place.place_id
    ORDER BY measured_at DESC, record_index DESC
    LIMIT 1
) AS latest ON true
LEFT JOIN LATERAL (
    SELECT happened_at
    FROM service_event
    WHERE service_event.commune_insee = place.commune_insee
        AND service_event.place_id = place.place_id
        AND service_event.kind = 'emptied'
    ORDER BY happened_at DESC
    LIMIT 1
) AS emptied ON true;
