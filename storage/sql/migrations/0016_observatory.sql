-- The observatory of the kerb: what is asked of a year must not be summed up from a hundred million hours. Days, months and
-- hours of the day are local; the figures add up, and none shows a single stay. Sessions and readings may be forgotten.

-- Local days before `observed_until` are in the tables below; those from `changed_since` on have changed since.
CREATE TABLE observatory (
    commune_insee  text PRIMARY KEY REFERENCES commune ON DELETE CASCADE,
    observed_until date NOT NULL,
    changed_since  date,
    made_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE kerb_day (
    commune_insee text NOT NULL,
    day           date NOT NULL,
    place_id      text NOT NULL,
    awaited_s     integer NOT NULL,
    known_s       integer NOT NULL,
    occupied_s    integer NOT NULL,
    saturated_s   integer NOT NULL,
    sessions      integer NOT NULL,
    dwells        integer NOT NULL,
    dwell_s       bigint NOT NULL,
    dwell_counts  integer[],
    limited       integer NOT NULL,
    overstays     integer NOT NULL,
    overstay_s    bigint NOT NULL,
    wanted        double precision,
    refused       double precision,
    refused_var   double precision,
    PRIMARY KEY (commune_insee, day, place_id)
);

CREATE TABLE kerb_month (
    commune_insee text NOT NULL,
    month         date NOT NULL,
    place_id      text NOT NULL,
    awaited_s     bigint NOT NULL,
    known_s       bigint NOT NULL,
    occupied_s    bigint NOT NULL,
    saturated_s   bigint NOT NULL,
    sessions      bigint NOT NULL,
    dwells        bigint NOT NULL,
    dwell_s       bigint NOT NULL,
    dwell_counts  integer[],
    limited       bigint NOT NULL,
    overstays     bigint NOT NULL,
    overstay_s    bigint NOT NULL,
    wanted        double precision,
    refused       double precision,
    refused_var   double precision,
    PRIMARY KEY (commune_insee, month, place_id)
);

-- Streets by hour of the day; a street or quarter that a place has none of is empty.
CREATE TABLE kerb_hour (
    commune_insee text NOT NULL,
    month         date NOT NULL,
    hour          smallint NOT NULL CHECK (hour BETWEEN 0 AND 23),
    day_class     text NOT NULL CHECK (day_class IN ('workday', 'saturday', 'sunday')),
    kind          text NOT NULL,
    street        text NOT NULL,
    quarter       text NOT NULL,
    awaited_s     bigint NOT NULL,
    known_s       bigint NOT NULL,
    occupied_s    bigint NOT NULL,
    saturated_s   bigint NOT NULL,
    sessions      bigint NOT NULL,
    dwells        bigint NOT NULL,
    dwell_s       bigint NOT NULL,
    dwell_counts  integer[],
    limited       bigint NOT NULL,
    overstays     bigint NOT NULL,
    overstay_s    bigint NOT NULL,
    wanted        double precision,
    refused       double precision,
    refused_var   double precision,
    PRIMARY KEY (commune_insee, month, hour, day_class, kind, street, quarter)
);
