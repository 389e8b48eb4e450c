-- name: former
SELECT sector, weekday, km, hours, bins, computed, source
FROM former_round
WHERE commune_insee = :commune_insee
ORDER BY sector, weekday;

-- name: forget_former!
DELETE FROM former_round WHERE commune_insee = :commune_insee;

-- name: save_former!
INSERT INTO former_round (commune_insee, sector, weekday, km, hours, bins, computed, source)
VALUES (:commune_insee, :sector, :weekday, :km, :hours, :bins, :computed, :source);

-- name: save_sector!
UPDATE bin SET sector = :sector WHERE commune_insee = :commune_insee AND place_id = :place_id;

-- name: figures
-- Every leg of a plan belongs to the sector of the bin that it leads to; the way to unload and home to that of the last
-- bin before it. A day's plan is the last that was published before its repairs, and before its edits on the road
-- ("rest_since"): those follow what was done.
WITH plan_of_day AS (
    SELECT DISTINCT ON (version.service_date) version.service_date, version.plan_id
    FROM plan_version AS version
    JOIN plan USING (commune_insee, plan_id)
    WHERE version.commune_insee = :commune_insee
        AND version.service_date BETWEEN :first::date AND :last::date
        AND version.status IN ('published', 'superseded')
        AND version.origin <> 'repaired'
        AND NOT plan.inputs ? 'rest_since'
    ORDER BY version.service_date, version.version DESC
),
numbered AS (
    SELECT
        plan_of_day.service_date, stop.route_index, stop.stop_index, stop.kind, stop.place_id, stop.distance_m,
        bin.sector,
        (stop.reason #>> '{figures,fill_p50}')::float8 AS fill,
        (stop.reason #>> '{figures,probability_full}')::float8 AS full_at_service,
        -- From leaving the last stop to leaving this one; of a break only the drive to it.
        extract(
            EPOCH FROM CASE WHEN stop.kind = 'break' THEN stop.arrive_at ELSE stop.depart_at END
            - lag(stop.depart_at) OVER round
        )::float8 AS seconds,
        CASE WHEN stop.kind = 'break' THEN extract(EPOCH FROM stop.depart_at - stop.arrive_at)::float8 END AS rest_s,
        count(*) FILTER (WHERE stop.kind = 'bin') OVER round AS bins_before
    FROM plan_of_day
    JOIN planned_stop AS stop ON stop.commune_insee = :commune_insee AND stop.plan_id = plan_of_day.plan_id
    LEFT JOIN bin ON bin.commune_insee = stop.commune_insee AND bin.place_id = stop.place_id
    WINDOW round AS (PARTITION BY plan_of_day.service_date, stop.route_index ORDER BY stop.stop_index)
),
leg AS (
    SELECT
        service_date, route_index, stop_index, kind, place_id, distance_m, seconds, rest_s, fill, full_at_service,
        coalesce(
            max(sector) OVER (PARTITION BY service_date, route_index, greatest(bins_before, 1)), ''
        ) AS sector
    FROM numbered
),
left_out AS (
    SELECT
        plan_of_day.service_date, coalesce(bin.sector, '') AS sector,
        sum((item.reason #>> '{figures,probability_full_next}')::float8) AS overflows
    FROM plan_of_day
    JOIN plan_left_out AS item ON item.commune_insee = :commune_insee AND item.plan_id = plan_of_day.plan_id
    LEFT JOIN bin ON bin.commune_insee = item.commune_insee AND bin.place_id = item.place_id
    GROUP BY 1, 2
),
planned AS (
    SELECT
        service_date, sector, sum(distance_m) / 1000 AS km, sum(seconds) / 3600 AS hours,
        count(*) FILTER (WHERE kind = 'bin') AS bins, sum(fill) AS fill, count(fill) AS fill_of,
        sum(full_at_service) AS overflows
    FROM leg
    GROUP BY service_date, sector
),
-- A round over midnight belongs to the day of its plan; what was declared without one, to its own local day.
declared AS (
    SELECT
        coalesce(version.service_date, (event.happened_at AT TIME ZONE :time_zone)::date) AS service_date,
        coalesce(bin.sector, '') AS sector, event.place_id, event.event_id, event.kind, event.happened_at,
        event.found_fraction, checked.level_before
    FROM service_event AS event
    JOIN bin ON bin.commune_insee = event.commune_insee AND bin.place_id = event.place_id
    LEFT JOIN plan_version AS version
        ON version.commune_insee = event.commune_insee AND version.plan_id = event.plan_id
    LEFT JOIN declared_check AS checked
        ON checked.commune_insee = event.commune_insee AND checked.event_id = event.event_id
    WHERE event.commune_insee = :commune_insee
        AND event.happened_at >= (:first::date - 1)::timestamp AT TIME ZONE :time_zone
        AND event.happened_at < (:last::date + 3)::timestamp AT TIME ZONE :time_zone
        AND NOT EXISTS (
            SELECT FROM service_withdrawal AS taken
            WHERE taken.commune_insee = event.commune_insee AND taken.event_id = event.event_id
        )
),
visit AS (
    SELECT leg.service_date, leg.route_index, leg.stop_index, leg.sector, min(declared.happened_at) AS visited_at
    FROM leg
    JOIN declared USING (service_date, place_id)
    WHERE leg.kind = 'bin'
    GROUP BY 1, 2, 3, 4
),
driven AS (
    SELECT
        service_date, route_index, min(stop_index) AS first_stop, max(stop_index) AS last_stop, count(*) AS visits,
        extract(EPOCH FROM max(visited_at) - min(visited_at))::float8 AS between_s
    FROM visit
    GROUP BY service_date, route_index
),
-- The planned time until the first declared stop was left, what passed until the last one without the break, and the
-- planned way home.
worked AS (
    SELECT
        driven.service_date, driven.route_index, driven.visits,
        greatest(
            driven.between_s - coalesce(
                sum(leg.rest_s) FILTER (WHERE leg.stop_index BETWEEN driven.first_stop AND driven.last_stop), 0
            ), 0
        )
        + coalesce(sum(leg.seconds) FILTER (WHERE leg.stop_index <= driven.first_stop), 0)
        + coalesce(sum(leg.seconds) FILTER (WHERE leg.stop_index > driven.last_stop AND leg.kind <> 'bin'), 0)
        AS seconds
    FROM driven
    JOIN leg USING (service_date, route_index)
    GROUP BY driven.service_date, driven.route_index, driven.visits, driven.between_s
),
done_km AS (
    SELECT leg.service_date, leg.sector, sum(leg.distance_m) / 1000 AS km
    FROM driven
    JOIN leg USING (service_date, route_index)
    WHERE leg.stop_index <= driven.last_stop OR leg.kind <> 'bin'
    GROUP BY leg.service_date, leg.sector
),
done_hours AS (
    SELECT visit.service_date, visit.sector, sum(worked.seconds / worked.visits) / 3600 AS hours
    FROM visit
    JOIN worked USING (service_date, route_index)
    GROUP BY visit.service_date, visit.sector
),
done AS (
    SELECT
        declared.service_date, declared.sector,
        count(DISTINCT declared.place_id) FILTER (WHERE declared.kind = 'emptied') AS bins,
        count(DISTINCT declared.place_id) FILTER (WHERE declared.kind = 'emptied' AND planned.place_id IS NULL)
        AS off_plan,
        sum(declared.found_fraction) FILTER (WHERE declared.kind = 'emptied') AS fill_declared,
        count(declared.found_fraction) FILTER (WHERE declared.kind = 'emptied') AS fill_declared_of,
        sum(declared.level_before) FILTER (WHERE declared.kind = 'emptied') AS fill_measured,
        count(declared.level_before) FILTER (WHERE declared.kind = 'emptied') AS fill_measured_of,
        count(DISTINCT declared.place_id) FILTER (
            WHERE declared.kind = 'overflowing' OR declared.found_fraction >= 1
        ) AS overflows
    FROM declared
    LEFT JOIN leg AS planned
        ON planned.service_date = declared.service_date AND planned.place_id = declared.place_id
            AND planned.kind = 'bin'
    WHERE declared.service_date BETWEEN :first::date AND :last::date
    GROUP BY declared.service_date, declared.sector
),
seen_only AS (
    SELECT
        (seen.emptied_before AT TIME ZONE :time_zone)::date AS service_date, coalesce(bin.sector, '') AS sector,
        count(DISTINCT seen.place_id) AS bins
    FROM detected_emptying AS seen
    JOIN bin ON bin.commune_insee = seen.commune_insee AND bin.place_id = seen.place_id
    WHERE seen.commune_insee = :commune_insee AND seen.event_id IS NULL AND seen.confidence >= :confidence
        AND seen.emptied_before >= :first::date::timestamp AT TIME ZONE :time_zone
        AND seen.emptied_before < (:last::date + 1)::timestamp AT TIME ZONE :time_zone
    GROUP BY 1, 2
),
measured AS (
    SELECT
        (level.hour AT TIME ZONE :time_zone)::date AS service_date, coalesce(bin.sector, '') AS sector,
        count(DISTINCT level.place_id) AS bins,
        count(DISTINCT level.place_id) FILTER (WHERE level.max_fraction >= 1) AS overflows
    FROM fill_hourly AS level
    JOIN bin ON bin.commune_insee = level.commune_insee AND bin.place_id = level.place_id
    WHERE level.commune_insee = :commune_insee AND level.measured > 0
        AND level.hour >= :first::date::timestamp AT TIME ZONE :time_zone
        AND level.hour < (:last::date + 1)::timestamp AT TIME ZONE :time_zone
    GROUP BY 1, 2
),
day AS (
    SELECT
        a_day::date AS service_date,
        EXISTS (SELECT FROM plan_of_day WHERE plan_of_day.service_date = a_day::date) AS is_planned,
        EXISTS (SELECT FROM done WHERE done.service_date = a_day::date) AS is_declared
    FROM generate_series(:first::date, :last::date, INTERVAL '1 day') AS a_day
),
-- What vehicles told of themselves belongs to no sector.
told_way AS (
    SELECT service_date, sum(driven_m) / 1000 AS km, sum(bridged_m) / 1000 AS bridged_km
    FROM vehicle_day
    WHERE commune_insee = :commune_insee AND service_date BETWEEN :first::date AND :last::date AND :by <> 'sector'
    GROUP BY service_date
),
known AS (SELECT EXISTS (SELECT FROM former_round WHERE commune_insee = :commune_insee) AS former),
sector AS (
    SELECT coalesce(sector, '') AS sector FROM bin WHERE commune_insee = :commune_insee
    UNION
    SELECT sector FROM former_round WHERE commune_insee = :commune_insee
    UNION
    SELECT sector FROM planned
),
-- A sector without a round on a day that has a plan was planned with nothing; a day without a plan is not known.
cell AS (
    SELECT
        day.service_date, sector.sector, day.is_planned, day.is_declared,
        CASE WHEN day.is_planned THEN coalesce(planned.km, 0) END AS planned_km,
        CASE WHEN day.is_planned THEN coalesce(planned.hours, 0) END AS planned_hours,
        CASE WHEN day.is_planned THEN coalesce(planned.bins, 0) END AS planned_bins,
        planned.fill AS planned_fill, planned.fill_of AS planned_fill_of,
        CASE WHEN day.is_planned THEN coalesce(planned.overflows, 0) + coalesce(left_out.overflows, 0) END
        AS planned_overflows,
        CASE WHEN day.is_declared AND day.is_planned THEN coalesce(done_km.km, 0) END AS done_km,
        CASE WHEN day.is_declared AND day.is_planned THEN coalesce(done_hours.hours, 0) END AS done_hours,
        told_way.km AS told_km, told_way.bridged_km,
        CASE WHEN day.is_declared THEN coalesce(done.bins, 0) END AS done_bins,
        CASE WHEN day.is_declared AND day.is_planned THEN coalesce(done.off_plan, 0) END AS done_off_plan,
        seen_only.bins AS seen_only,
        done.fill_declared, done.fill_declared_of, done.fill_measured, done.fill_measured_of,
        CASE WHEN day.is_declared THEN coalesce(done.overflows, 0) END AS done_overflows,
        measured.overflows AS measured_overflows, coalesce(measured.bins, 0) AS measured_bins,
        CASE WHEN known.former THEN coalesce(former.km, 0) END AS former_km,
        CASE WHEN known.former THEN coalesce(former.hours, 0) END AS former_hours,
        CASE WHEN known.former AND former.km IS NULL THEN 0 ELSE former.bins END AS former_bins
    FROM day
    CROSS JOIN sector
    CROSS JOIN known
    LEFT JOIN planned USING (service_date, sector)
    LEFT JOIN left_out USING (service_date, sector)
    LEFT JOIN done USING (service_date, sector)
    LEFT JOIN done_km USING (service_date, sector)
    LEFT JOIN done_hours USING (service_date, sector)
    LEFT JOIN seen_only USING (service_date, sector)
    LEFT JOIN measured USING (service_date, sector)
    LEFT JOIN told_way
        ON told_way.service_date = day.service_date AND sector.sector = (SELECT min(sector) FROM sector)
    LEFT JOIN former_round AS former
        ON former.commune_insee = :commune_insee AND former.sector = sector.sector
            AND former.weekday = extract(ISODOW FROM day.service_date)
)
SELECT
    CASE :by
        WHEN 'day' THEN to_char(service_date, 'YYYY-MM-DD')
        WHEN 'month' THEN to_char(service_date, 'YYYY-MM')
        ELSE sector
    END AS key,
    count(DISTINCT service_date) AS days,
    count(DISTINCT service_date) FILTER (WHERE is_planned) AS planned_days,
    sum(planned_km) AS planned_km,
    sum(planned_hours) AS planned_hours,
    sum(planned_bins)::bigint AS planned_bins,
    sum(planned_fill) / nullif(sum(planned_fill_of), 0)::float8 AS planned_fill_fraction,
    sum(planned_overflows) AS planned_overflows,
    sum(planned_km) * :co2_kg_per_km::float8 AS planned_co2_kg,
    count(DISTINCT service_date) FILTER (WHERE is_declared) AS done_days,
    sum(done_km) AS done_km,
    sum(done_hours) AS done_hours,
    sum(told_km) AS done_told_km,
    sum(bridged_km) AS done_bridged_km,
    sum(done_bins)::bigint AS done_bins,
    sum(done_off_plan)::bigint AS done_bins_off_plan,
    sum(seen_only)::bigint AS done_bins_seen_only,
    sum(fill_declared)::float8 / nullif(sum(fill_declared_of), 0)::float8 AS done_fill_declared_fraction,
    sum(fill_measured)::float8 / nullif(sum(fill_measured_of), 0)::float8 AS done_fill_measured_fraction,
    sum(done_overflows)::bigint AS done_overflows_declared,
    sum(measured_overflows)::bigint AS done_overflows_measured,
    sum(measured_bins)::bigint AS done_bins_measured,
    sum(done_km) * :co2_kg_per_km::float8 AS done_co2_kg,
    sum(former_km) AS former_km,
    sum(former_hours) AS former_hours,
    CASE WHEN bool_and(former_bins IS NOT NULL) THEN sum(former_bins)::bigint END AS former_bins,
    sum(former_km) * :co2_kg_per_km::float8 AS former_co2_kg,
    count(DISTINCT service_date) FILTER (WHERE done_km IS NOT NULL AND former_km IS NOT NULL) AS compared_days,
    sum(done_km) FILTER (WHERE former_km IS NOT NULL) AS compared_done_km,
    sum(former_km) FILTER (WHERE done_km IS NOT NULL) AS compared_former_km
FROM cell
GROUP BY 1
ORDER BY 1;
