-- What days and months of places come to by street, so that a question about streets, quarters or months adds up some
-- hundred lines of each day and not twenty thousand. A street or quarter that a place has none of is empty.
CREATE TABLE kerb_street_day (
    commune_insee text NOT NULL,
    day           date NOT NULL,
    kind          text NOT NULL,
    street        text NOT NULL,
    quarter       text NOT NULL,
    awaited_s     bigint NOT NULL,
    known_s       bigint NOT NULL,
    occupied_s    bigint NOT NULL,
    saturated_s   bigint NOT NULL,
    sessions      bigint NOT NULL,
    dwells        bigint NOT NULL,
    dwell_s       bigint NOT NULL,
    dwell_counts  integer[],
    limited       bigint NOT NULL,
    overstays     bigint NOT NULL,
    overstay_s    bigint NOT NULL,
    wanted        double precision,
    refused       double precision,
    refused_var   double precision,
    PRIMARY KEY (commune_insee, day, kind, street, quarter)
);

CREATE TABLE kerb_street_month (
    commune_insee text NOT NULL,
    month         date NOT NULL,
    kind          text NOT NULL,
    street        text NOT NULL,
    quarter       text NOT NULL,
    awaited_s     bigint NOT NULL,
    known_s       bigint NOT NULL,
    occupied_s    bigint NOT NULL,
    saturated_s   bigint NOT NULL,
    sessions      bigint NOT NULL,
    dwells        bigint NOT NULL,
    dwell_s       bigint NOT NULL,
    dwell_counts  integer[],
    limited       bigint NOT NULL,
    overstays     bigint NOT NULL,
    overstay_s    bigint NOT NULL,
    wanted        double precision,
    refused       double precision,
    refused_var   double precision,
    PRIMARY KEY (commune_insee, month, kind, street, quarter)
);

-- Days that are there already, under the streets of today. Views are away while migrations run: this is what `kerb_quarter` was.
CREATE TEMPORARY TABLE quarter_of ON COMMIT DROP AS
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

INSERT INTO kerb_street_day (
    commune_insee, day, kind, street, quarter,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
)
SELECT
    kerb_day.commune_insee, day, place.kind, coalesce(place.street, '') AS street, coalesce(quarter, '') AS quarter,
    sum(awaited_s)::bigint AS awaited_s,
    sum(known_s)::bigint AS known_s,
    sum(occupied_s)::bigint AS occupied_s,
    sum(saturated_s)::bigint AS saturated_s,
    sum(sessions)::bigint AS sessions,
    sum(dwells)::bigint AS dwells,
    sum(dwell_s)::bigint AS dwell_s,
    CASE WHEN sum(dwells) > 0 THEN
        ARRAY[
            sum(dwell_counts[1]), sum(dwell_counts[2]), sum(dwell_counts[3]), sum(dwell_counts[4]), sum(dwell_counts[5]),
            sum(dwell_counts[6]), sum(dwell_counts[7]), sum(dwell_counts[8]), sum(dwell_counts[9]), sum(dwell_counts[10]),
            sum(dwell_counts[11]), sum(dwell_counts[12]), sum(dwell_counts[13])
        ]::integer[]
    END AS dwell_counts,
    sum(limited)::bigint AS limited,
    sum(overstays)::bigint AS overstays,
    sum(overstay_s)::bigint AS overstay_s,
    sum(wanted) AS wanted,
    sum(refused) AS refused,
    sum(refused_var) AS refused_var
FROM kerb_day
JOIN place USING (commune_insee, place_id)
LEFT JOIN quarter_of USING (commune_insee, place_id)
GROUP BY kerb_day.commune_insee, day, place.kind, place.street, quarter;

INSERT INTO kerb_street_month (
    commune_insee, month, kind, street, quarter,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
)
SELECT
    commune_insee, date_trunc('month', day)::date, kind, street, quarter,
    sum(awaited_s)::bigint AS awaited_s,
    sum(known_s)::bigint AS known_s,
    sum(occupied_s)::bigint AS occupied_s,
    sum(saturated_s)::bigint AS saturated_s,
    sum(sessions)::bigint AS sessions,
    sum(dwells)::bigint AS dwells,
    sum(dwell_s)::bigint AS dwell_s,
    CASE WHEN sum(dwells) > 0 THEN
        ARRAY[
            sum(dwell_counts[1]), sum(dwell_counts[2]), sum(dwell_counts[3]), sum(dwell_counts[4]), sum(dwell_counts[5]),
            sum(dwell_counts[6]), sum(dwell_counts[7]), sum(dwell_counts[8]), sum(dwell_counts[9]), sum(dwell_counts[10]),
            sum(dwell_counts[11]), sum(dwell_counts[12]), sum(dwell_counts[13])
        ]::integer[]
    END AS dwell_counts,
    sum(limited)::bigint AS limited,
    sum(overstays)::bigint AS overstays,
    sum(overstay_s)::bigint AS overstay_s,
    sum(wanted) AS wanted,
    sum(refused) AS refused,
    sum(refused_var) AS refused_var
FROM kerb_street_day
GROUP BY commune_insee, date_trunc('month', day), kind, street, quarter;
