-- name: state^
-- Spans are the sums of figures that were made when they were, and not by code that knows no spans.
SELECT observed_until, changed_since, coalesce(rolled_up_at = made_at, false)
FROM observatory
WHERE commune_insee = :commune_insee;

-- name: rolled_from^
-- The first day and the first month from which on nothing was forgotten of what spans sum up; none while they are not true.
SELECT
    (SELECT min(day) FROM kerb_day WHERE commune_insee = :commune_insee),
    (SELECT min(month) FROM kerb_month WHERE commune_insee = :commune_insee)
FROM observatory
WHERE commune_insee = :commune_insee AND rolled_up_at = made_at;

-- name: months_made
SELECT DISTINCT month FROM kerb_month WHERE commune_insee = :commune_insee ORDER BY month;

-- name: rolled_up!
UPDATE observatory SET rolled_up_at = made_at WHERE commune_insee = :commune_insee;

-- name: lock^
-- One maker of a commune's figures at a time, wherever its worker runs; who comes second has nothing to do.
SELECT pg_try_advisory_xact_lock(7237126, hashtext(:commune_insee));

-- name: earliest^
-- The first hour of which anything is known.
SELECT least(
    (SELECT min(hour) FROM occupancy_hourly_kept WHERE commune_insee = :commune_insee),
    (SELECT min(measured_at) FROM occupancy_reading WHERE commune_insee = :commune_insee)
);

-- name: mark!
-- Days whose stays were made anew after they were told here are told again. The last week is told again each night.
UPDATE observatory
SET changed_since = least(changed_since, changed.day)
FROM (
    SELECT min((after AT TIME ZONE 'UTC')::date) - 1 AS day
    FROM unnest(:after::timestamptz[], :changed_since::timestamptz[]) AS told (after, changed)
    JOIN observatory ON observatory.commune_insee = :commune_insee
    WHERE changed < (observed_until - 6)::timestamptz
) AS changed
WHERE observatory.commune_insee = :commune_insee AND changed.day IS NOT NULL;

-- name: done!
INSERT INTO observatory (commune_insee, observed_until, made_at, rolled_up_at)
VALUES (:commune_insee, :observed_until, now(), now())
ON CONFLICT (commune_insee) DO UPDATE
SET observed_until = excluded.observed_until,
    made_at = now(),
    rolled_up_at = now(),
    -- What changed while this was made is still to be told.
    changed_since = CASE
        WHEN observatory.changed_since IS DISTINCT FROM :changed_since::date THEN observatory.changed_since
    END;

-- name: sensed
-- Bays and spaces that have or had a sensor within [since, until), those of an area together.
SELECT coalesce(kerb.part_of, mounting.place_id) AS together, mounting.place_id
FROM mounting
JOIN place USING (commune_insee, place_id)
LEFT JOIN kerb_place AS kerb USING (commune_insee, place_id)
WHERE mounting.commune_insee = :commune_insee
    AND place.kind IN ('delivery_bay', 'parking_space')
    AND mounting.mounted_at < :until
    AND coalesce(mounting.unmounted_at, 'infinity') > :since
GROUP BY together, mounting.place_id
ORDER BY together, mounting.place_id;

-- name: kept_before
-- Before these moments hours come from the kept tables: of readings, of sessions. Null: none do.
SELECT
    max(nullif(kept_before, '-infinity')) FILTER (WHERE kind = 'occupancy_reading') AS of_readings,
    max(nullif(kept_before, '-infinity')) FILTER (WHERE kind = 'occupancy_session') AS of_sessions
FROM forgotten
WHERE commune_insee = :commune_insee;

-- name: hours
-- Places by hour of [since, until) with the local day and hour. An hour that clocks show twice has twice the seconds, and one
-- that they skip has none. `awaited_s`: a sensor was there, and its place lived; what of it is not known is offline, not free.
SELECT
    place_id,
    local.moment::date AS day,
    extract(hour FROM local.moment)::smallint AS hour,
    CASE
        WHEN extract(isodow FROM local.moment) = 7 OR local.moment::date = ANY (:holidays::date[]) THEN 'sunday'
        WHEN extract(isodow FROM local.moment) = 6 THEN 'saturday'
        ELSE 'workday'
    END AS day_class,
    greatest(awaited.awaited_s, usage.known_s, 0)::float8 AS awaited_s,
    coalesce(usage.known_s, 0) AS known_s,
    coalesce(usage.occupied_s, 0) AS occupied_s,
    coalesce(stay.sessions, 0) AS sessions,
    coalesce(stay.dwells, 0) AS dwells,
    coalesce(stay.dwell_s, 0) AS dwell_s,
    stay.dwell_counts,
    coalesce(stay.limited, 0) AS limited,
    coalesce(stay.overstays, 0) AS overstays,
    coalesce(stay.overstay_s, 0) AS overstay_s
