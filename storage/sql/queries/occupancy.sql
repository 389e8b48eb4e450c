-- name: spaces_now
SELECT place_id, longitude_deg, latitude_deg, street, space_kind, heard_at, occupied
FROM occupancy_state JOIN parking_space USING (commune_insee, place_id)
WHERE commune_insee = :commune_insee
ORDER BY place_id;
