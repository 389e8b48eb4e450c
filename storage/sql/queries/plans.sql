-- name: save_plan!
INSERT INTO plan (
    commune_insee, plan_id, service_date, made_at, as_of, engine, seed, solve_s, travel_source, forecast_run_id,
    distance_m, duration_s, checker, inputs
)
VALUES (
    :commune_insee, :plan_id, :service_date, :made_at, :as_of, :engine, :seed, :solve_s, :travel_source,
    :forecast_run_id, :distance_m, :duration_s, :checker, :inputs
);

-- name: save_route!
INSERT INTO planned_route (
    commune_insee, plan_id, route_index, vehicle_id, start_at, end_at, distance_m, duration_s, geometry
)
VALUES (
    :commune_insee, :plan_id, :route_index, :vehicle_id, :start_at, :end_at, :distance_m, :duration_s, :geometry
);

-- name: save_stop!
INSERT INTO planned_stop (
    commune_insee, plan_id, route_index, stop_index, kind, place_id, longitude_deg, latitude_deg, arrive_at, depart_at,
    load_l, distance_m, reason, load_kg, point_index, steps
)
VALUES (
    :commune_insee, :plan_id, :route_index, :stop_index, :kind, :place_id, :longitude_deg, :latitude_deg, :arrive_at,
    :depart_at, :load_l, :distance_m, :reason, :load_kg, :point_index, :steps
);

-- name: save_left_out!
INSERT INTO plan_left_out (commune_insee, plan_id, place_id, reason)
VALUES (:commune_insee, :plan_id, :place_id, :reason);

-- name: latest^
SELECT plan_id
FROM plan_version
WHERE
    commune_insee = :commune_insee
    AND status = 'published'
    AND (:service_date::date IS NULL OR service_date = :service_date)
ORDER BY service_date DESC
LIMIT 1;

-- name: planned_dates
SELECT service_date
FROM plan_version
WHERE commune_insee = :commune_insee AND status = 'published' AND service_date >= :since;

-- name: plan^
SELECT
    commune_insee, plan_id, service_date, made_at, as_of, engine, seed, solve_s, travel_source, forecast_run_id,
    distance_m, duration_s, checker, inputs
FROM plan
WHERE commune_insee = :commune_insee AND plan_id = :plan_id;

-- name: routes
SELECT route_index, vehicle_id, start_at, end_at, distance_m, duration_s, geometry
FROM planned_route
WHERE commune_insee = :commune_insee AND plan_id = :plan_id AND (:vehicle_id::text IS NULL OR vehicle_id = :vehicle_id)
ORDER BY route_index;

-- name: stops
SELECT
    route_index, stop_index, kind, place_id, longitude_deg, latitude_deg, arrive_at, depart_at, load_l, distance_m,
    reason, load_kg, point_index, steps
FROM planned_stop
WHERE commune_insee = :commune_insee AND plan_id = :plan_id
    AND (
        :vehicle_id::text IS NULL
        OR route_index = ANY(
            SELECT route_index FROM planned_route
            WHERE commune_insee = :commune_insee AND plan_id = :plan_id AND vehicle_id = :vehicle_id
        )
    )
ORDER BY route_index, stop_index;

-- name: left_out
SELECT place_id, reason FROM plan_left_out WHERE commune_insee = :commune_insee AND plan_id = :plan_id ORDER BY place_id;
