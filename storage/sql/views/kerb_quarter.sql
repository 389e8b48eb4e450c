-- The quarter of a bay or space: the nearest zone that it is part of, over its area or street face; else the smallest zone
-- whose polygon it lies in.
CREATE VIEW kerb_quarter AS
WITH RECURSIVE above AS (
    SELECT commune_insee, place_id, part_of, 1 AS level FROM kerb_place WHERE part_of IS NOT NULL
    UNION ALL
    SELECT above.commune_insee, above.place_id, kerb_place.part_of, above.level + 1
    FROM above
    JOIN kerb_place ON kerb_place.commune_insee = above.commune_insee AND kerb_place.place_id = above.part_of
    WHERE kerb_place.part_of IS NOT NULL AND above.level < 8
),

shape AS (
    SELECT
        zone.commune_insee,
        zone.place_id,
        string_agg(format('(%s,%s)', corner.at ->> 0, corner.at ->> 1), ',' ORDER BY corner.number)::polygon AS outline
    FROM place AS zone
    JOIN kerb_place USING (commune_insee, place_id)
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE kerb_place.geometry ->> 'type'
            WHEN 'Polygon' THEN jsonb_build_array(kerb_place.geometry -> 'coordinates')
            WHEN 'MultiPolygon' THEN kerb_place.geometry -> 'coordinates'
            ELSE '[]'
        END
    ) WITH ORDINALITY AS part (rings, number)
    CROSS JOIN LATERAL jsonb_array_elements(part.rings -> 0) WITH ORDINALITY AS corner (at, number)
    WHERE zone.kind = 'zone'
    GROUP BY zone.commune_insee, zone.place_id, part.number
)

SELECT DISTINCT ON (commune_insee, place_id) commune_insee, place_id, quarter
FROM (
    SELECT above.commune_insee, above.place_id, above.part_of AS quarter, above.level::double precision AS rank
    FROM above
    JOIN place AS zone
        ON zone.commune_insee = above.commune_insee AND zone.place_id = above.part_of AND zone.kind = 'zone'
    UNION ALL
    SELECT place.commune_insee, place.place_id, shape.place_id, 8 + area(box(shape.outline))
    FROM place
    JOIN shape
        ON shape.commune_insee = place.commune_insee
        AND point(place.longitude_deg, place.latitude_deg) <@ shape.outline
    WHERE place.kind IN ('delivery_bay', 'parking_space')
) AS one
ORDER BY commune_insee, place_id, rank, quarter;