FROM (
    SELECT
        sensed.place_id,
        hour,
        least(3600, sum(extract(epoch FROM least(ends_at, hour + INTERVAL '1 hour') - greatest(starts_at, hour)))) AS awaited_s
    FROM (
        SELECT
            mounting.place_id,
            greatest(mounting.mounted_at, kerb.valid_from::timestamp AT TIME ZONE :zone, :since::timestamptz) AS starts_at,
            least(
                mounting.unmounted_at, (kerb.valid_until + 1)::timestamp AT TIME ZONE :zone, :until::timestamptz
            ) AS ends_at
        FROM mounting
        LEFT JOIN kerb_place AS kerb USING (commune_insee, place_id)
        WHERE mounting.commune_insee = :commune_insee AND mounting.place_id = ANY (:place_ids)
    ) AS sensed
    CROSS JOIN LATERAL generate_series(
        date_trunc('hour', starts_at, 'UTC'), ends_at - INTERVAL '1 microsecond', INTERVAL '1 hour'
    ) AS hour
    WHERE starts_at < ends_at
    GROUP BY sensed.place_id, hour
) AS awaited
FULL JOIN (
    SELECT place_id, hour, known_s, occupied_s
    FROM occupancy_hourly_kept
    WHERE commune_insee = :commune_insee AND place_id = ANY (:place_ids) AND hour >= :since AND hour < :until
    UNION ALL
    SELECT place_id, hour, known_s, occupied_s
    FROM occupancy_hours(:commune_insee, greatest(:readings_kept_before::timestamptz, :since::timestamptz), :until)
    WHERE place_id = ANY (:place_ids)
) AS usage USING (place_id, hour)
FULL JOIN (
    SELECT place_id, hour, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s
    FROM session_hourly_kept
    WHERE commune_insee = :commune_insee AND place_id = ANY (:place_ids) AND hour >= :since AND hour < :until
    UNION ALL
    SELECT place_id, hour, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s
    FROM occupancy_session_hours
    WHERE commune_insee = :commune_insee
        AND place_id = ANY (:place_ids)
        AND hour >= greatest(:sessions_kept_before::timestamptz, :since::timestamptz)
        AND hour < :until
) AS stay USING (place_id, hour)
CROSS JOIN LATERAL (SELECT hour AT TIME ZONE :zone AS moment) AS local

-- name: stage#
CREATE TEMPORARY TABLE IF NOT EXISTS staged_kerb_hour (
    place_id text, day date, hour smallint, day_class text, awaited_s float8, known_s float8, occupied_s float8,
    sessions bigint, dwells bigint, dwell_s float8, dwell_counts bigint[], limited bigint, overstays bigint, overstay_s float8
) ON COMMIT DROP;
CREATE TEMPORARY TABLE IF NOT EXISTS staged_kerb_rate (
    place_id text, day_class text, hour smallint, wanted_per_s float8, refused_share float8, relative_var float8
) ON COMMIT DROP;
CREATE TEMPORARY TABLE IF NOT EXISTS staged_kerb_figure (LIKE kerb_hour) ON COMMIT DROP;
CREATE TEMPORARY TABLE IF NOT EXISTS staged_kerb_place (
    place_id text PRIMARY KEY, kind text NOT NULL, street text NOT NULL, quarter text NOT NULL
) ON COMMIT DROP;

-- name: stage_hours!
INSERT INTO staged_kerb_hour

-- name: unstage#
TRUNCATE staged_kerb_hour, staged_kerb_rate;

-- name: unstage_figures#
TRUNCATE staged_kerb_figure, staged_kerb_place;

-- name: stage_places!
-- Where each place is: found once, since what was just written has no statistics, and the planner would find each anew.
INSERT INTO staged_kerb_place
SELECT place_id, kind, coalesce(street, ''), coalesce(quarter, '')
FROM place
LEFT JOIN kerb_quarter USING (commune_insee, place_id)
WHERE commune_insee = :commune_insee;

