-- name: is_sampled^
SELECT EXISTS (
    SELECT FROM bay_forecast_sample WHERE commune_insee = :commune_insee AND as_of >= :since AND as_of < :until
);

-- name: save_sample!
INSERT INTO bay_forecast_sample (
    commune_insee, as_of, place_ids, uses, evidence, occupied, chance_15_min, chance_30_min, chance_60_min
)
VALUES (
    :commune_insee, :as_of, :place_ids, :uses, :evidence, :occupied, :chance_15_min, :chance_30_min, :chance_60_min
)
ON CONFLICT (commune_insee, as_of) DO NOTHING;

-- name: samples
SELECT as_of, place_ids, uses, evidence, occupied, chance_15_min, chance_30_min, chance_60_min
FROM bay_forecast_sample
WHERE commune_insee = :commune_insee AND as_of >= :since AND as_of < :until
ORDER BY as_of;

-- name: forget_samples!
DELETE FROM bay_forecast_sample WHERE commune_insee = :commune_insee AND as_of < :before;

-- name: save!
INSERT INTO bay_forecast_score (
    commune_insee, day, ahead_min, bay_group, answers, bays, brier, brier_persistence, mean_chance, free_share,
    calibration_error, in_band
)
VALUES (
    :commune_insee, :day, :ahead_min, :bay_group, :answers, :bays, :brier, :brier_persistence, :mean_chance, :free_share,
    :calibration_error, :in_band
)
ON CONFLICT (commune_insee, day, ahead_min, bay_group) DO UPDATE
SET answers = excluded.answers, bays = excluded.bays, brier = excluded.brier,
    brier_persistence = excluded.brier_persistence, mean_chance = excluded.mean_chance, free_share = excluded.free_share,
    calibration_error = excluded.calibration_error, in_band = excluded.in_band;

-- name: latest_day^
SELECT max(day) FROM bay_forecast_score WHERE commune_insee = :commune_insee;

-- name: of_day
SELECT
    day, ahead_min, bay_group, answers, bays, brier, brier_persistence, mean_chance, free_share, calibration_error, in_band
FROM bay_forecast_score
WHERE commune_insee = :commune_insee AND day = :day
ORDER BY ahead_min, bay_group;
