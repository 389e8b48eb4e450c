-- What officers do about a place at the kerb: take a check, release it, close it with a cause. Nothing here says anything of
-- a vehicle, and `told_by` is a role ("Patrouille 2"), not a person.

-- Every tap, for good measure: rows come, and go by retention alone. `happened_at` is the commune's clock, `told_at` ours.
-- `device_id` is the sensor that was on the place then. The place is not referred to: what was done outlives it.
CREATE TABLE kerb_check_event (
    commune_insee text NOT NULL REFERENCES commune,
    event_id      uuid NOT NULL,
    place_id      text NOT NULL,
    act           text NOT NULL CHECK (act IN ('taken', 'released', 'closed')),
    cause         text CHECK (cause IN ('gone', 'tolerated', 'booked', 'authorised', 'sensor_wrong', 'other')),
    comment       text CHECK (length(comment) BETWEEN 1 AND 200),
    told_by       text NOT NULL CHECK (length(told_by) BETWEEN 1 AND 40),
    device_id     bigint,
    happened_at   timestamptz NOT NULL,
    told_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (commune_insee, event_id),
    CHECK ((act = 'closed') = (cause IS NOT NULL)),
    CHECK (comment IS NULL OR act = 'closed'),
    CHECK (cause <> 'other' OR comment IS NOT NULL)
);
CREATE INDEX kerb_check_event_by_time ON kerb_check_event (commune_insee, happened_at DESC);
CREATE INDEX kerb_check_event_of_device ON kerb_check_event (commune_insee, device_id, happened_at DESC)
WHERE act = 'closed' AND device_id IS NOT NULL;

CREATE FUNCTION refuse_to_rewrite_checks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.told_at < now() - INTERVAL '365 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'kerb_check_event keeps what officers told: rows are never changed, nor deleted within a year'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER kerb_check_event_is_append_only BEFORE UPDATE OR DELETE ON kerb_check_event
FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite_checks();
CREATE TRIGGER kerb_check_event_is_never_emptied BEFORE TRUNCATE ON kerb_check_event
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_checks();

-- How the check of a place stands. `holder_id` is made by the phone that took it and forgotten when it ends; a take holds
-- until `expires_at`. What stood there by `closed_at` is not proposed again.
CREATE TABLE kerb_check (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    holder_id     uuid,
    taken_by      text,
    taken_at      timestamptz,
    expires_at    timestamptz CHECK (expires_at > taken_at),
    closed_at     timestamptz,
    cause         text,
    PRIMARY KEY (commune_insee, place_id),
    FOREIGN KEY (commune_insee, place_id) REFERENCES place ON DELETE CASCADE,
    CHECK ((holder_id IS NULL) = (taken_by IS NULL)),
    CHECK ((holder_id IS NULL) = (taken_at IS NULL)),
    CHECK ((holder_id IS NULL) = (expires_at IS NULL)),
    CHECK ((closed_at IS NULL) = (cause IS NULL))
);

-- Maps and lists around a point read a strip of longitudes instead of the commune.
CREATE INDEX place_by_position ON place (commune_insee, longitude_deg, latitude_deg);
