-- Told dwells of the last four weeks by kind of place, in the classes of `session_hourly`: how long who stands there still
-- stays. No single stay is seen in it.
CREATE TABLE stay_law (
    commune_insee text NOT NULL REFERENCES commune,
    kind          text NOT NULL CHECK (kind IN ('delivery_bay', 'parking_space')),
    as_of         timestamptz NOT NULL,
    dwell_counts  bigint[] NOT NULL CHECK (cardinality(dwell_counts) = 13),
    PRIMARY KEY (commune_insee, kind)
);

-- Transactions that changed places at the kerb or their rules. A server keeps twenty thousand of them in memory and reads in
-- each request how many rows are here: what it sees of them it sees of the places, too.
CREATE TABLE kerb_change (
    commune_insee  text NOT NULL REFERENCES commune ON DELETE CASCADE,
    transaction_id bigint NOT NULL,
    PRIMARY KEY (commune_insee, transaction_id)
);

CREATE FUNCTION note_kerb_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kerb_change (commune_insee, transaction_id)
    VALUES (coalesce(NEW.commune_insee, OLD.commune_insee), pg_current_xact_id()::text::bigint)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER place_notes_kerb_change AFTER INSERT OR UPDATE OR DELETE ON place
FOR EACH ROW EXECUTE FUNCTION note_kerb_change();
CREATE TRIGGER kerb_place_notes_kerb_change AFTER INSERT OR UPDATE OR DELETE ON kerb_place
FOR EACH ROW EXECUTE FUNCTION note_kerb_change();
CREATE TRIGGER rule_set_notes_kerb_change AFTER INSERT OR UPDATE OR DELETE ON rule_set
FOR EACH ROW EXECUTE FUNCTION note_kerb_change();
