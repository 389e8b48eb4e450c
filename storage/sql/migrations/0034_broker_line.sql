-- How each collector's line to its broker stands, as it told it last, for each commune whose messages come by it.
CREATE TABLE broker_line (
    commune_insee text NOT NULL REFERENCES commune,
    collector     text NOT NULL,
    broker        text NOT NULL,
    connected     boolean NOT NULL,
    subscribed    boolean NOT NULL,
    since         timestamptz NOT NULL,
    told_at       timestamptz NOT NULL,
    waiting       integer NOT NULL CHECK (waiting >= 0),
    lag_s         double precision NOT NULL CHECK (lag_s >= 0),
    PRIMARY KEY (commune_insee, collector)
);
