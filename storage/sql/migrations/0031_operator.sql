-- What an operator sees of the job queue, of the processes and of the disk without a right to read any of them: sums alone,
-- and nothing of what a job was given.

CREATE FUNCTION voirie_jobs() RETURNS TABLE (
    task_name text, waiting bigint, under_way bigint, under_way_since timestamptz, succeeded_at timestamptz,
    succeeded_s double precision, failed bigint, failed_at timestamptz, failed_job_id bigint, periodic_at timestamptz,
    period_s double precision
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH mine AS (
        SELECT job.id, job.task_name, job.status
        FROM procrastinate_jobs AS job
        -- A job without a commune is done for all of them.
        WHERE NOT job.args ? 'commune_insee' OR job.args ->> 'commune_insee' = ANY (voirie_communes())
    ),
    summed AS (
        SELECT
            task_name,
            count(*) FILTER (WHERE status = 'todo') AS waiting,
            count(*) FILTER (WHERE status = 'doing') AS under_way,
            count(*) FILTER (WHERE status = 'failed') AS failed,
            max(id) FILTER (WHERE status = 'doing') AS doing_id,
            max(id) FILTER (WHERE status = 'succeeded') AS succeeded_id,
            max(id) FILTER (WHERE status = 'failed') AS failed_id
        FROM mine
        GROUP BY task_name
    ),
    rhythm AS (
        SELECT task_name, max(to_timestamp(defer_timestamp)) AS periodic_at, max(gap_s) FILTER (WHERE place = 1) AS period_s
        FROM (
            SELECT
                task_name, defer_timestamp,
                (defer_timestamp - lag(defer_timestamp) OVER (PARTITION BY task_name ORDER BY defer_timestamp))::float8
                    AS gap_s,
                row_number() OVER (PARTITION BY task_name ORDER BY defer_timestamp DESC) AS place
            FROM procrastinate_periodic_defers
            WHERE job_id IN (SELECT id FROM mine) OR job_id IS NULL
        ) AS deferred
        GROUP BY task_name
    )
    SELECT
        summed.task_name::text, summed.waiting, summed.under_way, started.at, ended.at,
        extract(epoch FROM ended.at - begun.at)::float8, summed.failed, broken.at, summed.failed_id, rhythm.periodic_at,
        rhythm.period_s
    FROM summed
    LEFT JOIN rhythm USING (task_name)
    LEFT JOIN LATERAL (
        SELECT max(at) AS at FROM procrastinate_events WHERE job_id = summed.doing_id AND type = 'started'
    ) AS started ON true
    LEFT JOIN LATERAL (
        SELECT max(at) AS at FROM procrastinate_events WHERE job_id = summed.succeeded_id AND type = 'started'
    ) AS begun ON true
    LEFT JOIN LATERAL (
        SELECT max(at) AS at FROM procrastinate_events WHERE job_id = summed.succeeded_id AND type = 'succeeded'
    ) AS ended ON true
    LEFT JOIN LATERAL (
        SELECT max(at) AS at FROM procrastinate_events WHERE job_id = summed.failed_id AND type = 'failed'
    ) AS broken ON true
    ORDER BY 1;
END
$$;

-- Our processes by the name under which they connect.
CREATE FUNCTION voirie_processes() RETURNS TABLE (name text, connections bigint, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT application_name, count(*), min(backend_start)
    FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'voirie%'
    GROUP BY application_name
    ORDER BY application_name
$$;

-- Bytes on the disk: the whole database's (name ''), and the largest tables' with their chunks and indexes.
CREATE FUNCTION voirie_disk() RETURNS TABLE (name text, bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT '', pg_database_size(current_database())
    UNION ALL
    (
        SELECT
            relation.relname::text,
            pg_total_relation_size(relation.oid) + coalesce(
                (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = relation.oid), 0
            )::bigint
        FROM pg_class AS relation
        WHERE relation.relnamespace = 'public'::regnamespace AND relation.relkind IN ('r', 'p')
        ORDER BY 2 DESC
        LIMIT 12
    )
$$;
