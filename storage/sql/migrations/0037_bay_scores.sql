-- How forecasts of bays held: what one forecast each half hour said, until its day is judged, and the judgement.

-- (p,) each: of p bays of which anything was foretold. `occupied`: what the sensor said then, null without one.
CREATE TABLE bay_forecast_sample (
    commune_insee text NOT NULL REFERENCES commune,
    as_of         timestamptz NOT NULL,
    place_ids     text[] NOT NULL,
    uses          text[] NOT NULL,
    evidence      text[] NOT NULL,
    occupied      boolean[] NOT NULL,
    chance_15_min real[] NOT NULL,
    chance_30_min real[] NOT NULL,
    chance_60_min real[] NOT NULL,
    PRIMARY KEY (commune_insee, as_of)
);

CREATE TABLE bay_forecast_score (
    commune_insee     text NOT NULL REFERENCES commune,
    day               date NOT NULL,
    ahead_min         smallint NOT NULL,
    bay_group         text NOT NULL,
    answers           integer NOT NULL CHECK (answers >= 0),
    bays              integer NOT NULL CHECK (bays >= 0),
    brier             real CHECK (brier BETWEEN 0 AND 1),
    brier_persistence real CHECK (brier_persistence BETWEEN 0 AND 1),
    mean_chance       real CHECK (mean_chance BETWEEN 0 AND 1),
    free_share        real CHECK (free_share BETWEEN 0 AND 1),
    calibration_error real CHECK (calibration_error BETWEEN 0 AND 1),
    in_band           boolean,
    PRIMARY KEY (commune_insee, day, ahead_min, bay_group),
    CHECK ((answers = 0) = (brier IS NULL))
);