-- name: cells
-- What the loss model sees: bays by pool (their delivery area, or each alone), day class and hour.
SELECT
    coalesce(area.place_id, bay.place_id) AS pool,
    one.day_class,
    one.hour,
    array_agg(DISTINCT one.place_id) AS place_ids,
    sum(one.known_s) AS known_s,
    sum(one.occupied_s) AS occupied_s,
    sum(one.sessions)::float8 AS arrivals
FROM staged_kerb_hour AS one
JOIN place AS bay ON bay.commune_insee = :commune_insee AND bay.place_id = one.place_id AND bay.kind = 'delivery_bay'
LEFT JOIN kerb_place AS kerb ON kerb.commune_insee = :commune_insee AND kerb.place_id = one.place_id
LEFT JOIN place AS area
    ON area.commune_insee = :commune_insee AND area.place_id = kerb.part_of AND area.kind = 'delivery_area'
WHERE one.known_s > 0
GROUP BY pool, one.day_class, one.hour;

-- name: copy_rates#
COPY staged_kerb_rate (place_id, day_class, hour, wanted_per_s, refused_share, relative_var) FROM STDIN;

-- name: forget_days!
DELETE FROM kerb_day WHERE commune_insee = :commune_insee AND day >= :since AND day < :until;

-- name: forget_months!
DELETE FROM kerb_month WHERE commune_insee = :commune_insee AND month >= :since AND month < :until;

-- name: forget_street_days!
DELETE FROM kerb_street_day WHERE commune_insee = :commune_insee AND day >= :since AND day < :until;

-- name: forget_street_months!
DELETE FROM kerb_street_month WHERE commune_insee = :commune_insee AND month >= :since AND month < :until;

-- name: forget_hours!
DELETE FROM kerb_hour WHERE commune_insee = :commune_insee AND month >= :since AND month < :until;

-- name: forget_place_spans!
DELETE FROM kerb_place_span
WHERE commune_insee = :commune_insee
    AND (span = 'part' AND first >= :since AND first < :until OR span = 'season' AND first = :season);

-- name: forget_hour_spans!
DELETE FROM kerb_hour_span
WHERE commune_insee = :commune_insee
    AND (span = 'month' AND first >= :since AND first < :until OR span = 'season' AND first = :season);

-- name: sums
-- All columns of figures add up. This, without its SELECT, stands where other queries here say `sums`.
SELECT
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
    sum(refused_var) AS refused_var;

-- name: add_days!
-- Saturated: an hour of which at least half is known, and of that more than 85 % occupied.
INSERT INTO kerb_day (
    commune_insee, day, place_id,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
)
SELECT
    :commune_insee, day, place_id,
    :sums
FROM (
    SELECT
        place_id, day, awaited_s, known_s, occupied_s,
        CASE WHEN known_s >= 1800 AND occupied_s >= 0.85 * known_s THEN known_s ELSE 0 END AS saturated_s,
        sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
        known_s * wanted_per_s AS wanted,
        known_s * wanted_per_s * refused_share AS refused,
        known_s * wanted_per_s * refused_share * (1 + relative_var) AS refused_var
    FROM staged_kerb_hour
    LEFT JOIN staged_kerb_rate USING (place_id, day_class, hour)
    WHERE day >= :since AND day < :until
) AS one
GROUP BY place_id, day;

-- name: add_figures!
-- The same by hour, of these places alone.
INSERT INTO staged_kerb_figure (
    commune_insee, month, hour, day_class, kind, street, quarter,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
)
SELECT
    :commune_insee, :since::date, hour, day_class, kind, street, quarter,
    :sums
FROM (
    SELECT
        hour, day_class, kind, street, quarter, awaited_s, known_s, occupied_s,
        CASE WHEN known_s >= 1800 AND occupied_s >= 0.85 * known_s THEN known_s ELSE 0 END AS saturated_s,
        sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
        known_s * wanted_per_s AS wanted,
        known_s * wanted_per_s * refused_share AS refused,
        known_s * wanted_per_s * refused_share * (1 + relative_var) AS refused_var
    FROM staged_kerb_hour
    LEFT JOIN staged_kerb_rate USING (place_id, day_class, hour)
    JOIN staged_kerb_place USING (place_id)
    WHERE day >= :since AND day < :until
) AS one
GROUP BY hour, day_class, kind, street, quarter;

-- name: add_hours!
INSERT INTO kerb_hour (
    commune_insee, month, hour, day_class, kind, street, quarter,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
)
SELECT
    :commune_insee, month, hour, day_class, kind, street, quarter,
    :sums
FROM staged_kerb_figure
GROUP BY month, hour, day_class, kind, street, quarter;

