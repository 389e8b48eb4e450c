-- What a driver is told between stops, kept with the plan so that a tablet has it where there is no network.
ALTER TABLE planned_stop
    ADD COLUMN load_kg real NOT NULL DEFAULT 0 CHECK (load_kg >= 0),
    ADD COLUMN point_index integer CHECK (point_index >= 0),
    ADD COLUMN steps jsonb NOT NULL DEFAULT '[]';
