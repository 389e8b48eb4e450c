-- A plan never changes; what becomes of it does: drafts are published, published plans are superseded. Events of
-- vehicles and where they are, which repairs start from. The requests that a worker answers.
CREATE TABLE plan_version (
    commune_insee text NOT NULL,
    plan_id       uuid NOT NULL,
    service_date  date NOT NULL,
    status        text NOT NULL CHECK (status IN ('draft', 'published', 'superseded', 'discarded')),
    version       integer CHECK (version > 0),
    origin        text NOT NULL CHECK (origin IN ('planned', 'edited', 'repaired')),
    based_on      uuid,
    made_by       text NOT NULL CHECK (made_by <> ''),
    made_at       timestamptz NOT NULL,
    published_by  text,
    published_at  timestamptz,
    edits         jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(edits) = 'array'),
    difference    jsonb,
    PRIMARY KEY (commune_insee, plan_id),
    FOREIGN KEY (commune_insee, plan_id) REFERENCES plan ON DELETE CASCADE,
    FOREIGN KEY (commune_insee, based_on) REFERENCES plan,
    UNIQUE (commune_insee, service_date, version),
    CHECK ((status IN ('published', 'superseded')) = (version IS NOT NULL)),
    CHECK ((version IS NULL) = (published_at IS NULL) AND (version IS NULL) = (published_by IS NULL))
);
CREATE UNIQUE INDEX plan_version_one_is_published ON plan_version (commune_insee, service_date)
WHERE status = 'published';

INSERT INTO plan_version (
    commune_insee, plan_id, service_date, status, version, origin, made_by, made_at, published_by, published_at
)
SELECT
    commune_insee, plan_id, service_date,
    CASE
        WHEN row_number() OVER (PARTITION BY commune_insee, service_date ORDER BY made_at DESC, plan_id DESC) = 1
            THEN 'published'
        ELSE 'superseded'
    END,
    row_number() OVER (PARTITION BY commune_insee, service_date ORDER BY made_at, plan_id),
    'planned', 'voirie', made_at, 'voirie', made_at
FROM plan;

-- Who did what to a plan and when, by the town's clock. Rows are only ever added.
CREATE TABLE plan_audit (
    audit_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    commune_insee text NOT NULL REFERENCES commune,
    plan_id       uuid NOT NULL,
    service_date  date NOT NULL,
    happened_at   timestamptz NOT NULL,
    done_by       text NOT NULL CHECK (done_by <> ''),
    action        text NOT NULL CHECK (action IN ('drafted', 'published', 'superseded', 'discarded')),
    detail        jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX plan_audit_of_day ON plan_audit (commune_insee, service_date, audit_id);

CREATE FUNCTION refuse_to_rewrite_plan_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'plan_audit is only ever added to' USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER plan_audit_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_audit
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_plan_audit();

-- What is asked of the worker that has the streets in memory, and its answer. The client makes the id, so that a
-- request sent again is the same one.
CREATE TABLE plan_request (
    commune_insee text NOT NULL REFERENCES commune,
    request_id    uuid NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('edit')),
    plan_id       uuid NOT NULL,
    content       jsonb NOT NULL,
    asked_by      text NOT NULL CHECK (asked_by <> ''),
    asked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'refused', 'failed')),
    made_plan_id  uuid,
    answer        jsonb,
    answered_at   timestamptz,
    PRIMARY KEY (commune_insee, request_id),
    FOREIGN KEY (commune_insee, plan_id) REFERENCES plan,
    CHECK ((state = 'waiting') = (answered_at IS NULL)),
    CHECK ((state = 'done') = (made_plan_id IS NOT NULL))
);
CREATE INDEX plan_request_waiting ON plan_request (commune_insee, asked_at) WHERE state = 'waiting';

CREATE TABLE vehicle_event (
    commune_insee text NOT NULL,
    event_id      uuid NOT NULL,
    vehicle_id    text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('broken', 'back')),
    happened_at   timestamptz NOT NULL,
    received_at   timestamptz NOT NULL DEFAULT now(),
    comment       text,
    PRIMARY KEY (commune_insee, event_id),
    FOREIGN KEY (commune_insee, vehicle_id) REFERENCES vehicle
);
CREATE INDEX vehicle_event_of_vehicle ON vehicle_event (commune_insee, vehicle_id, happened_at DESC);

-- Where a vehicle is now and what its driver is heading for: the last word alone, since a trace would follow a crew.
CREATE TABLE vehicle_position (
    commune_insee text NOT NULL,
    vehicle_id    text NOT NULL,
    told_at       timestamptz NOT NULL,
    longitude_deg double precision NOT NULL CHECK (longitude_deg BETWEEN -180 AND 180),
    latitude_deg  double precision NOT NULL CHECK (latitude_deg BETWEEN -90 AND 90),
    next_place_id text,
    PRIMARY KEY (commune_insee, vehicle_id),
    FOREIGN KEY (commune_insee, vehicle_id) REFERENCES vehicle ON DELETE CASCADE
);
