-- name: ask!
INSERT INTO plan_request (commune_insee, request_id, kind, plan_id, content, asked_by)
VALUES (:commune_insee, :request_id, 'edit', :plan_id, :content, :asked_by)
ON CONFLICT (commune_insee, request_id) DO NOTHING;

-- name: one^
SELECT
    commune_insee, request_id, plan_id, content, asked_by, asked_at, state, made_plan_id, answer, answered_at
FROM plan_request
WHERE commune_insee = :commune_insee AND request_id = :request_id;

-- name: waiting
SELECT request_id
FROM plan_request
WHERE commune_insee = :commune_insee AND state = 'waiting'
ORDER BY asked_at;

-- name: answer!
UPDATE plan_request
SET state = :state, made_plan_id = :made_plan_id, answer = :answer, answered_at = clock_timestamp()
WHERE commune_insee = :commune_insee AND request_id = :request_id AND state = 'waiting';
