-- A bin's measured levels by UTC hour: from the tables of kept figures where readings are (almost) forgotten, else from the
-- readings themselves (`fill_hourly_live`: a continuous aggregate where the edition has them, a plain view elsewhere).
CREATE VIEW fill_hourly AS
SELECT commune_insee, place_id, hour, readings, measured, mean_fraction, min_fraction, max_fraction, last_fraction
FROM fill_hourly_kept
UNION ALL
SELECT commune_insee, place_id, hour, readings, measured, mean_fraction, min_fraction, max_fraction, last_fraction
FROM fill_hourly_live AS live
WHERE NOT EXISTS (
    SELECT FROM forgotten
    WHERE forgotten.commune_insee = live.commune_insee
        AND forgotten.kind = 'fill_reading'
        AND forgotten.kept_before > live.hour
);
