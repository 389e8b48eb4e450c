-- The second factor of an account, and log-ins that still owe it. Seen only by who asks who somebody is (storage/isolation.py).
CREATE TABLE second_factor (
    account_id      uuid PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    secret          text NOT NULL CHECK (secret ~ '^[A-Z2-7]{32}$'),
    last_step       bigint,
    begun_at        timestamptz NOT NULL DEFAULT now(),
    enrolled_at     timestamptz,
    recovery_hashes bytea[] NOT NULL DEFAULT '{}' CHECK (cardinality(recovery_hashes) <= 10),
    CHECK (enrolled_at IS NULL OR last_step IS NOT NULL)
);

CREATE TABLE login_half (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    ends_at    timestamptz NOT NULL
);
CREATE INDEX ON login_half (account_id);
