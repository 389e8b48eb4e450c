-- Who may do what. Seen only by transactions that ask who somebody is (storage/isolation.py); secrets only as hashes.
CREATE TABLE account (
    account_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name          text NOT NULL UNIQUE CHECK (name = lower(name) AND length(name) BETWEEN 1 AND 100),
    display_name  text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 100),
    password_hash text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz
);

CREATE TABLE account_grant (
    account_id    uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    commune_insee text NOT NULL REFERENCES commune,
    role          text NOT NULL,
    granted_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, commune_insee, role)
);

CREATE TABLE login_session (
    session_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    opened_at  timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    ends_at    timestamptz NOT NULL,
    idle_s     integer NOT NULL CHECK (idle_s > 0),
    user_agent text NOT NULL DEFAULT '' CHECK (length(user_agent) <= 200),
    CHECK (ends_at > opened_at)
);
CREATE INDEX ON login_session (account_id);

-- Failed log-ins by name and by address, each as a hash: whether such an account exists makes no difference.
CREATE TABLE login_failure (
    subject_hash bytea PRIMARY KEY CHECK (length(subject_hash) = 32),
    failures     integer NOT NULL CHECK (failures > 0),
    failed_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_key (
    key_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    prefix        text NOT NULL UNIQUE,
    key_hash      bytea NOT NULL UNIQUE CHECK (length(key_hash) = 32),
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    commune_insee text NOT NULL REFERENCES commune,
    roles         text[] NOT NULL CHECK (cardinality(roles) > 0),
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    last_used_at  timestamptz,
    revoked_at    timestamptz,
    CHECK (expires_at > created_at)
);
