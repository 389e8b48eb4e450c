-- name: upsert_place!
INSERT INTO place (commune_insee, place_id, kind, longitude_deg, latitude_deg, street)
VALUES (:commune_insee, :place_id, :kind, :longitude_deg, :latitude_deg, :street)
ON CONFLICT (commune_insee, place_id) DO UPDATE
SET kind = excluded.kind,
    longitude_deg = excluded.longitude_deg,
    latitude_deg = excluded.latitude_deg,
    street = excluded.street;

-- name: upsert_delivery_bay!
INSERT INTO delivery_bay (commune_insee, place_id, length_cm)
VALUES (:commune_insee, :place_id, :length_cm)
ON CONFLICT (commune_insee, place_id) DO UPDATE SET length_cm = excluded.length_cm;

-- name: upsert_parking_space!
INSERT INTO parking_space (commune_insee, place_id, space_kind)
VALUES (:commune_insee, :place_id, :space_kind)
ON CONFLICT (commune_insee, place_id) DO UPDATE SET space_kind = excluded.space_kind;

-- name: upsert_disposal_site!
INSERT INTO disposal_site (commune_insee, place_id, unload_s)
VALUES (:commune_insee, :place_id, :unload_s)
ON CONFLICT (commune_insee, place_id) DO UPDATE SET unload_s = excluded.unload_s;

-- name: of_kind
SELECT commune_insee, place_id, kind, longitude_deg, latitude_deg, street
FROM place
WHERE commune_insee = :commune_insee AND kind = :kind
ORDER BY place_id;

-- name: kinds
SELECT place_id, kind
FROM place
WHERE commune_insee = :commune_insee AND (:place_ids::text[] IS NULL OR place_id = ANY (:place_ids));

-- name: disposal_sites
SELECT place.commune_insee, place.place_id, longitude_deg, latitude_deg, street, unload_s
FROM place JOIN disposal_site USING (commune_insee, place_id)
WHERE commune_insee = :commune_insee
ORDER BY place_id;

-- name: upsert_vehicle!
INSERT INTO vehicle (
    commune_insee, vehicle_id, name, capacity_l, depot_id, shift_from, shift_until, break_s, break_from, break_until
)
VALUES (
    :commune_insee, :vehicle_id, :name, :capacity_l, :depot_id, :shift_from, :shift_until, :break_s, :break_from,
    :break_until
)
ON CONFLICT (commune_insee, vehicle_id) DO UPDATE
SET name = excluded.name,
    capacity_l = excluded.capacity_l,
    depot_id = excluded.depot_id,
    shift_from = excluded.shift_from,
    shift_until = excluded.shift_until,
    break_s = excluded.break_s,
    break_from = excluded.break_from,
    break_until = excluded.break_until;

-- name: vehicles
SELECT commune_insee, vehicle_id, name, capacity_l, depot_id, shift_from, shift_until, break_s, break_from, break_until
FROM vehicle
WHERE commune_insee = :commune_insee
ORDER BY vehicle_id;

-- name: counts_by_kind
SELECT kind, count(*) FROM place WHERE commune_insee = :commune_insee GROUP BY kind ORDER BY kind;

-- name: extent^
SELECT min(longitude_deg), min(latitude_deg), max(longitude_deg), max(latitude_deg)
FROM place
WHERE commune_insee = :commune_insee;

-- name: streets
-- Streets of what stands there, each at the middle of it.
SELECT street, avg(longitude_deg), avg(latitude_deg)
FROM place
WHERE commune_insee = :commune_insee AND street IS NOT NULL
GROUP BY street
ORDER BY street;

-- name: streets_of
SELECT place_id, street
FROM place
WHERE commune_insee = :commune_insee AND place_id = ANY (:place_ids) AND street IS NOT NULL;
