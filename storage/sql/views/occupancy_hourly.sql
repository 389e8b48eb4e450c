-- A bay's or space's occupancy by UTC hour, weighted by time. Figures of forgotten readings come from the kept table.
CREATE VIEW occupancy_hourly AS
SELECT commune_insee, place_id, hour, readings, measured, known_s, occupied_s, arrivals
FROM occupancy_hourly_kept
UNION ALL
SELECT live.commune_insee, live.place_id, live.hour, live.readings, live.measured, live.known_s, live.occupied_s, live.arrivals
FROM commune
LEFT JOIN forgotten ON forgotten.commune_insee = commune.commune_insee AND forgotten.kind = 'occupancy_reading'
CROSS JOIN LATERAL
    occupancy_hours(commune.commune_insee, coalesce(forgotten.kept_before, '-infinity'), 'infinity') AS live;
