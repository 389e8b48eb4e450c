-- name: stays
SELECT
    coalesce(area.place_id, bay.place_id) AS pool,
    one.day_class,
    one.hour,
    ARRAY[
        sum(one.dwell_counts[1])::bigint, sum(one.dwell_counts[2])::bigint, sum(one.dwell_counts[3])::bigint, sum(one.dwell_counts[4])::bigint,
        sum(one.dwell_counts[5])::bigint, sum(one.dwell_counts[6])::bigint, sum(one.dwell_counts[7])::bigint, sum(one.dwell_counts[8])::bigint,
        sum(one.dwell_counts[9])::bigint, sum(one.dwell_counts[10])::bigint, sum(one.dwell_counts[11])::bigint,
        sum(one.dwell_counts[12])::bigint, sum(one.dwell_counts[13])::bigint
    ] AS dwell_counts,
    sum(one.limited)::bigint AS limited,
    sum(one.overstays)::bigint AS overstays
FROM staged_kerb_hour AS one
JOIN place AS bay ON bay.commune_insee = :commune_insee AND bay.place_id = one.place_id AND bay.kind = 'delivery_bay'
LEFT JOIN kerb_place AS kerb ON kerb.commune_insee = :commune_insee AND kerb.place_id = one.place_id
LEFT JOIN place AS area
    ON area.commune_insee = :commune_insee AND area.place_id = kerb.part_of AND area.kind = 'delivery_area'
WHERE one.dwells > 0
GROUP BY pool, one.day_class, one.hour;

-- name: save!
INSERT INTO kerb_advice (commune_insee, advice_id, as_of, document)
VALUES (:commune_insee, :advice_id, :as_of, :document);

-- name: latest^
SELECT document FROM kerb_advice WHERE commune_insee = :commune_insee ORDER BY made_at DESC LIMIT 1;
