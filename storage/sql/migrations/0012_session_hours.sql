-- Hourly figures of stays whose sessions are forgotten: no single stay is seen in them.
CREATE TABLE session_hourly_kept (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    hour          timestamptz NOT NULL,
    sessions      bigint NOT NULL,
    dwells        bigint NOT NULL,
    dwell_s       double precision NOT NULL,
    dwell_counts  bigint[] NOT NULL,
    limited       bigint NOT NULL,
    overstays     bigint NOT NULL,
    overstay_s    double precision NOT NULL,
    PRIMARY KEY (commune_insee, place_id, hour)
);
