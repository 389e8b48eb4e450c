-- How large a vehicle is, for the streets that it may use: a variant of the profile, and its own figures.
ALTER TABLE vehicle_rule
    ADD COLUMN size text NOT NULL DEFAULT 'standard' CHECK (size IN ('small', 'standard', 'large')),
    ADD COLUMN height_cm integer CHECK (height_cm >= 0),
    ADD COLUMN length_cm integer CHECK (length_cm >= 0),
    ADD COLUMN laden_kg integer CHECK (laden_kg >= 0);
