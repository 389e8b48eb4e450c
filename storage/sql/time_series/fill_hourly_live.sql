SELECT
    commune_insee,
    place_id,
    {hour} AS hour,
    count(*) AS readings,
    count(fill_fraction) AS measured,
    avg(fill_fraction) AS mean_fraction,
    min(fill_fraction) AS min_fraction,
    max(fill_fraction) AS max_fraction,
    (array_agg(fill_fraction ORDER BY measured_at DESC, record_index DESC) FILTER (WHERE fill_fraction IS NOT NULL))[1]
        AS last_fraction
FROM fill_reading
GROUP BY commune_insee, place_id, {hour}
