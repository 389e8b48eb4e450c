-- name: upsert!
INSERT INTO commune (commune_insee, name, time_zone, school_zone)
VALUES (:commune_insee, :name, :time_zone, :school_zone)
ON CONFLICT (commune_insee) DO UPDATE
SET name = excluded.name, time_zone = excluded.time_zone, school_zone = excluded.school_zone;

-- name: every
SELECT commune_insee, name, time_zone, school_zone FROM commune ORDER BY commune_insee;

-- name: served
SELECT commune_insee, name, time_zone, school_zone FROM voirie_served_communes();

-- name: one^
SELECT commune_insee, name, time_zone, school_zone FROM commune WHERE commune_insee = :commune_insee;

-- name: here^
-- A commune, and the clock of a simulated one.
SELECT
    commune.commune_insee, commune.name, commune.time_zone, commune.school_zone, simulation.wall_origin,
    simulation.simulated_origin, simulation.rate
FROM commune LEFT JOIN simulation USING (commune_insee)
WHERE commune.commune_insee = :commune_insee;

-- name: simulation^
SELECT commune_insee, seed, streets_source, started_at, history_until, wall_origin, simulated_origin, rate,
    history_published, options
FROM simulation
WHERE commune_insee = :commune_insee;

-- name: save_simulation!
INSERT INTO simulation (
    commune_insee, seed, streets_source, started_at, history_until, wall_origin, simulated_origin, rate,
    history_published, options
)
VALUES (
    :commune_insee, :seed, :streets_source, :started_at, :history_until, :wall_origin, :simulated_origin, :rate,
    :history_published, :options
)
ON CONFLICT (commune_insee) DO UPDATE
SET seed = excluded.seed,
    streets_source = excluded.streets_source,
    started_at = excluded.started_at,
    history_until = excluded.history_until,
    wall_origin = excluded.wall_origin,
    simulated_origin = excluded.simulated_origin,
    rate = excluded.rate,
    history_published = excluded.history_published,
    options = excluded.options;
