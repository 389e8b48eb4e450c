-- The quarter of a bay or space: the nearest zone that it is part of, over its area or street face.
CREATE VIEW kerb_quarter AS
WITH RECURSIVE above AS (
    SELECT commune_insee, place_id, part_of, 1 AS level FROM kerb_place WHERE part_of IS NOT NULL
    UNION ALL
    SELECT above.commune_insee, above.place_id, kerb_place.part_of, above.level + 1
    FROM above
    JOIN kerb_place ON kerb_place.commune_insee = above.commune_insee AND kerb_place.place_id = above.part_of
    WHERE kerb_place.part_of IS NOT NULL AND above.level < 8
)
SELECT DISTINCT ON (above.commune_insee, above.place_id)
    above.commune_insee, above.place_id, above.part_of AS quarter
FROM above
JOIN place AS zone
    ON zone.commune_insee = above.commune_insee AND zone.place_id = above.part_of AND zone.kind = 'zone'
ORDER BY above.commune_insee, above.place_id, above.level;
