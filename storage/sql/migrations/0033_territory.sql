-- Territories (an EPT, the Métropole): communes together, whose figures some accounts may read, summed up.
CREATE TABLE territory (
    code text PRIMARY KEY CHECK (code ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100)
);

CREATE TABLE territory_commune (
    code          text NOT NULL REFERENCES territory ON DELETE CASCADE,
    commune_insee text NOT NULL REFERENCES commune,
    PRIMARY KEY (code, commune_insee)
);

CREATE TABLE territory_grant (
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    code       text NOT NULL REFERENCES territory ON DELETE CASCADE,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, code)
);
