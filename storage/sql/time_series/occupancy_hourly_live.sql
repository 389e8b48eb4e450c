SELECT
    commune_insee,
    place_id,
    {hour} AS hour,
    count(*) AS readings,
    count(occupied) AS measured,
    min(measured_at) FILTER (WHERE occupied IS NOT NULL) AS first_at,
    (array_agg(occupied ORDER BY measured_at, record_index) FILTER (WHERE occupied IS NOT NULL))[1] AS first_occupied,
    max(measured_at) FILTER (WHERE occupied IS NOT NULL) AS last_at,
    (array_agg(occupied ORDER BY measured_at DESC, record_index DESC) FILTER (WHERE occupied IS NOT NULL))[1]
        AS last_occupied,
    seconds_occupied(measured_at, occupied ORDER BY measured_at, record_index) AS inner_occupied_s,
    count_arrivals(measured_at, occupied ORDER BY measured_at, record_index) AS inner_arrivals
FROM occupancy_reading
GROUP BY commune_insee, place_id, {hour}
