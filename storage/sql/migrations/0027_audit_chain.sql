-- The audit trail that shows tampering (decision "audit chain"). Rows of the audited tables stay where they are; for each, the
-- chain of its commune gets an entry at commit, which seals what the row says and hashes the entry before it. Whoever writes the
-- row cannot write the entry.

-- What has no journal of its own: imports, accounts, settings, what retention took, exports and erasures of a person's data.
-- `commune_insee` is '*' for what concerns the installation as a whole. `actor` and `subject` are ids or roles where they can be.
CREATE TABLE audit_note (
    note_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    commune_insee text NOT NULL,
    recorded_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor         text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    act           text NOT NULL CHECK (act ~ '^[a-z][a-z_]*(\.[a-z][a-z_]*)+$' AND length(act) <= 80),
    subject       text NOT NULL DEFAULT '' CHECK (length(subject) <= 400),
    details       jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object')
);
CREATE INDEX audit_note_by_time ON audit_note (commune_insee, recorded_at);

-- One link. `seal` is SHA-256 over the salt and the text of the audited row; `digest` is SHA-256 over all other columns (see
-- voirie_audit_digest). Nobody's data is in it: without its salt a seal says nothing about what was sealed.
CREATE TABLE audit_entry (
    commune_insee text NOT NULL,
    sequence      bigint NOT NULL CHECK (sequence > 0),
    chained_at    timestamptz NOT NULL,
    told_at       timestamptz NOT NULL,
    act           text NOT NULL,
    source        text NOT NULL,
    source_key    text NOT NULL,
    seal          bytea NOT NULL CHECK (length(seal) = 32),
    previous      bytea NOT NULL CHECK (length(previous) = 32),
    digest        bytea NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (commune_insee, sequence),
    UNIQUE (source, source_key, commune_insee)
);

-- Gone with the person's name when it is erased, and with the row when retention takes it.
CREATE TABLE audit_salt (
    commune_insee text NOT NULL,
    sequence      bigint NOT NULL,
    salt          bytea NOT NULL CHECK (length(salt) = 32),
    PRIMARY KEY (commune_insee, sequence)
);

