-- name: save_bin!
INSERT INTO bin_rule (commune_insee, place_id, max_width_cm, crew, vehicle_kinds, windows, kg_per_l)
VALUES (:commune_insee, :place_id, :max_width_cm, :crew, :vehicle_kinds, :windows, :kg_per_l)
ON CONFLICT (commune_insee, place_id) DO UPDATE
SET max_width_cm = excluded.max_width_cm,
    crew = excluded.crew,
    vehicle_kinds = excluded.vehicle_kinds,
    windows = excluded.windows,
    kg_per_l = excluded.kg_per_l;

-- name: save_vehicle!
INSERT INTO vehicle_rule (
    commune_insee, vehicle_id, capacity_kg, width_cm, kind, crew, range_m, end_depot_id, overtime_s,
    unloadings_at_most, home_empty, km_eur, hour_eur, out_eur, overtime_hour_eur, sectors, size, height_cm, length_cm,
    laden_kg
)
VALUES (
    :commune_insee, :vehicle_id, :capacity_kg, :width_cm, :kind, :crew, :range_m, :end_depot_id, :overtime_s,
    :unloadings_at_most, :home_empty, :km_eur, :hour_eur, :out_eur, :overtime_hour_eur, :sectors,
    :size, :height_cm, :length_cm, :laden_kg
)
ON CONFLICT (commune_insee, vehicle_id) DO UPDATE
SET capacity_kg = excluded.capacity_kg,
    width_cm = excluded.width_cm,
    kind = excluded.kind,
    crew = excluded.crew,
    range_m = excluded.range_m,
    end_depot_id = excluded.end_depot_id,
    overtime_s = excluded.overtime_s,
    unloadings_at_most = excluded.unloadings_at_most,
    home_empty = excluded.home_empty,
    km_eur = excluded.km_eur,
    hour_eur = excluded.hour_eur,
    out_eur = excluded.out_eur,
    overtime_hour_eur = excluded.overtime_hour_eur,
    sectors = excluded.sectors,
    size = excluded.size,
    height_cm = excluded.height_cm,
    length_cm = excluded.length_cm,
    laden_kg = excluded.laden_kg;

-- name: save_disposal!
INSERT INTO disposal_rule (commune_insee, place_id, windows)
VALUES (:commune_insee, :place_id, :windows)
ON CONFLICT (commune_insee, place_id) DO UPDATE SET windows = excluded.windows;

-- name: of_bins
SELECT place_id, max_width_cm, crew, vehicle_kinds, windows, kg_per_l
FROM bin_rule
WHERE commune_insee = :commune_insee
ORDER BY place_id;

-- name: of_vehicles
SELECT
    vehicle_id, capacity_kg, width_cm, kind, crew, range_m, end_depot_id, overtime_s, unloadings_at_most, home_empty,
    km_eur, hour_eur, out_eur, overtime_hour_eur, sectors, size, height_cm, length_cm, laden_kg
FROM vehicle_rule
WHERE commune_insee = :commune_insee
ORDER BY vehicle_id;

-- name: of_disposals
SELECT place_id, windows FROM disposal_rule WHERE commune_insee = :commune_insee ORDER BY place_id;

-- name: strangers
-- What a document names that the commune does not have.
SELECT 'bin' AS what, told FROM unnest(:bins::text[]) AS told
WHERE NOT EXISTS (SELECT FROM bin WHERE commune_insee = :commune_insee AND place_id = told)
UNION ALL
SELECT 'vehicle', told FROM unnest(:vehicles::text[]) AS told
WHERE NOT EXISTS (SELECT FROM vehicle WHERE commune_insee = :commune_insee AND vehicle_id = told)
UNION ALL
SELECT 'disposal site', told FROM unnest(:disposals::text[]) AS told
WHERE NOT EXISTS (SELECT FROM disposal_site WHERE commune_insee = :commune_insee AND place_id = told)
UNION ALL
SELECT 'depot', told FROM unnest(:depots::text[]) AS told
WHERE NOT EXISTS (SELECT FROM place WHERE commune_insee = :commune_insee AND place_id = told AND kind = 'depot')
ORDER BY what, told;
