-- How a day's forecasts, made before, held against what sensors and crews then said: what drift is watched by.
CREATE TABLE forecast_score (
    commune_insee text NOT NULL REFERENCES commune,
    day           date NOT NULL,
    ahead_h       smallint NOT NULL,
    bin_group     text NOT NULL,
    levels        integer NOT NULL CHECK (levels >= 0),
    bins          integer NOT NULL CHECK (bins >= 0),
    mae_points    real,
    bias_points   real,
    coverage_80   real CHECK (coverage_80 BETWEEN 0 AND 1),
    coverage_90   real CHECK (coverage_90 BETWEEN 0 AND 1),
    width_80_points real,
    in_band       boolean,
    PRIMARY KEY (commune_insee, day, ahead_h, bin_group),
    CHECK ((levels = 0) = (mae_points IS NULL))
);