-- The text of an audited row that is sealed: these columns for ever, whatever the table gets besides.
CREATE FUNCTION voirie_audit_text(source text, audited jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_object_agg(key, value)::text
    FROM jsonb_each(audited)
    WHERE key = ANY (
        CASE source
            WHEN 'audit_note' THEN '{note_id,commune_insee,recorded_at,actor,act,subject,details}'
            WHEN 'plan_audit' THEN '{audit_id,commune_insee,plan_id,service_date,happened_at,done_by,action,detail}'
            WHEN 'kerb_check_event'
                THEN '{commune_insee,event_id,place_id,act,cause,comment,told_by,device_id,happened_at,told_at}'
            WHEN 'device_change'
                THEN '{change_id,commune_insee,device_id,kind,happened_at,recorded_at,place_id,author,comment,detail}'
        END::text[]
    )
$$;

CREATE FUNCTION voirie_audit_digest(entry audit_entry) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT sha256(convert_to(concat_ws(
        E'\n',
        'voirie audit 1',
        entry.commune_insee,
        entry.sequence,
        to_char(entry.chained_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        to_char(entry.told_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        entry.act,
        entry.source,
        entry.source_key,
        encode(entry.seal, 'hex'),
        encode(entry.previous, 'hex')
    ), 'UTF8'))
$$;

-- Arguments: the column that is the row's key, the one of its time, the one of its act, and what the act's name begins with.
-- At commit, so that it is the last lock that anybody waits for; the lock makes sequences without gaps.
CREATE FUNCTION voirie_audit_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    audited jsonb := to_jsonb(NEW);
    fresh   bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    newest  public.audit_entry;
    entry   public.audit_entry;
BEGIN
    PERFORM pg_advisory_xact_lock(1987012979, hashtext(NEW.commune_insee));
    SELECT * INTO newest FROM public.audit_entry AS e
    WHERE e.commune_insee = NEW.commune_insee ORDER BY e.sequence DESC LIMIT 1;
    entry.commune_insee := NEW.commune_insee;
    entry.sequence := coalesce(newest.sequence, 0) + 1;
    entry.chained_at := clock_timestamp();
    entry.told_at := (audited ->> TG_ARGV[1])::timestamptz;
    entry.act := TG_ARGV[3] || (audited ->> TG_ARGV[2]);
    entry.source := TG_TABLE_NAME;
    entry.source_key := audited ->> TG_ARGV[0];
    entry.seal := sha256(fresh || convert_to(public.voirie_audit_text(entry.source, audited), 'UTF8'));
    entry.previous := coalesce(newest.digest, decode(repeat('00', 32), 'hex'));
    entry.digest := public.voirie_audit_digest(entry);
    INSERT INTO public.audit_entry SELECT entry.*;
    INSERT INTO public.audit_salt VALUES (entry.commune_insee, entry.sequence, fresh);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION voirie_audit_chain() FROM PUBLIC;

CREATE CONSTRAINT TRIGGER audit_note_is_chained AFTER INSERT ON audit_note DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION voirie_audit_chain('note_id', 'recorded_at', 'act', '');
CREATE CONSTRAINT TRIGGER plan_audit_is_chained AFTER INSERT ON plan_audit DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION voirie_audit_chain('audit_id', 'happened_at', 'action', 'plan.');
CREATE CONSTRAINT TRIGGER kerb_check_event_is_chained AFTER INSERT ON kerb_check_event DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION voirie_audit_chain('event_id', 'told_at', 'act', 'check.');
CREATE CONSTRAINT TRIGGER device_change_is_chained AFTER INSERT ON device_change DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION voirie_audit_chain('change_id', 'recorded_at', 'kind', 'device.');

-- Rows that tell what was done change by one thing alone: a person's name is erased from them, by the tables' owner and in a
-- transaction that says so (voirie.erasing). The columns that may change are the trigger's arguments.
CREATE FUNCTION voirie_refuse_to_rewrite() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('voirie.erasing', true) = 'yes'
        AND to_jsonb(OLD) - TG_ARGV = to_jsonb(NEW) - TG_ARGV THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'kerb_check_event' THEN
        IF (to_jsonb(OLD) ->> 'told_at')::timestamptz < now() - INTERVAL '365 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit_note' THEN
        IF (to_jsonb(OLD) ->> 'recorded_at')::timestamptz < now() - INTERVAL '180 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '% is only ever added to: its rows are never changed, nor deleted before their time', TG_TABLE_NAME
        USING ERRCODE = CASE TG_TABLE_NAME
            WHEN 'plan_audit' THEN 'integrity_constraint_violation' ELSE 'restrict_violation'
        END;
END
$$;

DROP TRIGGER plan_audit_is_only_added_to ON plan_audit;
DROP FUNCTION refuse_to_rewrite_plan_audit();
CREATE TRIGGER plan_audit_is_only_added_to BEFORE UPDATE OR DELETE ON plan_audit
FOR EACH ROW EXECUTE FUNCTION voirie_refuse_to_rewrite('done_by', 'detail');
CREATE TRIGGER plan_audit_is_never_emptied BEFORE TRUNCATE ON plan_audit
FOR EACH STATEMENT EXECUTE FUNCTION voirie_refuse_to_rewrite();

DROP TRIGGER kerb_check_event_is_append_only ON kerb_check_event;
DROP TRIGGER kerb_check_event_is_never_emptied ON kerb_check_event;
DROP FUNCTION refuse_to_rewrite_checks();
CREATE TRIGGER kerb_check_event_is_append_only BEFORE UPDATE OR DELETE ON kerb_check_event
FOR EACH ROW EXECUTE FUNCTION voirie_refuse_to_rewrite('told_by', 'comment');
CREATE TRIGGER kerb_check_event_is_never_emptied BEFORE TRUNCATE ON kerb_check_event
FOR EACH STATEMENT EXECUTE FUNCTION voirie_refuse_to_rewrite();

CREATE TRIGGER audit_note_is_only_added_to BEFORE UPDATE OR DELETE ON audit_note
FOR EACH ROW EXECUTE FUNCTION voirie_refuse_to_rewrite('actor', 'subject', 'details');
CREATE TRIGGER audit_note_is_never_emptied BEFORE TRUNCATE ON audit_note
FOR EACH STATEMENT EXECUTE FUNCTION voirie_refuse_to_rewrite();
CREATE TRIGGER audit_entry_is_only_added_to BEFORE UPDATE OR DELETE ON audit_entry
FOR EACH ROW EXECUTE FUNCTION voirie_refuse_to_rewrite();
CREATE TRIGGER audit_entry_is_never_emptied BEFORE TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION voirie_refuse_to_rewrite();

-- The note's time is the server's, whatever its writer says.
CREATE FUNCTION voirie_note_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.recorded_at := clock_timestamp();
    RETURN NEW;
END
$$;
CREATE TRIGGER audit_note_is_of_now BEFORE INSERT ON audit_note FOR EACH ROW EXECUTE FUNCTION voirie_note_now();

-- What was told before there was a chain begins it, in the order in which it was told.
CREATE TEMPORARY TABLE audit_begun ON COMMIT DROP AS
SELECT
    source, source_key, commune_insee, told_at, act, audited,
    row_number() OVER (PARTITION BY commune_insee ORDER BY told_at, source, source_key) AS sequence
FROM (
    SELECT 'plan_audit' AS source, audit_id::text AS source_key, commune_insee, happened_at AS told_at,
        'plan.' || action AS act, to_jsonb(plan_audit) AS audited
    FROM plan_audit
    UNION ALL
    SELECT 'kerb_check_event', event_id::text, commune_insee, told_at, 'check.' || act, to_jsonb(kerb_check_event)
    FROM kerb_check_event
    UNION ALL
    SELECT 'device_change', change_id::text, commune_insee, recorded_at, 'device.' || kind, to_jsonb(device_change)
    FROM device_change
) AS told;

DO $$
DECLARE
    begun  record;
    entry  audit_entry;
    fresh  bytea;
BEGIN
    FOR begun IN SELECT * FROM audit_begun ORDER BY commune_insee, sequence LOOP
        fresh := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
        entry.previous := CASE WHEN begun.sequence = 1 THEN decode(repeat('00', 32), 'hex') ELSE entry.digest END;
        entry.commune_insee := begun.commune_insee;
        entry.sequence := begun.sequence;
        entry.chained_at := clock_timestamp();
        entry.told_at := begun.told_at;
        entry.act := begun.act;
        entry.source := begun.source;
        entry.source_key := begun.source_key;
        entry.seal := sha256(fresh || convert_to(voirie_audit_text(entry.source, begun.audited), 'UTF8'));
        entry.digest := voirie_audit_digest(entry);
        INSERT INTO audit_entry SELECT entry.*;
        INSERT INTO audit_salt VALUES (entry.commune_insee, entry.sequence, fresh);
    END LOOP;
END
$$;
