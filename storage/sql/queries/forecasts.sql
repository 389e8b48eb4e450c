-- name: save_run!
INSERT INTO forecast_run (
    commune_insee, run_id, model_id, model_version, as_of, made_at, trained_from, trained_until, scores
)
VALUES (
    :commune_insee, :run_id, :model_id, :model_version, :as_of, :made_at, :trained_from, :trained_until, :scores
);

-- name: copy_forecasts#
COPY fill_forecast (
    commune_insee, run_id, place_id, valid_at, p05, p10, p50, p90, p95, probability_full
) FROM STDIN (FORMAT binary);

-- name: copy_by_rounds#
COPY fill_by_rounds (
    commune_insee, run_id, place_id, service_date, rounds_at, p10, p50, p90, probability_full, probability_overflow
) FROM STDIN (FORMAT binary);

-- name: copy_full_dates#
COPY fill_full_date (
    commune_insee, run_id, place_id, evidence, full_early_at, full_at, full_late_at, reaches_until
) FROM STDIN (FORMAT binary);

-- name: replaced_runs
-- Runs that keep all their hours although this many newer ones are there.
SELECT run_id
FROM (
    SELECT run_id, thinned, row_number() OVER (ORDER BY as_of DESC, made_at DESC) AS age
    FROM forecast_run
    WHERE commune_insee = :commune_insee
) AS run
WHERE age > :whole_runs AND NOT thinned;

-- name: thin_hours!
DELETE FROM fill_forecast
USING forecast_run
WHERE forecast_run.commune_insee = :commune_insee
    AND forecast_run.run_id = ANY(:run_ids)
    AND fill_forecast.commune_insee = forecast_run.commune_insee
    AND fill_forecast.run_id = forecast_run.run_id
    AND NOT ceil(extract(EPOCH FROM fill_forecast.valid_at - forecast_run.as_of) / 3600)::integer = ANY(:ahead_h);

-- name: mark_thinned!
UPDATE forecast_run SET thinned = true WHERE commune_insee = :commune_insee AND run_id = ANY(:run_ids);

-- name: latest_run^
SELECT commune_insee, run_id, model_id, model_version, as_of, made_at, trained_from, trained_until, scores
FROM forecast_run
WHERE commune_insee = :commune_insee AND as_of <= :now
ORDER BY as_of DESC, made_at DESC
LIMIT 1;

-- name: run^
SELECT commune_insee, run_id, model_id, model_version, as_of, made_at, trained_from, trained_until, scores
FROM forecast_run
WHERE commune_insee = :commune_insee AND run_id = :run_id;

-- name: of_run
SELECT place_id, valid_at, p05, p10, p50, p90, p95, probability_full
FROM fill_forecast
WHERE commune_insee = :commune_insee
    AND run_id = :run_id
    AND valid_at >= :since
    AND valid_at < :until
    AND (:place_id::text IS NULL OR place_id = :place_id)
    AND (:after::text IS NULL OR place_id > :after)
ORDER BY place_id, valid_at
LIMIT :most::bigint;

-- name: by_rounds
SELECT place_id, service_date, rounds_at, p10, p50, p90, probability_full, probability_overflow
FROM fill_by_rounds
WHERE commune_insee = :commune_insee
    AND run_id = :run_id
    AND (:place_ids::text[] IS NULL OR place_id = ANY(:place_ids))
ORDER BY place_id, service_date;

-- name: full_dates
SELECT place_id, evidence, full_early_at, full_at, full_late_at, reaches_until
FROM fill_full_date
WHERE commune_insee = :commune_insee
    AND run_id = :run_id
    AND (:place_id::text IS NULL OR place_id = :place_id)
    AND (:after::text IS NULL OR place_id > :after)
ORDER BY place_id
LIMIT :most::bigint;

-- name: told_of
-- What runs made before said of hours in a span, so many hours ahead; `evidence` is null for runs of earlier versions.
SELECT
    fill_forecast.place_id,
    extract(EPOCH FROM valid_at)::bigint,
    extract(EPOCH FROM as_of)::bigint,
    p05, p10, p50, p90, p95,
    coalesce(evidence, 'nothing')
FROM forecast_run
JOIN fill_forecast USING (commune_insee, run_id)
LEFT JOIN fill_full_date USING (commune_insee, run_id, place_id)
WHERE commune_insee = :commune_insee
    AND as_of >= :since::timestamptz - make_interval(hours => :ahead_h::integer)
    AND as_of < :until
    AND valid_at >= :since
    AND valid_at < :until
    AND ceil(extract(EPOCH FROM valid_at - as_of) / 3600)::integer = :ahead_h
ORDER BY fill_forecast.place_id, valid_at, as_of;

-- name: latest_scored_day^
SELECT max(day) FROM forecast_score WHERE commune_insee = :commune_insee;

-- name: save_score!
INSERT INTO forecast_score (
    commune_insee, day, ahead_h, bin_group, levels, bins, mae_points, bias_points, coverage_80, coverage_90,
    width_80_points, in_band
)
VALUES (
    :commune_insee, :day, :ahead_h, :bin_group, :levels, :bins, :mae_points, :bias_points, :coverage_80, :coverage_90,
    :width_80_points, :in_band
)
ON CONFLICT (commune_insee, day, ahead_h, bin_group) DO UPDATE
SET levels = excluded.levels, bins = excluded.bins, mae_points = excluded.mae_points,
    bias_points = excluded.bias_points, coverage_80 = excluded.coverage_80, coverage_90 = excluded.coverage_90,
    width_80_points = excluded.width_80_points, in_band = excluded.in_band;

-- name: scores
SELECT day, ahead_h, bin_group, levels, bins, mae_points, bias_points, coverage_80, coverage_90, width_80_points, in_band
FROM forecast_score
WHERE commune_insee = :commune_insee AND day >= :since
ORDER BY day DESC, ahead_h, bin_group;
