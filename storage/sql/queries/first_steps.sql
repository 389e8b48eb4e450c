-- name: of_commune^
-- What of a commune's beginning is there; each is one look at an index.
SELECT
    EXISTS (SELECT FROM bin WHERE commune_insee = :commune_insee) AS bins,
    EXISTS (SELECT FROM place WHERE commune_insee = :commune_insee AND kind IN ('delivery_bay', 'parking_space'))
        OR EXISTS (SELECT FROM kerb_place WHERE commune_insee = :commune_insee) AS kerb,
    EXISTS (SELECT FROM mounting WHERE commune_insee = :commune_insee) AS device,
    EXISTS (SELECT FROM intake_batch WHERE commune_insee = :commune_insee) AS message,
    EXISTS (SELECT FROM fill_reading WHERE commune_insee = :commune_insee)
        OR EXISTS (SELECT FROM occupancy_reading WHERE commune_insee = :commune_insee) AS reading,
    EXISTS (SELECT FROM forecast_run WHERE commune_insee = :commune_insee)
        OR EXISTS (SELECT FROM bay_forecast_run WHERE commune_insee = :commune_insee) AS forecast,
    EXISTS (SELECT FROM plan WHERE commune_insee = :commune_insee) AS plan;

-- name: accounts^
SELECT
    EXISTS (SELECT FROM account WHERE disabled_at IS NULL) AS any_account,
    EXISTS (SELECT FROM account_grant JOIN account USING (account_id) WHERE role = 'administrator' AND disabled_at IS NULL)
        AS administrator;
