-- What rounds have to know of bins, vehicles and disposal sites beyond where they are; none has to have a row here.
CREATE TABLE bin_rule (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    max_width_cm  integer CHECK (max_width_cm > 0),
    crew          smallint NOT NULL DEFAULT 1 CHECK (crew BETWEEN 1 AND 9),
    vehicle_kinds text[] NOT NULL DEFAULT '{}',
    windows       jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(windows) = 'array'),
    kg_per_l      real NOT NULL DEFAULT 0 CHECK (kg_per_l >= 0),
    PRIMARY KEY (commune_insee, place_id),
    FOREIGN KEY (commune_insee, place_id) REFERENCES bin ON DELETE CASCADE
);

CREATE TABLE vehicle_rule (
    commune_insee      text NOT NULL,
    vehicle_id         text NOT NULL,
    capacity_kg        real CHECK (capacity_kg >= 0),
    width_cm           integer NOT NULL DEFAULT 0 CHECK (width_cm >= 0),
    kind               text NOT NULL DEFAULT '',
    crew               smallint NOT NULL DEFAULT 1 CHECK (crew BETWEEN 1 AND 9),
    range_m            real CHECK (range_m >= 0),
    end_depot_id       text,
    overtime_s         real NOT NULL DEFAULT 0 CHECK (overtime_s >= 0),
    unloadings_at_most smallint CHECK (unloadings_at_most >= 0),
    home_empty         boolean NOT NULL DEFAULT true,
    km_eur             real CHECK (km_eur >= 0),
    hour_eur           real CHECK (hour_eur >= 0),
    out_eur            real CHECK (out_eur >= 0),
    overtime_hour_eur  real CHECK (overtime_hour_eur >= 0),
    sectors            text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (commune_insee, vehicle_id),
    FOREIGN KEY (commune_insee, vehicle_id) REFERENCES vehicle ON DELETE CASCADE,
    FOREIGN KEY (commune_insee, end_depot_id) REFERENCES place (commune_insee, place_id)
);

CREATE TABLE disposal_rule (
    commune_insee text NOT NULL,
    place_id      text NOT NULL,
    windows       jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(windows) = 'array'),
    PRIMARY KEY (commune_insee, place_id),
    FOREIGN KEY (commune_insee, place_id) REFERENCES disposal_site ON DELETE CASCADE
);
