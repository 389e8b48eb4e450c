-- Longer spans of the kerb's figures, so that a year is told from some lines of each place or street and not from hundreds:
-- they are only sums of `kerb_day`, `kerb_month` and `kerb_hour`, and the worker makes those that are missing.

-- While this is the moment at which figures were made last, the spans below are their sums. Older code makes figures without.
ALTER TABLE observatory ADD COLUMN rolled_up_at timestamptz;

-- `part`: five days of a month from its 1st, 6th, 11th, 16th and 21st, and what is left from its 26th. `season`: the three
-- months from January, April, July and October.
CREATE TABLE kerb_place_span (
    commune_insee text NOT NULL,
    span          text NOT NULL CHECK (span IN ('part', 'season')),
    first         date NOT NULL,
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
    PRIMARY KEY (commune_insee, span, first, place_id)
);

-- Months and seasons of `kerb_hour`, without what a question does not tell apart: that column is null.
CREATE TABLE kerb_hour_span (
    commune_insee text NOT NULL,
    told_by       text NOT NULL CHECK (told_by IN ('hour_class', 'hour_street', 'class_street')),
    span          text NOT NULL CHECK (span IN ('month', 'season')),
    first         date NOT NULL,
    hour          smallint CHECK (hour BETWEEN 0 AND 23),
    day_class     text CHECK (day_class IN ('workday', 'saturday', 'sunday')),
    kind          text NOT NULL,
    street        text,
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
    CHECK ((hour IS NULL) = (told_by = 'class_street')),
    CHECK ((day_class IS NULL) = (told_by = 'hour_street')),
    CHECK ((street IS NULL) = (told_by = 'hour_class'))
);
CREATE INDEX kerb_hour_span_of ON kerb_hour_span (commune_insee, told_by, span, first);