-- name: add_months!
INSERT INTO kerb_month (
    commune_insee, month, place_id,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
)
SELECT
    :commune_insee, :since::date, place_id,
    :sums
FROM kerb_day
WHERE commune_insee = :commune_insee AND day >= :since AND day < :until
GROUP BY place_id;

-- name: add_street_days!
-- What the days of its places come to, by street: a question by streets or less must not add up twenty thousand places.
INSERT INTO kerb_street_day (
    commune_insee, day, kind, street, quarter,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
)
SELECT
    :commune_insee, day, kind, street, quarter,
    :sums
FROM kerb_day
JOIN staged_kerb_place USING (place_id)
WHERE commune_insee = :commune_insee AND day >= :since AND day < :until
GROUP BY day, kind, street, quarter;

-- name: add_street_months!
INSERT INTO kerb_street_month (
    commune_insee, month, kind, street, quarter,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
)
SELECT
    :commune_insee, :since::date, kind, street, quarter,
    :sums
FROM kerb_street_day
WHERE commune_insee = :commune_insee AND day >= :since AND day < :until
GROUP BY kind, street, quarter;

-- name: add_parts!
INSERT INTO kerb_place_span (
    commune_insee, span, first, place_id,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
)
SELECT
    :commune_insee, 'part', day - (mod(least(extract(day FROM day)::int - 1, 29), 5) + extract(day FROM day)::int / 31), place_id,
    :sums
FROM kerb_day
WHERE commune_insee = :commune_insee AND day >= :since AND day < :until
GROUP BY 3, place_id;

-- name: add_season!
INSERT INTO kerb_place_span (
    commune_insee, span, first, place_id,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
)
SELECT
    :commune_insee, 'season', :season::date, place_id,
    :sums
FROM kerb_month
WHERE commune_insee = :commune_insee AND month >= :season AND month < :season::date + INTERVAL '3 months'
GROUP BY place_id;

-- name: add_hour_months!
INSERT INTO kerb_hour_span (
    commune_insee, told_by, span, first, hour, day_class, kind, street, quarter,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
)
SELECT
    :commune_insee,
    CASE WHEN grouping(street) = 1 THEN 'hour_class' WHEN grouping(hour) = 1 THEN 'class_street' ELSE 'hour_street' END,
    'month', :since::date, hour, day_class, kind, street, quarter,
    :sums
FROM kerb_hour
WHERE commune_insee = :commune_insee AND month >= :since AND month < :until
GROUP BY GROUPING SETS (
    (kind, quarter, hour, day_class), (kind, quarter, hour, street), (kind, quarter, day_class, street)
);

-- name: add_hour_season!
INSERT INTO kerb_hour_span (
    commune_insee, told_by, span, first, hour, day_class, kind, street, quarter,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
)
SELECT
    :commune_insee, told_by, 'season', :season::date, hour, day_class, kind, street, quarter,
    :sums
FROM kerb_hour_span
WHERE commune_insee = :commune_insee
    AND span = 'month'
    AND first >= :season
    AND first < :season::date + INTERVAL '3 months'
GROUP BY told_by, hour, day_class, kind, street, quarter;

-- name: by_street
-- Whole months from `kerb_street_month`, the days at the ends of the period from `kerb_street_day`.
SELECT
    NULL::text AS place_id,
    CASE WHEN :by_street THEN street END AS street,
    CASE WHEN :by_quarter THEN quarter END AS quarter,
    CASE WHEN :by_month THEN month END AS month,
    NULL::smallint AS hour,
    NULL::text AS day_class,
    :sums
FROM (
    SELECT
        month, kind, street, quarter,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
    FROM kerb_street_month
    WHERE commune_insee = :commune_insee AND month = ANY (:months::date[])
    UNION ALL
    SELECT
        date_trunc('month', day)::date, kind, street, quarter,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
    FROM kerb_street_day
    WHERE commune_insee = :commune_insee AND day = ANY (:days::date[])
) AS one
WHERE (:kind::text IS NULL OR kind = :kind)
    AND (:street::text IS NULL OR street = :street)
    AND (:quarter::text IS NULL OR quarter = :quarter)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
LIMIT :most::bigint;

-- name: by_place
-- The largest spans that lie within the period: `kerb_place_span`, `kerb_month` and `kerb_day`.
SELECT
    CASE WHEN :by_bay THEN place.place_id END AS place_id,
    CASE WHEN :by_street THEN coalesce(place.street, '') END AS street,
    CASE WHEN :by_quarter THEN coalesce(quarter, '') END AS quarter,
    CASE WHEN :by_month THEN month END AS month,
    NULL::smallint AS hour,
    NULL::text AS day_class,
    :sums
