-- What the town tells of days that are not like others: markets and events, for once or each week.
CREATE TABLE town_event (
    commune_insee text NOT NULL REFERENCES commune,
    event_id      uuid NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('market', 'event')),
    name          text NOT NULL CHECK (name <> ''),
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL CHECK (ends_at > starts_at),
    weekly_until  date,
    longitude_deg double precision CHECK (longitude_deg BETWEEN -180 AND 180),
    latitude_deg  double precision CHECK (latitude_deg BETWEEN -90 AND 90),
    radius_m      real CHECK (radius_m > 0),
    told_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (commune_insee, event_id),
    UNIQUE (commune_insee, name, starts_at),
    CHECK ((longitude_deg IS NULL) = (latitude_deg IS NULL) AND (longitude_deg IS NULL) = (radius_m IS NULL))
);
