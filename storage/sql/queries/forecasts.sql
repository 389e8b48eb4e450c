-- name: save_run!
INSERT INTO forecast_run (
    commune_insee, run_id, model_version, as_of, made_at, trained_from, trained_until, scores
)
VALUES (:commune_insee, :run_id, :model_version, :as_of, :made_at, :trained_from, :trained_until, :scores);

-- name: copy_forecasts#
COPY fill_forecast (
    commune_insee, run_id, place_id, valid_at, p05, p10, p50, p90, p95, probability_full
) FROM STDIN (FORMAT binary);

-- name: latest_run^
SELECT commune_insee, run_id, model_version, as_of, made_at, trained_from, trained_until, scores
FROM forecast_run
WHERE commune_insee = :commune_insee AND as_of <= :now
ORDER BY as_of DESC, made_at DESC
LIMIT 1;

-- name: of_run
SELECT place_id, valid_at, p05, p10, p50, p90, p95, probability_full
FROM fill_forecast
WHERE commune_insee = :commune_insee
    AND run_id = :run_id
    AND valid_at >= :since
    AND valid_at < :until
    AND (:place_id::text IS NULL OR place_id = :place_id)
ORDER BY place_id, valid_at;
