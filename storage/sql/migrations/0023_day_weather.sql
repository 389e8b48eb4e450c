-- The weather of days, where the town has a feed of it: measured, or foretold and corrected later.
CREATE TABLE day_weather (
    commune_insee text NOT NULL REFERENCES commune,
    day           date NOT NULL,
    temperature_c real CHECK (temperature_c BETWEEN -60 AND 60),
    rain_mm       real CHECK (rain_mm BETWEEN 0 AND 1000),
    told_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (commune_insee, day),
    CHECK (temperature_c IS NOT NULL OR rain_mm IS NOT NULL)
);
