-- A bin now: what was last measured and is trusted (by event time, so a late message never overwrites a newer one), when it
-- was last declared emptied, and whether a sensor is mounted on it. A reading that the review has not seen yet counts
-- unless it rises by more than a quarter over the trusted level: a wild echo must not show a bin as full.
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
    CASE WHEN shown.trusted THEN trusted.measured_at ELSE latest.measured_at END AS measured_at,
    CASE WHEN shown.trusted THEN trusted.fill_fraction WHEN shown.latest THEN latest.fill_fraction END
        AS measured_fill_fraction,
    CASE WHEN shown.trusted THEN 'ok' WHEN shown.latest THEN latest.quality ELSE trusted.newest_quality END AS quality,
    CASE WHEN shown.trusted THEN coalesce(trusted.battery_percent, latest.battery_percent) ELSE latest.battery_percent END
        AS battery_percent,
    emptied.happened_at AS last_emptied_at,
    trusted.measured_at AS filtered_at,
    trusted.filtered_fraction,
    trusted.filtered_sd,
    latest.measured_at AS newest_at,
    CASE
        WHEN latest.measured_at > coalesce(trusted.reviewed_until, '-infinity') THEN latest.quality
        ELSE trusted.newest_quality
    END AS newest_quality,
    CASE WHEN latest.measured_at <= trusted.reviewed_until THEN trusted.newest_reason END AS newest_reason
FROM place
JOIN bin USING (commune_insee, place_id)
LEFT JOIN LATERAL (
    SELECT measured_at, fill_fraction, quality, battery_percent
    FROM fill_reading
    WHERE fill_reading.commune_insee = place.commune_insee
        AND fill_reading.place_id = place.place_id
        -- A bin that never had a sensor has no reading: years of chunks need not be searched for one.
        AND EXISTS (
            SELECT FROM mounting
            WHERE mounting.commune_insee = place.commune_insee AND mounting.place_id = place.place_id
        )
    ORDER BY measured_at DESC, record_index DESC
    LIMIT 1
) AS latest ON true
LEFT JOIN bin_level AS trusted USING (commune_insee, place_id)
CROSS JOIN LATERAL (
    SELECT
        trusted.place_id IS NULL
            OR (
                latest.measured_at > trusted.reviewed_until
                AND latest.fill_fraction IS NOT NULL
                AND latest.fill_fraction - coalesce(trusted.fill_fraction, latest.fill_fraction) <= 0.25
            ) AS latest
) AS fresh
CROSS JOIN LATERAL (
    SELECT fresh.latest, NOT fresh.latest AND trusted.measured_at IS NOT NULL AS trusted
) AS shown
LEFT JOIN LATERAL (
    SELECT happened_at
    FROM service_event
    WHERE service_event.commune_insee = place.commune_insee
        AND service_event.place_id = place.place_id
        AND service_event.kind = 'emptied'
        AND NOT EXISTS (
            SELECT FROM service_withdrawal AS taken
            WHERE taken.commune_insee = service_event.commune_insee AND taken.event_id = service_event.event_id
        )
    ORDER BY happened_at DESC
    LIMIT 1
) AS emptied ON true;
