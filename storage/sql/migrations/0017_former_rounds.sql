-- What a town drove before rounds were planned: by sector and weekday, told or computed from its calendar.
CREATE TABLE former_round (
    commune_insee text NOT NULL REFERENCES commune,
    sector        text NOT NULL CHECK (sector <> ''),
    weekday       smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    km            double precision NOT NULL CHECK (km >= 0),
    hours         double precision NOT NULL CHECK (hours >= 0),
    bins          integer CHECK (bins >= 0),
    computed      boolean NOT NULL DEFAULT false,
    source        text NOT NULL DEFAULT '',
    PRIMARY KEY (commune_insee, sector, weekday)
);