FROM (
    SELECT
        month, place_id,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
    FROM kerb_month
    WHERE commune_insee = :commune_insee AND month = ANY (:months::date[])
    UNION ALL
    SELECT
        date_trunc('month', first)::date, place_id,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
    FROM kerb_place_span
    WHERE commune_insee = :commune_insee
        AND (span = 'part' AND first = ANY (:parts::date[]) OR span = 'season' AND first = ANY (:seasons::date[]))
    UNION ALL
    SELECT
        date_trunc('month', day)::date, place_id,
    awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s,
    wanted, refused, refused_var
    FROM kerb_day
    WHERE commune_insee = :commune_insee AND day = ANY (:days::date[])
) AS one
JOIN place ON place.commune_insee = :commune_insee AND place.place_id = one.place_id
LEFT JOIN kerb_quarter ON :with_quarter AND kerb_quarter.commune_insee = :commune_insee AND kerb_quarter.place_id = one.place_id
WHERE (:kind::text IS NULL OR place.kind = :kind)
    AND (:street::text IS NULL OR place.street = :street)
    AND (:quarter::text IS NULL OR quarter = :quarter)
    AND (:place_ids::text[] IS NULL OR one.place_id = ANY (:place_ids))
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
LIMIT :most::bigint;

-- name: places
-- How many places the figures are of.
SELECT
    CASE WHEN :by_bay THEN place.place_id END AS place_id,
    CASE WHEN :by_street THEN coalesce(place.street, '') END AS street,
    CASE WHEN :by_quarter THEN coalesce(quarter, '') END AS quarter,
    CASE WHEN :by_month THEN month END AS month,
    count(*) AS places
FROM (
    SELECT place_id, CASE WHEN :by_month THEN month END AS month
    FROM kerb_month
    WHERE commune_insee = :commune_insee AND month = ANY (:touched_months::date[])
    UNION
    SELECT place_id, NULL
    FROM kerb_place_span
    WHERE commune_insee = :commune_insee AND span = 'season' AND first = ANY (:touched_seasons::date[])
) AS one
JOIN place ON place.commune_insee = :commune_insee AND place.place_id = one.place_id
LEFT JOIN kerb_quarter ON :with_quarter AND kerb_quarter.commune_insee = :commune_insee AND kerb_quarter.place_id = one.place_id
WHERE (:kind::text IS NULL OR place.kind = :kind)
    AND (:street::text IS NULL OR place.street = :street)
    AND (:quarter::text IS NULL OR quarter = :quarter)
    AND (:place_ids::text[] IS NULL OR one.place_id = ANY (:place_ids))
GROUP BY 1, 2, 3, 4;

-- name: by_hour
SELECT
    NULL::text AS place_id,
    CASE WHEN :by_street THEN street END AS street,
    CASE WHEN :by_quarter THEN quarter END AS quarter,
    CASE WHEN :by_month THEN month END AS month,
    CASE WHEN :by_hour THEN hour END AS hour,
    CASE WHEN :by_day_class THEN day_class END AS day_class,
    :sums
FROM kerb_hour
WHERE commune_insee = :commune_insee
    AND month = ANY (:months::date[])
    AND (:kind::text IS NULL OR kind = :kind)
    AND (:street::text IS NULL OR street = :street)
    AND (:quarter::text IS NULL OR quarter = :quarter)
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
LIMIT :most::bigint;

-- name: by_hour_span
-- The same of spans, which leave out what the question does not tell apart.
SELECT
    NULL::text AS place_id,
    CASE WHEN :by_street THEN street END AS street,
    CASE WHEN :by_quarter THEN quarter END AS quarter,
    CASE WHEN :by_month THEN first END AS month,
    CASE WHEN :by_hour THEN hour END AS hour,
    CASE WHEN :by_day_class THEN day_class END AS day_class,
    :sums
FROM kerb_hour_span
WHERE commune_insee = :commune_insee
    AND told_by = :told_by
    AND (span = 'month' AND first = ANY (:months::date[]) OR span = 'season' AND first = ANY (:seasons::date[]))
    AND (:kind::text IS NULL OR kind = :kind)
    AND (:street::text IS NULL OR street = :street)
    AND (:quarter::text IS NULL OR quarter = :quarter)
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
LIMIT :most::bigint;
