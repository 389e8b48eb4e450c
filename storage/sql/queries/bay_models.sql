-- name: save!
INSERT INTO bay_model (
    commune_insee, model_id, method, libraries, seed, as_of, made_at, trained_from, trained_until, training_s, saw, scores,
    data_quality, compared, status, reason, status_since, fitted
)
VALUES (
    :commune_insee, :model_id, :method, :libraries, :seed, :as_of, :made_at, :trained_from, :trained_until, :training_s,
    :saw, :scores, :data_quality, :compared, :status, :reason, :status_since, :fitted
);

-- name: retire_serving!
UPDATE bay_model
SET status = 'retired', reason = :reason, status_since = :at, fitted = NULL
WHERE commune_insee = :commune_insee AND status = 'in_service';

-- name: serving^
SELECT commune_insee, model_id, method, libraries, seed, as_of, made_at, trained_from, trained_until, training_s, saw,
    scores, data_quality, compared, status, reason, status_since
FROM bay_model
WHERE commune_insee = :commune_insee AND status = 'in_service';

-- name: fitted^
SELECT fitted FROM bay_model WHERE commune_insee = :commune_insee AND model_id = :model_id;

-- name: latest_as_of^
SELECT max(as_of) FROM bay_model WHERE commune_insee = :commune_insee AND as_of <= :now;

-- name: every
SELECT commune_insee, model_id, method, libraries, seed, as_of, made_at, trained_from, trained_until, training_s, saw,
    scores, data_quality, compared, status, reason, status_since
FROM bay_model
WHERE commune_insee = :commune_insee
ORDER BY as_of DESC, made_at DESC
LIMIT :most;

-- name: one^
SELECT commune_insee, model_id, method, libraries, seed, as_of, made_at, trained_from, trained_until, training_s, saw,
    scores, data_quality, compared, status, reason, status_since
FROM bay_model
WHERE commune_insee = :commune_insee AND model_id = :model_id;
