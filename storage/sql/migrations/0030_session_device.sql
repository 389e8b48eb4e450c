-- The tablet or vehicle that a session was opened on, as its crew calls it.
ALTER TABLE login_session ADD COLUMN device text CHECK (length(device) BETWEEN 1 AND 60);
