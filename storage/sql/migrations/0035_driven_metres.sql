-- What vehicles drove, as their positions told it: summed on the position that is replaced, kept by day when it is
-- forgotten. Nobody's way can be told from a sum.
ALTER TABLE vehicle_position
    ADD COLUMN told_since timestamptz,
    ADD COLUMN driven_m double precision NOT NULL DEFAULT 0,
    ADD COLUMN bridged_m double precision NOT NULL DEFAULT 0;

CREATE TABLE vehicle_day (
    commune_insee text NOT NULL,
    vehicle_id    text NOT NULL,
    service_date  date NOT NULL,
    driven_m      double precision NOT NULL CHECK (driven_m >= 0),
    bridged_m     double precision NOT NULL CHECK (bridged_m BETWEEN 0 AND driven_m),
    PRIMARY KEY (commune_insee, vehicle_id, service_date),
    FOREIGN KEY (commune_insee, vehicle_id) REFERENCES vehicle
);
CREATE INDEX vehicle_day_of_commune ON vehicle_day (commune_insee, service_date);

-- The metres between two positions so many seconds apart, in a straight line: 0 for what a standing vehicle's position
-- wavers by, and for leaps that nobody drives.
CREATE FUNCTION driven_step_m(
    from_longitude double precision, from_latitude double precision, to_longitude double precision,
    to_latitude double precision, seconds double precision
) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN metres >= 15 AND metres <= 40 * seconds THEN metres ELSE 0 END
    FROM (
        SELECT 111195 * sqrt(
            power(to_latitude - from_latitude, 2)
            + power((to_longitude - from_longitude) * cos(radians((from_latitude + to_latitude) / 2)), 2)
        ) AS metres
    ) AS straight
$$;
