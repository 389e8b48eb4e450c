-- name: save^
-- A day told again is corrected; nothing is returned when it says the same. A row's xmax is zero when it is new.
INSERT INTO day_weather (commune_insee, day, temperature_c, rain_mm)
VALUES (:commune_insee, :day, :temperature_c, :rain_mm)
ON CONFLICT (commune_insee, day) DO UPDATE
SET temperature_c = excluded.temperature_c, rain_mm = excluded.rain_mm, told_at = now()
WHERE (day_weather.temperature_c, day_weather.rain_mm) IS DISTINCT FROM (excluded.temperature_c, excluded.rain_mm)
RETURNING xmax = 0;

-- name: every
SELECT day, temperature_c, rain_mm
FROM day_weather
WHERE commune_insee = :commune_insee AND day >= :since
ORDER BY day;
