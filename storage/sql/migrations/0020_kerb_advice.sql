-- Advice on delivery areas as it was made, with its evidence: what a town decided by can be read years later.
CREATE TABLE kerb_advice (
    commune_insee text NOT NULL REFERENCES commune,
    advice_id     uuid NOT NULL,
    as_of         timestamptz NOT NULL,
    made_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    document      jsonb NOT NULL,
    PRIMARY KEY (commune_insee, advice_id)
);
CREATE INDEX kerb_advice_newest ON kerb_advice (commune_insee, made_at DESC);
