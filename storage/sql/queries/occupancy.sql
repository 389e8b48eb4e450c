-- name: bays_now
SELECT
    place_id, longitude_deg, latitude_deg, street, length_cm, max_stay_s, grace_s, enforced_days, enforced_from,
    enforced_until, heard_at, occupied, occupied_since
FROM occupancy_state JOIN delivery_bay USING (commune_insee, place_id)
WHERE commune_insee = :commune_insee
ORDER BY place_id;

-- name: spaces_now
SELECT place_id, longitude_deg, latitude_deg, street, space_kind, heard_at, occupied
FROM occupancy_state JOIN parking_space USING (commune_insee, place_id)
WHERE commune_insee = :commune_insee
ORDER BY place_id;
