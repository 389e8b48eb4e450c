-- name: upsert_bin!
INSERT INTO bin (commune_insee, place_id, bin_kind, volume_l, service_s, sector, surroundings)
VALUES (:commune_insee, :place_id, :bin_kind, :volume_l, :service_s, :sector, :surroundings)
ON CONFLICT (commune_insee, place_id) DO UPDATE
SET bin_kind = excluded.bin_kind,
    volume_l = excluded.volume_l,
    service_s = excluded.service_s,
    sector = excluded.sector,
    surroundings = excluded.surroundings;

-- name: every
SELECT
    place.commune_insee, place.place_id, longitude_deg, latitude_deg, street, bin_kind, volume_l, service_s, sector,
    surroundings
FROM place JOIN bin USING (commune_insee, place_id)
WHERE commune_insee = :commune_insee
ORDER BY place_id;

-- name: now
-- The forecast is the latest run's, for the first hour that is not past; after its horizon there is none.
WITH latest_run AS (
    SELECT run_id
    FROM forecast_run
    WHERE commune_insee = :commune_insee AND as_of <= :now
    ORDER BY as_of DESC, made_at DESC
    LIMIT 1
)
SELECT
    bin_state.place_id, longitude_deg, latitude_deg, street, bin_kind, volume_l, sector, has_sensor, measured_at,
    measured_fill_fraction, quality, battery_percent, last_emptied_at, filtered_at, filtered_fraction, filtered_sd,
    newest_at, newest_quality, newest_reason,
    forecast.valid_at AS forecast_valid_at,
    forecast.p10 AS forecast_p10,
    forecast.p50 AS forecast_p50,
    forecast.p90 AS forecast_p90,
    forecast.probability_full
FROM bin_state
-- One step into the primary key for each bin, where sorting the whole horizon took most of the time.
LEFT JOIN LATERAL (
    SELECT valid_at, p10, p50, p90, probability_full
    FROM fill_forecast
    WHERE fill_forecast.commune_insee = bin_state.commune_insee
        AND fill_forecast.run_id = (SELECT run_id FROM latest_run)
        AND fill_forecast.place_id = bin_state.place_id
        AND valid_at >= :now
    ORDER BY valid_at
    LIMIT 1
) AS forecast ON true
WHERE commune_insee = :commune_insee AND (:place_id::text IS NULL OR bin_state.place_id = :place_id)
ORDER BY bin_state.place_id;

-- name: declare!
INSERT INTO service_event (
    commune_insee, event_id, place_id, kind, happened_at, found_fraction, plan_id, comment
)
VALUES (:commune_insee, :event_id, :place_id, :kind, :happened_at, :found_fraction, :plan_id, :comment)
ON CONFLICT (commune_insee, event_id) DO NOTHING;

-- name: withdraw!
INSERT INTO service_withdrawal (commune_insee, event_id, withdrawn_at)
VALUES (:commune_insee, :event_id, :withdrawn_at)
ON CONFLICT (commune_insee, event_id) DO NOTHING;

-- name: events
-- What was declared, also what was taken back.
SELECT commune_insee, event_id, place_id, kind, happened_at, found_fraction, plan_id, comment
FROM service_event
WHERE commune_insee = :commune_insee AND event_id = ANY (:event_ids)
ORDER BY happened_at, event_id;

-- name: emptyings
SELECT place_id, happened_at AS emptied_at, found_fraction
FROM service_event
WHERE commune_insee = :commune_insee
    AND kind = 'emptied'
    AND happened_at >= :since
    AND happened_at < :until
    AND (:place_id::text IS NULL OR place_id = :place_id)
    AND NOT EXISTS (
        SELECT FROM service_withdrawal AS taken
        WHERE taken.commune_insee = service_event.commune_insee AND taken.event_id = service_event.event_id
    )
ORDER BY place_id, happened_at;

-- name: events_of_plan
SELECT commune_insee, event_id, place_id, kind, happened_at, found_fraction, plan_id, comment
FROM service_event
WHERE commune_insee = :commune_insee
    AND plan_id = :plan_id
    AND NOT EXISTS (
        SELECT FROM service_withdrawal AS taken
        WHERE taken.commune_insee = service_event.commune_insee AND taken.event_id = service_event.event_id
    )
ORDER BY happened_at, event_id;

-- name: known_ids
SELECT place_id FROM bin WHERE commune_insee = :commune_insee AND place_id = ANY(:place_ids);
