-- A delivery bay or parking space now, by event time. `occupied_since` is the first occupied reading after the last free
-- one; heartbeats and repeats in between do not move it. What nobody asked is not searched for: the past of a free place.
CREATE VIEW occupancy_state AS
SELECT
    place.commune_insee,
    place.place_id,
    place.kind,
    place.longitude_deg,
    place.latitude_deg,
    place.street,
    heard.measured_at AS heard_at,
    latest.occupied,
    CASE WHEN latest.occupied THEN since.measured_at END AS occupied_since
FROM place
LEFT JOIN LATERAL (
    SELECT measured_at
    FROM occupancy_reading
    WHERE occupancy_reading.commune_insee = place.commune_insee
        AND occupancy_reading.place_id = place.place_id
    ORDER BY measured_at DESC, record_index DESC
    LIMIT 1
) AS heard ON true
LEFT JOIN LATERAL (
    SELECT measured_at, occupied
    FROM occupancy_reading
    WHERE occupancy_reading.commune_insee = place.commune_insee
        AND occupancy_reading.place_id = place.place_id
        AND heard.measured_at IS NOT NULL
        AND occupied IS NOT NULL
    ORDER BY measured_at DESC, record_index DESC
    LIMIT 1
) AS latest ON true
LEFT JOIN LATERAL (
    SELECT measured_at
    FROM occupancy_reading
    WHERE occupancy_reading.commune_insee = place.commune_insee
        AND occupancy_reading.place_id = place.place_id
        AND latest.occupied
        AND NOT occupancy_reading.occupied
    ORDER BY measured_at DESC, record_index DESC
    LIMIT 1
) AS last_free ON true
LEFT JOIN LATERAL (
    SELECT measured_at
    FROM occupancy_reading
    WHERE occupancy_reading.commune_insee = place.commune_insee
        AND occupancy_reading.place_id = place.place_id
        AND latest.occupied
        AND occupancy_reading.occupied
        AND measured_at > coalesce(last_free.measured_at, '-infinity')
    ORDER BY measured_at, record_index
    LIMIT 1
) AS since ON true
WHERE place.kind IN ('delivery_bay', 'parking_space');
